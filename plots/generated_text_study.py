"""What is measured of generated text: its loss after a prompt that was compressed, and how fast it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generated_text_places import PLACES, standing
from transformers import PreTrainedModel

from prism_sim import families, load_scenario, strategies, tasks
from prism_sim.evaluation import Spread, evaluate
from prism_sim.evaluation.after_prompt import after_prompt
from prism_sim.loss.accuracy import FINE_TUNED, ZERO_SHOT
from prism_sim.loss.finetune import FinetuneRequest, finetune
from prism_sim.numeric.loading import ModelSource, load
from prism_sim.progress import Progress
from prism_sim.scenario import Scenario
from prism_sim.simulation.simulate import simulate
from prism_sim.tasks import Task, metrics
from prism_sim.tasks.continuations import continuations
from prism_sim.tasks.examples import Examples
from prism_sim.tasks.intervals import Interval, difference, interval
from prism_sim.tasks.scoring import Outcomes
from prism_sim.training import references

SCENARIOS = Path(__file__).parents[1] / "scenarios"
RANKS, PROMPT, NEW = 4, 128, 128  # tokens of a text: those of the prompt, then those that are judged
ROWS = PROMPT // RANKS
SEGMENTS = (16, 8, 4, 2, 1)  # compression rates 2, 4, 8, 16 and 32
Way = Mapping[str, Any]  # how a text is spread: a scenario's `strategy`
EXACT: tuple[Way, ...] = tuple({"name": name} for name in ("single", "tensor_parallel", "pipeline"))
LOSSY: tuple[Way, ...] = tuple(
    {"name": "prism", "segments": segments} for segments in (ROWS, *SEGMENTS)
)  # the first sends every row
# in one pass over a whole text the last rank owns the continuation too: the same mathematics, and differentiable
SHARES = (*[ROWS / (PROMPT + NEW)] * (RANKS - 1), (ROWS + NEW) / (PROMPT + NEW))


@dataclass(frozen=True, slots=True)
class Effort:
    """Steps of training, and of training on through the split; texts that are judged, None: the whole test split."""

    steps: int
    tuning_steps: int
    texts: int | None = None


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast text comes. segments, rate: effective; None where nothing is compressed. sent_bytes: for the prompt."""

    strategy: str
    segments: int | None
    rate: float | None
    sent_bytes: int
    ttft_s: float
    tpot_s: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One way to go on with the texts. lost: less the same weights undistributed, on the same texts."""

    checkpoint: str
    speed: Speed
    value: Interval
    lost: Interval


@dataclass(frozen=True, slots=True)
class PlacedMeans:
    """Where a mean takes the place of one of its tokens, or the mean of theirs, of texts to choose by.

    lost: less undistributed. over_mean: less where it takes the mean of theirs, paired.
    """

    place: str
    segments: int
    lost: Interval
    over_mean: Interval


@dataclass(frozen=True, slots=True)
class GeneratedText:
    """Of one small model. n_texts: of the test split. n_chosen_by: of the validation split, which `placed` is of.

    placed: empty for a model whose positions are embedded. n_new: models that were trained now.
    """

    task: str
    metric: str
    n_texts: int
    n_chosen_by: int
    judged: tuple[Judged, ...]
    placed: tuple[PlacedMeans, ...]
    n_new: int


def measure(progress: Progress, task_name: str, effort: Effort) -> GeneratedText:
    """Trains the task's model, trains it on through the split, and judges both. Raises ScenarioError, TrainingError."""
    task = tasks.find(task_name)
    trained = references.obtain(references.TrainingRequest(task, 0, effort.steps), progress)
    whole = {"task.checkpoint": str(trained.folder), "workload": {"tokens": PROMPT + NEW}}
    through = small(task_name, {"name": "prism", "segments": 1, "shares": list(SHARES)}, whole)
    tuned = finetune(FinetuneRequest(through, (1, ROWS - 1), steps=effort.tuning_steps), progress)
    splits = task.load()
    test, validation = (_first(part, effort.texts) for part in (splits.test, splits.validation))
    before, after = (Judge.of_checkpoint(task, obtained.folder, test) for obtained in (trained, tuned))
    judged = [*before.ways(ZERO_SHOT), *after.ways(FINE_TUNED)]
    assert task.reference is not None
    rotary = families.find(task.family).dimensions(task.reference.config).rotary
    placed = tuple(Judge.of_checkpoint(task, trained.folder, validation).placed()) if rotary else ()
    n_new = trained.new + tuned.new
    return GeneratedText(task_name, before.metric.name, len(test), len(validation), tuple(judged), placed, n_new)


