"""What a worker does with a piece of a sweep, wherever it runs: in this process, in another, on another machine."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from threading import Lock
from time import thread_time
from typing import Any, Literal

import prism_sim
from prism_sim import plugins
from prism_sim.accuracy_columns import accuracy_columns
from prism_sim.kept.files import digest
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.shapes.job import Job
from prism_sim.simulation.many import Plays
from prism_sim.sweeping.blocks import REASON, RowBlock
from prism_sim.sweeping.parts import PartialJob, Parts, Resolved
from prism_sim.sweeping.points import Overrides
from prism_sim.sweeping.rows import Row, flat
from prism_sim.sweeping.timed import PointGroup

Kind = Literal["timing", "numerics", "accuracy"]


@dataclass(frozen=True)
class SweepWork:
    """What all pieces of a sweep share. source: digest of the code that asks, which must be the one that answers.

    It brings the plug-ins' files along: whoever unpickles it has them before the scenario that needs them.
    """

    base: Scenario
    numerics: bool
    source: str
    questions: dict[Any, dict[str, str]] = field(default_factory=dict, compare=False)

    @cached_property
    def parts(self) -> Parts:
        """Of the points that were met so far."""
        return Parts(self.base)

    def __reduce__(self) -> tuple[Any, ...]:
        own = {one.name: getattr(self, one.name) for one in fields(self)}
        return _arrived, (plugins.loaded(), pickle.dumps(own))


def _arrived(files: tuple[plugins.PluginFile, ...], content: bytes) -> SweepWork:
    plugins.take_up(files)
    return SweepWork(**pickle.loads(content))


@dataclass(frozen=True)
class WorkPiece:
    """Some points, each under the key by which its answer is known."""

    kind: Kind
    points: tuple[tuple[Any, Overrides], ...]


@dataclass(frozen=True)
class PieceAnswer:
    """Of timing, rows; of numerics, a fidelity under each key; of accuracy, what `run --json` says of it.

    In place of any there may be a `reason` why there is none. work_s: of the processor.
    """

    kind: Kind
    found: tuple[tuple[Any, dict[str, Any]], ...]
    work_s: float
    blocks: tuple[RowBlock, ...] = ()


class OtherSourceError(OSError):
    """A worker runs other code than the one who asks: its figures would not belong into the same table."""


@plugins.remembered()
def source_digest() -> str:
    """Of all that figures come from: our own code and presets, and plug-ins."""
    root = Path(prism_sim.__file__).parent
    return digest(sorted(path for path in root.rglob("*") if path.suffix in (".py", ".yaml"))) + plugins.digest()


_ONE_AT_A_TIME = Lock()  # torch's threads and seeds belong to the whole process


def perform(work: SweepWork, piece: WorkPiece) -> PieceAnswer:
    """Raises OtherSourceError; whatever is wrong with a point is a reason in its answer."""
    if work.source != source_digest():
        raise OtherSourceError(None, "has other source code of prism_sim; install the same everywhere", "a worker")
    begin_s = thread_time()
    if piece.kind == "timing":
        blocks = tuple(timings(work, piece.points))
        return PieceAnswer(piece.kind, (), thread_time() - begin_s, blocks)
    answer = {"numerics": outputs, "accuracy": accuracy}[piece.kind]
    found = tuple((key, _answered(answer, work, overrides)) for key, overrides in piece.points)
    return PieceAnswer(piece.kind, found, thread_time() - begin_s)


def _answered(answer: Any, work: SweepWork, overrides: Overrides) -> dict[str, Any]:
    try:
        found: dict[str, Any] = answer(work, overrides)
        return found
    except ScenarioError as error:
        return {"reason": str(error)}


def timings(work: SweepWork, points: Iterable[tuple[Any, Overrides]]) -> Iterator[RowBlock]:
    """Rows without the figures of numerics, and which questions about outputs belong to them."""
    left: list[tuple[Any, Overrides]] = []
    together: dict[tuple[PartialJob, tuple[int, ...]], list[Resolved]] = {}
    for key, overrides in points:
        try:
            point = work.parts.resolve(key, overrides)
        except ScenarioError as error:
            yield RowBlock((key,), {REASON: str(error)})
            continue
        if point is None or point.job.compared is None:
            left.append((key, overrides))
        else:
            together.setdefault((point.job, point.played.kinds), []).append(point)
    for blocks in _together(work, list(together.values()), left):
        yield from blocks
    for key, overrides in left:
        yield timing(work, key, overrides)


def _together(
    work: SweepWork, alike: list[list[Resolved]], left: list[tuple[Any, Overrides]]
) -> Iterator[tuple[RowBlock, ...]]:
    """Of points of one job each, all played together; where one of them cannot be, those of its job are `left`."""
    plays, groups = Plays(), list[PointGroup]()
    for points in alike:
        try:
            groups.append(PointGroup.of(points[0].job, points, plays))
        except ValueError:
            left += [(point.key, point.overrides) for point in points]
    for group in groups:
        try:
            yield tuple(group.blocks(_questions(work, group.job.scenario, group.own.split.setting.job)))
        except ValueError:
            left += [(point.key, point.overrides) for point in group.points]


def timing(work: SweepWork, key: Any, overrides: Overrides) -> RowBlock:
    """A point by itself."""
    from prism_sim.choice.run import run

    try:
        result = run(work.base.with_overrides(overrides), numerics=False, advise=False)
        return RowBlock((key,), flat(result.to_json()), _questions(work, result.scenario, result.simulation.job))
    except ScenarioError as error:
        return RowBlock((key,), {REASON: str(error)})


def outputs(work: SweepWork, overrides: Overrides) -> dict[str, Any]:
    """The fidelity of a point's outputs: from disk, or really computed."""
    from prism_sim.outputs.fidelity import fidelity_of

    with _job(work, overrides) as (scenario, job):
        return {"fidelity": asdict(fidelity_of(scenario, job))}


