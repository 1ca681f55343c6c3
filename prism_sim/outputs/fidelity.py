"""The real outputs of a scenario, computed once: kept on disk by everything that determines them.

Torch is imported only where nothing is found on disk.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_sim import plugins, strategies
from prism_sim.kept.cache import Kept, cache_folder
from prism_sim.kept.files import digest
from prism_sim.outputs.checkpoints import model_error, weights_key, weights_of
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario
from prism_sim.shapes.job import Job
from prism_sim.simulation.model_config import model_spec

if TYPE_CHECKING:
    from prism_sim.numeric.inputs import InputSource
    from prism_sim.numeric.loading import ModelSource

SCHEMA = "prism-sim/numerics/1"
LIBRARIES = ("torch", "transformers", "numpy", "pillow", "tokenizers", "safetensors")
DETERMINING = ("numeric", "families", "shapes", "strategies", "compressors", ".")  # folders of our own source


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Against the undistributed model on the same input; see `numeric.measure`.

    top1_agreement: None for random weights, whose outputs say nothing about accuracy.
    plan_confirmed: the bytes and FLOPs that were seen equal the predicted ones.
    """

    max_abs_error: float
    cosine: float
    kl: float | None
    top1_agreement: float | None
    plan_confirmed: bool
    random_weights: bool

    def to_json(self) -> dict[str, Any]:
        """The four measures of the contract."""
        return {name: getattr(self, name) for name in ("max_abs_error", "cosine", "kl", "top1_agreement")}


def fidelity_of(scenario: Scenario, job: Job, progress: Progress = SILENT) -> Fidelity:
    """From disk, or really computed; `progress` is told before a computation that may take long, and how far it is.

    Raises ScenarioError for weights or an input that cannot be loaded, ValueError for outputs that are not finite.
    """

    def compute() -> Fidelity:
        ranks = f"{job.n_ranks} rank(s)"
        progress.line(f"computing the real outputs of {scenario.model.label}, {ranks}, once; then kept on disk")
        weights_of(scenario, progress)
        return _measure(scenario, job)

    kept = Kept("the outputs' fidelity", SCHEMA, asdict, lambda found: Fidelity(**found))
    return kept.at(cache_folder("numerics") / f"{question(scenario, job)}.json", compute, progress)


def sources(scenario: Scenario, job: Job) -> tuple[ModelSource, InputSource]:
    """Where the model and the input of a scenario come from; a task's reference is trained first. Imports torch."""
    from prism_sim.numeric.inputs import InputSource
    from prism_sim.numeric.loading import ModelSource

    spec = model_spec(scenario)
    weights = weights_of(scenario)
    place = str(spec.folder) if spec.folder is not None else weights or spec.hub_id
    source = ModelSource(spec.config or {}, weights, spec.head, spec.dtype, scenario.seed, spec.weight_dtype)
    given = InputSource(
        batch=job.batch,
        n_tokens=job.n_tokens,
        path=scenario.workload.input,
        place=place if weights is not None or spec.folder is not None else None,
        seed=scenario.seed,
    )
    return source, given


@contextmanager
def loading(scenario: Scenario) -> Iterator[None]:
    """Turns what cannot be loaded into a ScenarioError that names the field at fault."""
    from prism_sim.numeric.loading import LoadError

    try:
        yield
    except LoadError as error:
        if error.about == "model":
            raise model_error(scenario, str(error)) from error
        raise scenario.error(("workload", "input"), str(error)) from error


def _measure(scenario: Scenario, job: Job) -> Fidelity:
    from prism_sim.numeric.measure import measure

    source, given = sources(scenario, job)
    with loading(scenario):
        found, confirmed = measure(source, given, job)
    return Fidelity(
        max_abs_error=found.max_abs_error,
        cosine=found.cosine,
        kl=found.kl,
        top1_agreement=None if source.place is None else found.top1_agreement,
        plan_confirmed=confirmed,
        random_weights=source.place is None,
    )


def question(scenario: Scenario, job: Job, schema: str = SCHEMA) -> str:
    """A name for what determines the outputs, the content of files included; equal for equal questions.

    schema: of what is asked about them.
    """
    spec = model_spec(scenario)
    picture = scenario.workload.input
    options = strategies.effective_options(job.strategy, job.options)
    determining = {
        "schema": schema,
        "model": [
            spec.config,
            weights_key(scenario),
            spec.dtype,
            spec.weight_dtype,
            spec.wire_dtype,
            job.head.name,
        ],
        "job": [job.batch, job.n_tokens, job.new_tokens, job.n_ranks, job.strategy, options, asdict(job.placement)],
        "input": None if picture is None else f"{picture.name} {digest([picture])}",
        "seed": scenario.seed,
        "source": source_digest(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    return hashlib.sha256(json.dumps(determining, sort_keys=True, default=str).encode()).hexdigest()


@plugins.remembered()
def source_digest(folders: tuple[str, ...] = DETERMINING) -> str:
    """Of our own source in these folders, by default what the numbers come from, and of plug-ins' of these rooms."""
    root = Path(__file__).parent.parent
    patterns = [f"{folder}/**/*.py" if folder != "." else "*.py" for folder in folders]
    return digest(sorted(path for pattern in patterns for path in root.glob(pattern))) + plugins.digest(folders)
