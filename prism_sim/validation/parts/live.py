"""Live runs on this machine: two ranks of one thread, on two cores, beside predictions from kernels and a link test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prism_sim.calibration.device import DeviceEstimate
from prism_sim.live.launcher import LiveError, Rendezvous, n_cores, on_loopback
from prism_sim.live.link import LinkEstimate, measure_link
from prism_sim.live.namespaces import LinkShape, shaped, why_not
from prism_sim.live.timed import PASSES
from prism_sim.live_runs.live import planned
from prism_sim.live_runs.series import Series, run_series
from prism_sim.progress import Progress
from prism_sim.scenario import load_scenario
from prism_sim.syntax import presets
from prism_sim.validation.base import (
    DIFFERENT,
    FAR,
    JudgedRow,
    Judgement,
    PartOutcome,
    ValidationPart,
    ValidationSettings,
    summary,
)
from prism_sim.validation.cores import LINK_TEST_S, Cores, calibrated
from prism_sim.validation.live_series import MEETING_CELL, heard, patience
from prism_sim.validation.live_text import text_outcome
from prism_sim.validation.steadiness import Runs, outcome, steady_row

MODELS = ("vit-base-patch16-224", "bert-base-uncased", "gpt2")
BATCHES = (1, 4)
SEGMENTS = (2, 10, 30)
LINKS_MBIT_PER_S = (None, 500, 100, 50)  # None: loopback as it is
MEDIAN_ERROR = 0.10
SCENARIO = Path(__file__).with_name("two_ranks.yaml")


@dataclass(frozen=True, slots=True)
class LiveCase:
    """A scenario of the matrix."""

    model: str
    batch: int
    strategy: str
    segments: int | None = None

    @property
    def overrides(self) -> tuple[str, ...]:
        told = (f"model.preset={self.model}", f"workload.batch={self.batch}", f"strategy.name={self.strategy}")
        return told if self.segments is None else (*told, f"strategy.segments={self.segments}")

    def tags(self, link: str) -> dict[str, str]:
        segments = {} if self.segments is None else {"segments": str(self.segments)}
        return {"model": self.model, "batch": str(self.batch), "link": link, "strategy": self.strategy} | segments

    def name(self, link: str) -> str:
        segments = "" if self.segments is None else f" L={self.segments}"
        return f"{self.model}, batch {self.batch}, {self.strategy}{segments}, {link}"


def cases(quick: bool) -> list[LiveCase]:
    models, batches, segments = (MODELS[:1], BATCHES[:1], SEGMENTS[1:2]) if quick else (MODELS, BATCHES, SEGMENTS)
    return [
        case
        for model in models
        for batch in batches
        for case in (
            LiveCase(model, batch, "single"),
            *(LiveCase(model, batch, "prism", n_segments) for n_segments in segments),
            LiveCase(model, batch, "voltage"),
            LiveCase(model, batch, "tensor_parallel"),
            LiveCase(model, batch, "pipeline"),
        )
    ]


@dataclass(frozen=True, slots=True)
class LinkResult:
    """What was measured over one link. network: as the link test has it; heard: as ranks that meet have it.

    cores: by model.
    """

    link: str
    network: LinkEstimate
    heard: LinkEstimate
    cores: Mapping[str, Cores]
    cells: Sequence[Mapping[str, Any]]
    cases: Sequence[LiveCase]


def run(settings: ValidationSettings, progress: Progress) -> PartOutcome:
    """All cases over all links, and predictions from what was measured of single kernels and of the link alone."""
    if n_cores() < 2:
        return PartOutcome(skipped="two ranks need two cores, but this machine has one")
    no_shape, found, remarks = why_not(), [], []
    links = LINKS_MBIT_PER_S[::2] if settings.quick else LINKS_MBIT_PER_S
    for rate in links:
        if rate is not None and no_shape is not None:
            remarks.append(f"{rate} Mbit/s was left out: {no_shape}.")
            continue
        try:
            found.append(_measured(rate, settings, progress))
        except LiveError as error:
            return PartOutcome(skipped=f"live runs fail here: {error}")
    try:
        text = text_outcome(settings, progress)
    except LiveError as error:
        return PartOutcome(skipped=f"live runs fail here: {error}")
    rows = [*(row for one in found for row in rows_of(one)), *text.rows]
    return outcome(rows, judgements, text.judgements, [*remarks, *map(_remark, found)])


def _measured(rate_mbit_per_s: int | None, settings: ValidationSettings, progress: Progress) -> LinkResult:
    """Over one link: its test, and all cases in turn. Raises LiveError."""
    link = "loopback" if rate_mbit_per_s is None else f"{rate_mbit_per_s} Mbit/s"
    chosen = [case for case in cases(settings.quick) if rate_mbit_per_s is None or case.strategy != "single"]
    models = list(dict.fromkeys(case.model for case in chosen))
    with _meeting(rate_mbit_per_s) as meeting:
        progress.line(f"live, {link}: the link")
        network = measure_link(LINK_TEST_S, 60 + 10 * LINK_TEST_S, meeting)
        series = Series(
            cells=(*((str(SCENARIO), case.overrides) for case in chosen), MEETING_CELL),
            configs=tuple(dict(presets.model(name).config) for name in models),
            passes=PASSES,
            repeats=settings.repeats,
            patience=patience(settings),
        )
        progress.line(f"live, {link}: {len(chosen)} cases, {settings.repeats} times in turn, after a round to warm up")
        result = run_series(series, meeting, max(4 * settings.budget_s, 600.0))
        *cells, tiny = result.cells
        cores = {model: Cores.of(model, result) for model in models}
        return LinkResult(link, network, heard(network, tiny), cores, cells, chosen)


@contextmanager
def _meeting(rate_mbit_per_s: int | None) -> Iterator[Rendezvous]:
    """Where the processes meet."""
    if rate_mbit_per_s is None:
        yield on_loopback()
        return
    with shaped(2, LinkShape(rate_mbit_per_s * 1e6, rate_mbit_per_s * 1e6)) as made:
        yield made.meeting()


def rows_of(found: LinkResult) -> Iterator[JudgedRow]:
    """Each case as predicted and as measured: the median of its runs, with their quartiles."""
    for case, cell in zip(found.cases, found.cells, strict=True):
        runs, cores = Runs.of(cell, cell["latencies_s"]), found.cores[case.model]
        timed = cores.timed(case.strategy)
        estimates = cores.during(case.strategy, runs.pace(timed))
        scenario = load_scenario(SCENARIO, [*case.overrides, *calibrated(estimates, found.heard)])
        row = JudgedRow(
            case=case.name(found.link),
            predicted_s=planned(scenario).latency_s,
            measured_s=runs.median_s,
            spread_s=runs.quartiles_s,
            tags=case.tags(found.link),
        )
        yield steady_row(row, runs, timed)


def judgements(rows: Sequence[JudgedRow]) -> tuple[Judgement, ...]:
    found = summary(rows)
    assert found is not None
    return (
        Judgement(f"the median error is at most {MEDIAN_ERROR:.0%}", found.median_abs_error <= MEDIAN_ERROR),
        Judgement(f"no error is over {FAR:.0%}", not found.n_far),
        Judgement(
            f"strategies that differ by more than {DIFFERENT:.0%} are ranked right ({found.ranked_right} of "
            f"{found.ranked} pairs)",
            found.ranked_right == found.ranked,
        ),
    )


def _remark(found: LinkResult) -> str:
    network = found.network
    return (
        f"{found.link}: {network.bits_per_s / 1e6:.4g} Mbit/s, {1e6 * network.latency_s:.3g} us latency and "
        f"{1e6 * network.message_overhead_s:.3g} us a message by the link test, "
        f"{1e6 * found.heard.latency_s:.3g} us latency where ranks meet; with both cores busy, "
        + "; ".join(f"{model}: {_described(cores.in_step)}" for model, cores in found.cores.items())
        + "."
    )


def _described(core: DeviceEstimate) -> str:
    fields = core.fields()
    return (
        f"{fields['compute']}, {fields['memory_bandwidth']}, {fields['op_overhead']} a kernel, passes through a block "
        f"typically within {100 * core.typical_error:.1f} %"
    )


PART = ValidationPart("live", "Does it predict real runs on this machine?", "measured", run, order=40)
