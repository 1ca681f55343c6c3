"""The tables and laws of docs/accuracy.md, from what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from accuracy_cases import CODEBOOK, LOSSLESS, PLAIN, Case, codebook
from accuracy_study import Equal, Measured, Way

from prism_sim.loss.accuracy import FINE_TUNED, ZERO_SHOT
from prism_sim.reports.accuracy import difference_text, interval_text, value_text
from prism_sim.reports.page import table
from prism_sim.tasks import metrics
from prism_sim.tasks.intervals import Interval
from prism_sim.units_text import bytes_text, seconds_text
from prism_sim.validation.base import Judgement

LEAST_ACCURACY = 0.97  # of digits, undistributed
MOST_LOST = {8: 0.015, 32: 0.03}  # of digits, fine-tuned: by about which compression rate, the interval's upper end
ROUNDING = 1e-4  # of a metric: less than one example of ten thousand
TRAINING, EQUAL, BLOCKS, LAWS = "training", "equal-bytes", "blocks", "laws"


def names(cases: Sequence[Case]) -> list[str]:
    """The places of the page that `contents` writes, laws aside."""
    own = [TRAINING, *(case.task for case in cases), EQUAL]
    return [*own, BLOCKS] if any(case.blocks for case in cases) else own


def contents(found: Sequence[Measured]) -> dict[str, str]:
    """By the name of the place."""
    written = {TRAINING: _text(_training(found)), EQUAL: _text(_equal(found))}
    written |= {one.case.task: _text(_ways(one)) for one in found}
    blocks = [line for one in found if one.losses for line in _blocks(one)]
    return written | ({BLOCKS: _text(blocks)} if blocks else {})


def judged(judgements: Sequence[Judgement]) -> str:
    return _text([f"- {'holds' if one.holds else '**broken**'}: {one.law}" for one in judgements])


def _text(lines: Sequence[str]) -> str:
    return "\n".join([*lines, ""])


def _training(found: Sequence[Measured]) -> list[str]:
    headings = (
        "task and seed",
        "examples",
        "steps",
        "steps of fine-tuning",
        "test examples",
        "metric",
        "undistributed",
    )
    rows = []
    for one in found:
        alone = [way for way in one.ways if way.point.strategy == "single" and way.point.checkpoint == ZERO_SHOT]
        points = [point for way in alone for point in way.points]
        for trained, tuned, point in zip(one.references, one.fine_tuned, points, strict=True):
            accuracy = point.accuracy
            rows.append(
                (
                    f"{one.case.task}, {point.seed}",
                    str(trained.record["examples"]["train"]),
                    str(trained.record["steps"]),
                    str(tuned.record["steps"]),
                    str(accuracy.n),
                    _words(accuracy.metric),
                    interval_text(accuracy.metric, accuracy.undistributed),
                )
            )
    return table(headings, rows)


def _ways(one: Measured) -> list[str]:
    metric = one.curve.metric
    several = len(one.case.seeds) > 1
    name = f"mean {_words(metric)}" if several else _words(metric)
    headings = ("model, and how it is spread", "L", "CR", "sent", "latency", name, "less undistributed")
    rows = []
    for way in one.ways:
        segments, rate = way.point.simulation.compression
        rows.append(
            (
                f"{way.point.checkpoint}, {_spread(way)}",
                "" if segments is None else str(segments),
                "" if rate is None else f"{rate:.3g}",
                bytes_text(sum(way.point.simulation.timeline.sent_bytes)),
                seconds_text(way.point.simulation.latency_s),
                value_text(metric, way.mean),
                difference_text(metric, way.difference),
            )
        )
    n = way.point.accuracy.n
    seeds = f"means over {len(one.case.seeds)} seeds, of " if several else ""
    better = "higher" if metrics.find(metric).better == "high" else "lower"
    return [*table(headings, rows), "", f"{seeds}{n} test examples; {better} is better.".capitalize()]


def _spread(way: Way) -> str:
    if way.point.strategy == "single":
        return "undistributed"
    return f"every row ({LOSSLESS})" if way.point.compressor == LOSSLESS else way.point.strategy


def _equal(found: Sequence[Measured]) -> list[str]:
    blocks = [_one_budget(one, equal) for one in found for equal in one.equal]
    return [line for number, block in enumerate(blocks) for line in ([""] * bool(number) + block)]


def _one_budget(one: Measured, equal: Equal) -> list[str]:
    metric = one.curve.metric
    rows = [
        (
            entry.compressor,
            ", ".join(f"{_words(name)} {value}" for name, value in entry.settings.items()),
            str(entry.message_bytes),
            value_text(metric, entry.way.mean),
            difference_text(metric, entry.way.difference),
        )
        for entry in equal.entries
    ]
    title = (
        f"**{one.case.task}**, at most {equal.budget_bytes} bytes a message (segment means with L = {equal.segments}):"
    )
    headings = ("compressor", "setting", "bytes", _words(metric), "less undistributed")
    told = [_verdict(metric, equal)]
    if equal.too_large:
        told.append(f"No setting is so small: {', '.join(equal.too_large)}.")
    if any(codebook(entry.compressor) for entry in equal.entries):
        told.append(f"A codebook has {CODEBOOK['codebook_size']} entries.")
    return [title, "", *table(headings, rows), "", " ".join(told)]


def _verdict(metric: str, equal: Equal) -> str:
    if equal.lead is None:
        return "One compressor alone: there is nothing to compare."
    first, second = (entry.compressor for entry in equal.entries[:2])
    lead = f"{first} less {second}: {difference_text(metric, equal.lead)}"
    verdict = f"The best is {first}; {lead}." if _is_clear(equal.lead) else f"There is no winner; {lead}."
    if equal.lead_over_plain is None or second == PLAIN:
        return verdict
    over = f"{first} less {PLAIN}: {difference_text(metric, equal.lead_over_plain)}"
    compared = "Plain means are behind" if _is_clear(equal.lead_over_plain) else "Nor over plain means"
    return f"{verdict} {compared}; {over}."


def _is_clear(lead: Interval) -> bool:
    return lead.low > 0 or lead.high < 0


def _blocks(one: Measured) -> Iterator[str]:
    headings = ["block", *(f"{checkpoint}: {what}" for checkpoint in one.losses for what in ("error", "added"))]
    losses = list(one.losses.values())
    rows = []
    for number, deviations in enumerate(zip(*(loss.blocks for loss in losses), strict=True)):
        rows.append([str(number), *(f"{amount:.3f}" for found in deviations for amount in (found.error, found.added))])
    segments, rate = losses[0].simulation.compression
    yield from table(headings, rows)
    yield ""
    how = f"{one.case.task}, seed {one.case.seeds[0]}, L = {segments} (CR {rate:.3g})"
    yield f"{how}; both relative to the undistributed rows."


def laws(found: Sequence[Measured]) -> list[Judgement]:
    """What is judged: of digits the accuracy and what is lost; of all tasks that sending every row loses nothing."""
    judgements = []
    for one in found:
        if one.case.task == "digits":
            judgements += [_undistributed(one), *(_fine_tuned(one, rate) for rate in MOST_LOST)]
    largest = max(
        (abs(point.accuracy.difference.estimate), point.accuracy.task)
        for one in found
        for point in one.curve.points
        if point.compressor == LOSSLESS
    )
    law = f"every task: sending every row ({LOSSLESS}) loses nothing (the most: {largest[0]:.1g}, {largest[1]})"
    return [*judgements, Judgement(law, largest[0] < ROUNDING)]


def _undistributed(one: Measured) -> Judgement:
    worst = min(point.accuracy.undistributed.estimate for point in one.curve.points)
    law = f"digits, undistributed: at least {100 * LEAST_ACCURACY:.0f} %, every seed (the worst: {100 * worst:.1f} %)"
    return Judgement(law, worst >= LEAST_ACCURACY)


def _fine_tuned(one: Measured, rate: int) -> Judgement:
    """The loss at the compression rate that is nearest to `rate`."""
    ways = [way for way in one.ways if way.point.checkpoint == FINE_TUNED and way.point.strategy == "prism"]
    way = min(ways, key=lambda way: abs(way.point.simulation.compression[1] - rate))
    lost: Interval = way.difference
    law = (
        f"digits, fine-tuned through prism, CR {way.point.simulation.compression[1]:.3g}: at most "
        f"{100 * MOST_LOST[rate]:.1f} points below undistributed (lost: {-100 * lost.estimate:.1f} points, "
        f"upper end of the interval: {-100 * lost.low:.1f})"
    )
    return Judgement(law, -lost.low <= MOST_LOST[rate])


def _words(name: str) -> str:
    return name.replace("_", " ")
