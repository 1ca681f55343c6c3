"""Evaluations in a file: Optuna's journal, one study in it, a line an evaluation."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from prism_sim.scenario import ScenarioError

STUDY = "prism-sim search"
IDENTITY = "identity"


class Store:
    """known: finished trials, in their order. Raises ScenarioError if the file is of another search or no journal,
    OSError if it cannot be written.
    """

    def __init__(self, path: Path, identity: Mapping[str, str], n_objectives: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):  # an error names the file
            pass
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                storage = JournalStorage(JournalFileBackend(str(path)))
        except (ValueError, KeyError, TypeError) as error:
            raise ScenarioError(f"{path}: is no journal of a search ({error}); choose another --storage") from None
        names = [study.study_name for study in storage.get_all_studies()]
        if STUDY in names:
            self.study = optuna.load_study(study_name=STUDY, storage=storage)
            found = self.study.user_attrs.get(IDENTITY, {})
            if other := [what for what, value in identity.items() if found.get(what) != value]:
                what = " and another ".join(other)
                raise ScenarioError(f"{path}: belongs to a search with another {what}; choose another --storage")
        elif names:
            raise ScenarioError(f"{path}: holds other studies ({names[0]!r}); choose another --storage")
        else:
            self.study = optuna.create_study(study_name=STUDY, storage=storage, directions=["minimize"] * n_objectives)
            self.study.set_user_attr(IDENTITY, dict(identity))

    @property
    def known(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])

    def add(self, trial: FrozenTrial) -> None:
        self.study.add_trial(trial)
