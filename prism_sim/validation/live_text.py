"""Text that processes generate on this machine, beside predictions from kernels and a link: first and later tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prism_sim.calibration.device import DeviceEstimate
from prism_sim.live.launcher import n_cores, on_loopback
from prism_sim.live.link import LinkEstimate, measure_link
from prism_sim.live.timed import STEP_PASSES
from prism_sim.live_runs.live import planned
from prism_sim.live_runs.series import Series, run_series
from prism_sim.live_runs.text import tpots_s
from prism_sim.progress import Progress
from prism_sim.scenario import load_scenario
from prism_sim.syntax import presets
from prism_sim.validation.base import JudgedRow, Judgement, PartOutcome, ValidationSettings
from prism_sim.validation.cores import LINK_TEST_S, Cores, calibrated
from prism_sim.validation.live_series import MEETING_CELL, heard, patience
from prism_sim.validation.steadiness import Runs, steady_row

MODELS = ("distilgpt2", "smollm2-135m")
STRATEGIES = ("single", "tensor_parallel", "pipeline", "prism", "voltage")
MOST_RANKS = 3  # where there is a core for each
STEPS_ALONE = ("prism",)  # whose last rank goes on by itself
SCENARIO = Path(__file__).with_name("parts") / "three_ranks.yaml"
FIRST_TOKEN, LATER_TOKEN = "first token", "later token"


@dataclass(frozen=True, slots=True)
class TextCase:
    """A scenario of the matrix."""

    model: str
    strategy: str
    ranks: int

    @property
    def overrides(self) -> tuple[str, ...]:
        told = (f"model.preset={self.model}", f"strategy.name={self.strategy}")
        return told if self.strategy == "single" else (*told, f"ranks={list(range(self.ranks))}")

    @property
    def name(self) -> str:
        return f"{self.model}, {self.strategy} over {self.ranks}"

    def tags(self, token: str) -> dict[str, str]:
        return {
            "model": self.model,
            "link": "loopback",
            "token": token,
            "strategy": self.strategy,
            "ranks": str(self.ranks),
        }


def cases(quick: bool, cores: int) -> list[TextCase]:
    return [
        TextCase(model, strategy, ranks)
        for model in (MODELS[:1] if quick else MODELS)
        for strategy in STRATEGIES
        for ranks in ((1,) if strategy == "single" else range(2, min(MOST_RANKS, cores) + 1))
    ]


def text_outcome(settings: ValidationSettings, progress: Progress) -> PartOutcome:
    """All cases on loopback, and predictions from what was measured of single kernels and of the link alone.

    Raises LiveError.
    """
    cores = n_cores()
    chosen = cases(settings.quick, cores)
    models = list(dict.fromkeys(case.model for case in chosen))
    series = Series(
        cells=(*((str(SCENARIO), case.overrides) for case in chosen), MEETING_CELL),
        configs=tuple(dict(presets.model(name).config) for name in models),
        passes=STEP_PASSES,
        repeats=settings.repeats,
        n_processes=min(MOST_RANKS, cores),
        patience=patience(settings),
    )
    progress.line("live, text: the link")
    network = measure_link(LINK_TEST_S, 60 + 10 * LINK_TEST_S, on_loopback())
    progress.line(f"live, text: {len(chosen)} cases, {settings.repeats} times in turn, after a round to warm up")
    found = run_series(series, on_loopback(), max(4 * settings.budget_s, 600.0))
    *texts, meeting = found.cells
    rows = rows_of(
        dict(zip(chosen, texts, strict=True)),
        heard(network, meeting),
        {model: Cores.of(model, found) for model in models},
    )
    return PartOutcome(tuple(rows), (same_text(texts),))


def same_text(cells: Sequence[Mapping[str, Any]]) -> Judgement:
    holds = all(cell["output_error"] <= cell["output_tolerance"] for cell in cells)  # and so none is NaN
    return Judgement("processes generate the text of one process, by its logits up to rounding", holds)


def rows_of(
    measured: Mapping[TextCase, Mapping[str, Any]], network: LinkEstimate, cores: Mapping[str, Cores]
) -> Iterator[JudgedRow]:
    """Of each case the first token, and the mean later one."""
    for case, cell in measured.items():
        moments_s: Sequence[Sequence[float]] = cell["moments_s"]
        times = {FIRST_TOKEN: [one[0] for one in moments_s], LATER_TOKEN: tpots_s(moments_s)}
        for token, measured_s in times.items():
            goes_alone = case.strategy in STEPS_ALONE and token == LATER_TOKEN
            as_if = "single" if goes_alone else case.strategy
            runs, own = Runs.of(cell, measured_s), cores[case.model]
            timed = own.timed(as_if)
            row = JudgedRow(
                case=f"{case.name}, {token}",
                predicted_s=_predicted_s(case, token, network, own.during(as_if, runs.pace(timed))),
                measured_s=runs.median_s,
                spread_s=runs.quartiles_s,
                tags=case.tags(token),
            )
            yield steady_row(row, runs, timed)


def _predicted_s(case: TextCase, token: str, network: LinkEstimate, estimates: Sequence[DeviceEstimate]) -> float:
    scenario = load_scenario(SCENARIO, [*case.overrides, *calibrated(estimates, network)])
    generation = planned(scenario).generation
    assert generation is not None
    assert generation.tpot_s is not None
    return generation.ttft_s if token == FIRST_TOKEN else generation.tpot_s