def accuracy(work: SweepWork, overrides: Overrides) -> dict[str, Any]:
    """The accuracy of a point that has a task: from disk, or really computed."""
    from prism_sim.outputs.task_accuracy import accuracy_of

    with _job(work, overrides) as (scenario, job):
        found = accuracy_of(scenario, job)
        assert found is not None
        return {"accuracy": found.to_json()}


@contextmanager
def _job(work: SweepWork, overrides: Overrides) -> Iterator[tuple[Scenario, Job]]:
    from prism_sim.choice.auto import resolved
    from prism_sim.simulation.placed import placed
    from prism_sim.simulation.simulate import simulate

    scenario = work.base.with_overrides(overrides)
    with _ONE_AT_A_TIME, placed(scenario):
        scenario = resolved(scenario)
        yield scenario, simulate(scenario).job


def _questions(work: SweepWork, scenario: Scenario, job: Job) -> dict[str, Any]:
    """About outputs and, with a task, about accuracy and the undistributed model's; none without numerics.

    They digest files, so they are asked once for what the same files answer.
    """
    if not work.numerics:
        return {}
    from prism_sim.outputs import fidelity as numerics
    from prism_sim.outputs import task_accuracy as accuracy

    asked = (scenario.model, job, scenario.seed, scenario.workload.input, scenario.task)
    if asked not in work.questions:
        found = {"question": numerics.question(scenario, job)}
        if scenario.task is not None:
            found["accuracy"] = accuracy.question(scenario, job)
            found["undistributed"] = accuracy.question(scenario, None)
        work.questions[asked] = found
    return work.questions[asked]


def with_fidelity(row: Row, fidelity: dict[str, Any]) -> Row:
    """The row as `run` with numerics would give it."""
    from prism_sim.outputs.fidelity import Fidelity

    known = Fidelity(**fidelity)
    described = {f"fidelity_{name}": value for name, value in known.to_json().items()}
    return row | described | {"plan_confirmed": known.plan_confirmed}


def with_accuracy(row: Row, found: dict[str, Any]) -> Row:
    """The row as `run` with numerics would give it."""
    return row | accuracy_columns(found)
