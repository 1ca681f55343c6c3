"""`finetune`: training that goes on through the distributed computation, so that the model learns to live with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_sim import plugins
from prism_sim.choice.auto import resolved
from prism_sim.kept.cache import cache_folder
from prism_sim.kept.files import digest
from prism_sim.outputs import checkpoints
from prism_sim.outputs.fidelity import source_digest
from prism_sim.outputs.task_accuracy import answering_model, checkpoint_name, spread_key
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario
from prism_sim.shapes.job import Job
from prism_sim.simulation.model_config import model_config
from prism_sim.simulation.placed import placed
from prism_sim.simulation.simulate import simulate
from prism_sim.tasks import Task
from prism_sim.tasks.base import Recipe
from prism_sim.training import checkpoint
from prism_sim.training.checkpoint import DETERMINING, LIBRARIES, CheckpointIdentity
from prism_sim.training.references import HASH_DIGITS, STATE, Obtained, save_model, steps_of

if TYPE_CHECKING:
    from torch import nn


# Against the recipe of the reference; chosen on validation examples of `digits`.
STEPS, LEARNING_RATE = 0.5, 0.5
WARMUP = 0.1  # of the steps
# Of a benchmark's own checkpoint; as BERT is fine-tuned (Devlin et al., 2019, appendix A.3).
USUAL = Recipe(steps=1000, batch=32, learning_rate=2e-5, warmup_steps=100, weight_decay=0.01, threads=2)
OWN_SOURCE = ("loss/finetune.py", "evaluation/spread.py")


@dataclass(frozen=True)
class FinetuneRequest:
    """What is asked for. segments: least and most L, one drawn a step; None: the scenario's.

    steps, learning_rate: None: the usual ones. folder: None: one in the user's cache. again: train also if it was done.
    """

    scenario: Scenario
    segments: tuple[int, int] | None = None
    steps: int | None = None
    learning_rate: float | None = None
    seed: int = 0
    folder: Path | None = None
    again: bool = False

    @property
    def task(self) -> Task:
        """Raises ScenarioError for a scenario without one."""
        if self.scenario.task is None:
            remedy = "add a line such as task: digits (prism-sim list tasks)"
            raise self.scenario.error_of_file(("task",), f"is missing: nothing to train on; {remedy}")
        return checkpoints.task_of(self.scenario)

    @property
    def recipe(self) -> Recipe:
        own = self.task.reference
        usual = USUAL
        if own is not None:
            steps, rate = round(STEPS * own.recipe.steps), LEARNING_RATE * own.recipe.learning_rate
            usual = replace(own.recipe, steps=max(1, steps), learning_rate=rate)
        steps = self.steps or usual.steps
        return replace(
            usual,
            steps=steps,
            warmup_steps=round(WARMUP * steps),
            learning_rate=self.learning_rate or usual.learning_rate,
        )

    @cached_property
    def job(self) -> Job:
        """Raises ScenarioError where the strategy does not fit the scenario, or sends no segments to be drawn."""
        with placed(self.scenario):
            job = simulate(resolved(self.scenario)).job
            if self.segments is not None and not hasattr(job.options, "segments"):
                raise ValueError(f"{job.strategy} sends no segments, so their number cannot be drawn")
            if job.dtype != "float32":
                raise ValueError(f"models are trained in float32, not in {job.dtype}; write model.dtype: float32")
        return job


def finetune(
    order: FinetuneRequest,
    progress: Progress = SILENT,
) -> Obtained:
    """The trained model's folder, for `task: {checkpoint: FOLDER}` or `model: {hf: FOLDER}`; what was done is found.

    Only training examples are learnt from, and validation examples watched. The state is saved now and then, and gone
    on from. Raises ScenarioError for whatever is wrong with the scenario, its data, or a folder that is there.
    """
    scenario = order.scenario
    with placed(scenario):
        recipe, data_digest = order.recipe, checkpoints.splits_of(scenario)[1]
        wanted = _identity(order, recipe, data_digest)
        name = f"{order.task.name}-{order.job.strategy}-{wanted.digest[:HASH_DIGITS]}"
        folder = order.folder or cache_folder("fine-tuned") / name
        state = folder.with_name(folder.name + STATE)
        if order.again:
            checkpoint.check_replaceable(folder)
            state.unlink(missing_ok=True)
        elif (record := checkpoint.finished(folder, wanted)) is not None:
            return Obtained(folder, record, new=False)
        place = checkpoints.weights_of(scenario, progress)
        progress.line(f"{'going on with' if state.exists() else 'fine-tuning'} {checkpoint_name(scenario)}")
        _train(order, recipe, wanted, folder, place, progress)
    state.unlink(missing_ok=True)
    return Obtained(folder, checkpoint.read_record(folder), new=True)


def _identity(order: FinetuneRequest, recipe: Recipe, data_digest: str) -> CheckpointIdentity:
    """Of all that determines the weights."""
    root = Path(__file__).parent.parent
    described = {name: getattr(recipe, name) for name in recipe.__dataclass_fields__}
    described["augment"] = recipe.augment and recipe.augment.__qualname__
    described["from"] = checkpoints.weights_key(order.scenario)
    described["spread"] = spread_key(order.job)
    described["segments"] = order.segments
    own = digest(root / name for name in (*DETERMINING, *OWN_SOURCE)) + plugins.digest(["tasks"], {order.task.name})
    return CheckpointIdentity(
        task=order.task.name,
        seed=order.seed,
        config=dict(model_config(order.scenario)),
        recipe=described,
        data_digest=data_digest,
        source_digest=hashlib.sha256(f"{own} {source_digest()}".encode()).hexdigest(),
        versions={name: version(name) for name in LIBRARIES},
    )


def _train(
    order: FinetuneRequest,
    recipe: Recipe,
    wanted: CheckpointIdentity,
    folder: Path,
    place: str | None,
    progress: Progress,
) -> None:
    """Trains, measures on validation examples, and writes. Imports torch."""
    from prism_sim.evaluation import Spread, evaluate
    from prism_sim.evaluation.evaluate import codebooks_of
    from prism_sim.evaluation.spread import spread_loss
    from prism_sim.training.loop import Training, train
    from prism_sim.training.state import Keep

    task, splits = order.task, checkpoints.splits_of(order.scenario)[0]
    model, spread = answering_model(order.scenario, place, rounded=False), Spread.of(order.job)
    codebooks = codebooks_of(model, splits.train, spread)  # of the first weights, so that a resumed training has them

    def validated(now: nn.Module) -> Mapping[str, float]:
        return evaluate(now, task, splits.validation, spread, splits.train).values

    training = Training(
        splits.train,
        recipe,
        order.seed,
        spread_loss(spread, order.segments, codebooks),
        lambda now: validated(now)[task.metrics[0]],
    )
    told = steps_of(f"fine-tuning for {order.task.name}", order.task, progress)
    history = train(model, training, Keep(folder.with_name(folder.name + STATE), wanted.digest), told)
    record = _described(order, wanted) | {
        "steps": recipe.steps,
        "examples": {"train": len(splits.train), "validation": len(splits.validation)},
        "validation": dict(validated(model)),
        "validation_undistributed": dict(evaluate(model, task, splits.validation).values),
        "history": [asdict(point) for point in history],
    }
    checkpoint.write(folder, lambda path: save_model(model, splits.tokenizer, path), record)


def _described(order: FinetuneRequest, wanted: CheckpointIdentity) -> dict[str, Any]:
    """What was trained, from what, and how."""
    job = order.job
    return {
        "task": wanted.task,
        "seed": order.seed,
        "from": checkpoint_name(order.scenario),
        "strategy": job.strategy,
        "options": asdict(job.options),
        "ranks": job.n_ranks,
        "segments": list(order.segments) if order.segments else getattr(job.options, "segments", None),
        **wanted.described(),
    }
