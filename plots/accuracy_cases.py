"""What `make accuracy` asks: of each task, which seeds, compression rates and bytes, and how long that takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prism_sim import compressors, load_scenario
from prism_sim.compressors.budget import settings_for_bytes
from prism_sim.scenario import Scenario
from prism_sim.simulation.simulate import simulate

SCENARIOS = Path(__file__).parents[1] / "scenarios"
LOSSLESS, PLAIN = "identity", "segment_means"
# of a small model: 128 samples give each of 256 codes many rows, and a byte each; fitting takes a sixteenth of 1024's
CODEBOOK = {"codebook_size": 256}


@dataclass(frozen=True, slots=True)
class Case:
    """One task and how much of it is measured.

    segments: L of the curve, the mildest first. budgets: L whose plain means say how many bytes others may send.
    drawn: least and most L of fine-tuning. train_s, tune_s, answer_s: what a training, a fine-tuning and all answers to
    one way take on one core, roughly, for the time that is left. steps: of both trainings; None: the usual ones.
    examples: of the test split; None: all. blocks: the first seed's loss is also followed block by block.
    """

    task: str
    seeds: tuple[int, ...]
    segments: tuple[int, ...]
    budgets: tuple[int, ...]
    drawn: tuple[int, int]
    train_s: float
    tune_s: float
    answer_s: float
    compressors: tuple[str, ...] = field(default_factory=compressors.names)
    steps: int | None = None
    examples: int | None = None
    blocks: bool = False

    @property
    def curve_s(self) -> float:
        """Of a seed: undistributed and with each L, by both checkpoints, and every row as it is."""
        return (2 * (1 + len(self.segments)) + 1) * self.answer_s

    @property
    def learning_s(self) -> float:
        """Of a seed, the curve included."""
        return self.train_s + self.tune_s + self.curve_s

    @property
    def expected_s(self) -> float:
        return len(self.seeds) * (self.learning_s + len(self.budgets) * len(self.compressors) * self.answer_s)


# L is a compression rate of about 2, 4, 8, 16 and 32 of the 33, 64 and 128 rows of a partition
EVERYTHING = (
    Case("digits", (0, 1, 2), (16, 8, 4, 2, 1), (4, 2), (1, 32), 180, 90, 2.5, blocks=True),
    Case("python-manual", (0,), (32, 16, 8, 4, 2), (8, 4), (1, 63), 360, 140, 5),
    Case("python-text", (0,), (64, 32, 16, 8, 4), (16, 8), (1, 127), 400, 190, 8),
)
QUICK = (
    Case("digits", (0,), (4, 1), (4,), (1, 32), 5, 5, 1, ("segment_means", "segment_means+int8", "int8"), 40, 60, True),
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """The bytes of plain segment means, and what others may send within them: the largest of their settings that fit.

    settings, message_bytes: by compressor. too_large: what has no setting so small.
    """

    segments: int
    budget_bytes: int
    settings: Mapping[str, Mapping[str, int]]
    message_bytes: Mapping[str, int]
    too_large: tuple[str, ...]


def ready_scenario(case: Case) -> Scenario:
    """As it lies in `scenarios`."""
    return load_scenario(SCENARIOS / f"accuracy-{case.task}.yaml")


def allowance(case: Case, segments: int) -> Allowance:
    """Of as many bytes as so many plain means take."""
    job = simulate(ready_scenario(case)).job
    n_rows, width = -(-job.n_tokens // job.n_ranks), job.sizes.width

    def message_bytes(name: str, settings: Mapping[str, int]) -> int:
        made = compressors.create(name, {**settings, **codebook(name)})
        return made.message_bytes(1, n_rows, width, job.wire_type.element_bytes)

    budget_bytes = message_bytes(PLAIN, {"segments": segments})
    asked = {
        name: settings_for_bytes(name, n_rows, width, budget_bytes, job.wire_type.element_bytes, **codebook(name))
        for name in case.compressors
    }
    fitting = {name: settings for name, settings in asked.items() if settings is not None}
    sizes = {name: message_bytes(name, settings) for name, settings in fitting.items()}
    too_large = tuple(name for name in asked if name not in fitting)
    return Allowance(segments, budget_bytes, fitting, sizes, too_large)


def codebook(name: str) -> Mapping[str, int]:
    """What is set of a compressor at every budget."""
    return CODEBOOK if any("codebook_size" in part.settings for part in compressors.parts(name)) else {}
