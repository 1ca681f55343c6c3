"""Where a scenario's weights and examples come from: a folder, a hub id, or a task's own, trained when needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from prism_sim import families
from prism_sim.kept.files import digest
from prism_sim.plugins import remembered
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.simulation.model_config import model_config

if TYPE_CHECKING:
    from prism_sim.tasks import Splits, Task


def task_of(scenario: Scenario) -> Task:
    """The task of a scenario that has one."""
    from prism_sim.tasks import find  # which loads numpy: for who has a task

    assert scenario.task is not None
    return find(scenario.task.name)


def is_reference(scenario: Scenario) -> bool:
    """Whether the model is the one that the scenario's task brings along."""
    spec = scenario.model
    return scenario.task is not None and spec.weights == "pretrained" and spec.folder is None and spec.hub_id is None


def weights_of(scenario: Scenario, progress: Progress = SILENT) -> str | None:
    """The folder or hub id of the weights; None: random ones. A reference is trained first, unless it is there.

    Imports torch only for that. Raises ScenarioError where it cannot be trained.
    """
    spec = scenario.model
    if spec.weights == "random":
        return None
    if not is_reference(scenario):
        return str(spec.folder) if spec.folder is not None else spec.hub_id
    from prism_sim.training.checkpoint import TrainingError
    from prism_sim.training.references import TrainingRequest, obtain

    assert scenario.task is not None
    order = TrainingRequest(task_of(scenario), scenario.task.seed)
    try:
        return str(obtain(order, progress).folder)
    except TrainingError as error:
        raise scenario.error(("task",), str(error)) from error


def weights_key(scenario: Scenario) -> object:
    """What determines the weights; equal for equal weights, also before a reference is trained. Without torch."""
    spec = scenario.model
    if not is_reference(scenario):
        return [spec.hub_id, spec.weights, [] if spec.folder is None else folder_digests(spec.folder)]
    from prism_sim.training.checkpoint import identity

    task = task_of(scenario)
    assert scenario.task is not None
    assert task.reference is not None
    return ["reference", identity(task, task.reference.recipe, scenario.task.seed, splits_of(scenario)[1]).digest]


def folder_digests(folder: Path) -> list[str]:
    """A line for each file: its name and its content's digest. folder: or a single file."""
    return [path.name if path.is_dir() else f"{path.name} {digest([path])}" for path in files_of(folder)]


def files_of(folder: Path) -> list[Path]:
    """What lies in a folder, by name; a file alone."""
    return sorted(folder.iterdir()) if folder.is_dir() else [folder]


def splits_of(scenario: Scenario) -> tuple[Splits, str]:
    """The examples of the scenario's task, and their digest. Raises ScenarioError where they cannot be had.

    Sequences are as long as the scenario says; where it is silent, as long as is usual for the task.
    """
    from prism_sim.tasks import DataError

    spec, model = scenario.task, scenario.model
    assert spec is not None
    own = task_of(scenario).read is None
    config = model_config(scenario)
    fixed = own or families.find(str(config["model_type"])).input_name == "pixel_values"
    place = None if own else (str(model.folder) if model.folder is not None else model.hub_id)
    states_tokens = (scenario.written.source.tree.get("workload") or {}).get("tokens") is not None
    tokens = scenario.workload.tokens if states_tokens and not fixed else None
    try:
        return _splits(spec.name, spec.data, place, "{}" if own else json.dumps(config, sort_keys=True), tokens)
    except DataError as error:
        written = scenario.written.source
        field = ("task", "data") if spec.data is not None else ("task",)
        raise written.error(field, str(error)) from error


@remembered(maxsize=4)
def _splits(
    name: str, path: Path | None, checkpoint: str | None, config: str, tokens: int | None
) -> tuple[Splits, str]:
    from prism_sim.tasks import DataSource, find

    found = find(name).splits(DataSource(path, checkpoint, json.loads(config), tokens))
    return found, found.digest()


def model_error(scenario: Scenario, message: str) -> ScenarioError:
    """Placed where the file says which model answers."""
    written = scenario.written.source
    places = [("task", "checkpoint"), *(("model", kind) for kind in ("hf", "preset", "dims"))]
    named = [place for place in places if (written.tree.get(place[0]) or {}).get(place[1]) is not None]
    return written.error(named[0] if named else ("task",), message)