def _first(part: Examples, n_texts: int | None) -> Examples:
    return part if n_texts is None else part.take(range(n_texts))


class Judge:
    """What one checkpoint makes of some texts.

    runs: of PROMPT + NEW tokens, made by `tokenizer`, the text of a tokenizer.json. speed: of a way to spread it.
    """

    def __init__(
        self, task: Task, model: PreTrainedModel, runs: Examples, tokenizer: str, speed: Callable[[Way], Speed]
    ) -> None:
        self.task, self.model, self.metric, self.speed = task, model, metrics.find(task.metrics[0]), speed
        self.texts = continuations(runs, PROMPT, tokenizer)
        self.alone = self._answered(None)

    @staticmethod
    def of_checkpoint(task: Task, folder: Path, runs: Examples) -> Judge:
        """Of a model that was trained for the task."""
        splits = task.load()
        assert task.reference is not None
        assert splits.tokenizer is not None
        model = load(ModelSource(task.reference.config, str(folder), task.head, "float32", 0))
        return Judge(task, model, runs, splits.tokenizer, lambda way: speed_of(small(task.name, way)))

    def ways(self, checkpoint: str, ways: Sequence[Way] = (*EXACT, *LOSSY)) -> Iterator[Judged]:
        """Exact strategies, then prism with less and less segments."""
        for way in ways:
            found = self._through(**way)
            yield Judged(checkpoint, self.speed(way), interval(self.metric, found), self._lost(found))

    def placed(self) -> Iterator[PlacedMeans]:
        for segments in SEGMENTS:
            at_mean = self._through("prism", segments=segments)
            for place in PLACES:
                with standing(place):
                    found = self._through("prism", segments=segments)
                yield PlacedMeans(place, segments, self._lost(found), difference(self.metric, found, at_mean))

    def _through(self, name: str, **options: Any) -> Outcomes:
        strategy = strategies.find(name)
        n_ranks = 1 if strategy.one_rank else RANKS
        return self._answered(Spread(name, strategy.options(**options), n_ranks))

    def _answered(self, spread: Spread | None) -> Outcomes:
        return evaluate(self.model, self.task, self.texts, spread, workers=1, answer=after_prompt).outcomes

    def _lost(self, through: Outcomes) -> Interval:
        return difference(self.metric, through, self.alone)


def small(task_name: str, strategy: Way, others: Mapping[str, Any] | None = None) -> Scenario:
    """The task's model on the devices of the larger one, writing as much text as is judged."""
    devices = {"devices": [{"preset": "raspberry-pi-5", "count": RANKS}], "network": {"preset": "gigabit-ethernet"}}
    text = {"workload": {"tokens": PROMPT, "new_tokens": NEW}}
    ready = load_scenario(SCENARIOS / "accuracy-python-text.yaml")
    return ready.with_overrides(
        {"task": {"name": task_name}, "strategy": dict(strategy), **devices, **text, **(others or {})}
    )


def large(strategy: Way, preset: str = "llama-3.2-1b") -> Scenario:
    """A model that is not trained here, in float16, on four boards."""
    ready = load_scenario(SCENARIOS / "generate-llama-four-pi5.yaml")
    text = {"tokens": PROMPT, "new_tokens": NEW}
    return ready.with_overrides({"model.preset": preset, "strategy": dict(strategy), "workload": text})


def speed_of(scenario: Scenario) -> Speed:
    """By the simulator."""
    found = simulate(scenario)
    generation = found.generation
    assert generation is not None
    assert generation.tpot_s is not None
    segments, rate = found.compression
    sent_bytes = sum(found.timeline.sent_bytes)
    return Speed(found.job.strategy, segments, rate, sent_bytes, generation.ttft_s, generation.tpot_s)
