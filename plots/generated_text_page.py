"""The tables and the picture of generated text in docs/accuracy.md, from what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from generated_text_study import EXACT, LOSSY, NEW, PROMPT, RANKS, ROWS, GeneratedText, Judged, Speed, large, speed_of
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prism_sim.figures.frame import add_legend, add_title, log_axis
from prism_sim.figures.style import FAINT, MARKERS, RANK_COLOURS, WIDE_INCHES, look, new_figure, strategy_style
from prism_sim.loss.accuracy import FINE_TUNED, ZERO_SHOT
from prism_sim.reports.accuracy import difference_text, value_text
from prism_sim.reports.page import table
from prism_sim.units_text import bytes_text, seconds_text

LOSS, SPEED, PLACES, RUN = "generated-text", "generated-speed", "generated-places", "generated-run"
REAL = "generated-real"
PICTURE = "generated-text"
MODELS = {"python-text": "small GPT-2", "python-text-llama": "small Llama"}
LARGE_NAME = "Llama 3.2 1B"
HOW = ("how it is spread", "L", "CR", "sent for the prompt", "first token", "each later token")


def contents(found: Sequence[GeneratedText], speeds: Sequence[Speed]) -> dict[str, str]:
    """By the name of the place. speeds: of the large model."""
    losses = [line for one in found for line in (*_loss(one), "")]
    means = [line for one in found if one.placed for line in _places(one)]
    return {LOSS: _text(losses[:-1]), SPEED: _text(_speed(speeds)), PLACES: _text(means)}


def real_loss(one: GeneratedText) -> str:
    """Of a model that others trained: a row a way."""
    words = one.metric.replace("_", " ")
    rows = [(*_how(way.speed), *_judged(one.metric, (way,))) for way in one.judged]
    heading = f"**SmolLM2-135M**, {one.n_texts} of the test texts, zero-shot:"
    return _text([heading, "", *table((*HOW, words, "lost"), rows)])


def large_speeds() -> list[Speed]:
    """Of the model that is too large to be trained here."""
    return [speed_of(large(strategy)) for strategy in (*EXACT, *LOSSY)]


def _text(lines: Sequence[str]) -> str:
    return "\n".join([*lines, ""])


def _loss(one: GeneratedText) -> Iterator[str]:
    """A row a way, with what both checkpoints make of it."""
    words = one.metric.replace("_", " ")
    headings = [*HOW, *(f"{checkpoint}: {what}" for checkpoint in (ZERO_SHOT, FINE_TUNED) for what in (words, "lost"))]
    by_checkpoint = [[way for way in one.judged if way.checkpoint == name] for name in (ZERO_SHOT, FINE_TUNED)]
    rows = [(*_how(pair[0].speed), *_judged(one.metric, pair)) for pair in zip(*by_checkpoint, strict=True)]
    yield f"**{MODELS[one.task]}** (`{one.task}`), {one.n_texts} test texts:"
    yield ""
    yield from table(headings, rows)


def _how(speed: Speed) -> tuple[str, ...]:
    every_row = speed.rate is not None and speed.segments is None
    return (
        f"{speed.strategy}, every row" if every_row else speed.strategy,
        "" if speed.segments is None else str(speed.segments),
        "" if speed.rate is None else f"{speed.rate:.3g}",
        bytes_text(speed.sent_bytes),
        seconds_text(speed.ttft_s),
        seconds_text(speed.tpot_s),
    )


def _judged(metric: str, ways: Sequence[Judged]) -> Iterator[str]:
    for way in ways:
        yield value_text(metric, way.value.estimate)
        yield difference_text(metric, way.lost)


def _speed(speeds: Sequence[Speed]) -> list[str]:
    return [f"**{LARGE_NAME}**, timing alone:", "", *table(HOW, map(_how, speeds))]


def _places(one: GeneratedText) -> Iterator[str]:
    """A row an L: what is lost at the mean of the places, and how much more at each other one."""
    by_place = {(found.place, found.segments): found for found in one.placed}
    mean, *others = dict.fromkeys(place for place, _ in by_place)
    rows = []
    for n in dict.fromkeys(segments for _, segments in by_place):
        more = (difference_text(one.metric, by_place[place, n].over_mean) for place in others)
        rows.append((str(n), f"{ROWS / n:.3g}", difference_text(one.metric, by_place[mean, n].lost), *more))
    yield from table(("L", "CR", f"lost, at the {mean}", *(f"more, at the {place}" for place in others)), rows)
    yield ""
    words = one.metric.replace("_", " ")
    yield f"The {MODELS[one.task]}, zero-shot, {one.n_chosen_by} validation texts, {words}; *more* is paired."


def picture(found: Sequence[GeneratedText], speeds: Sequence[Speed]) -> Figure:
    """What is lost, and how fast text comes, against the compression rate."""
    with look():
        figure = new_figure(WIDE_INCHES, 4.6)
        (loss, small), (first, later) = figure.subplots(2, 2)
        _draw_loss(loss, found)
        of_small = [way.speed for way in found[-1].judged if way.checkpoint == ZERO_SHOT]
        name = MODELS[found[-1].task]
        _draw_speed(small, {speed: speed.tpot_s for speed in of_small}, f"{name}: each later token")
        _draw_speed(first, {speed: speed.ttft_s for speed in speeds}, f"{LARGE_NAME}: first token")
        _draw_speed(later, {speed: speed.tpot_s for speed in speeds}, f"{LARGE_NAME}: each later token")
        add_legend(figure, [loss, small])
        where = f"{RANKS} Raspberry Pi 5, gigabit Ethernet"
        add_title(
            figure, f"{NEW} tokens after a prompt of {PROMPT}: what compressing the prompt costs and buys; {where}"
        )
    return figure


def _draw_loss(axes: Axes, found: Sequence[GeneratedText]) -> None:
    for number, one in enumerate(found):
        for checkpoint, line in ((ZERO_SHOT, "-"), (FINE_TUNED, "--")):
            ways = [way for way in one.judged if way.checkpoint == checkpoint and way.speed.rate is not None]
            middle = [way.lost.estimate for way in ways]
            ends = [
                [way.lost.estimate - way.lost.low for way in ways],
                [way.lost.high - way.lost.estimate for way in ways],
            ]
            axes.errorbar(
                [way.speed.rate for way in ways],
                middle,
                yerr=ends,
                color=RANK_COLOURS[number],
                marker=MARKERS[number],
                linestyle=line,
                elinewidth=1,
                label=f"loss: {MODELS[one.task]}, {checkpoint}",
            )
    axes.axhline(0, color=FAINT, linewidth=0.8)
    _rates(axes)
    axes.set_ylabel(f"lost {found[0].metric.replace('_', ' ')}")


def _draw_speed(axes: Axes, amounts: Mapping[Speed, float], label: str) -> None:
    """Those that compress nothing run across."""
    for speed, amount in amounts.items():
        style = strategy_style(speed.strategy)
        if speed.rate is None:
            axes.axhline(amount, color=style.colour, linestyle=style.line, label=f"time: {speed.strategy}")
    own = {speed.rate: amount for speed, amount in amounts.items() if speed.rate is not None}
    style = strategy_style("prism")
    axes.plot(list(own), list(own.values()), color=style.colour, marker=style.marker, label="time: prism")
    log_axis(axes.yaxis, min(amounts.values()), max(amounts.values()))
    _rates(axes)
    axes.set_ylabel(f"{label} (s)")


def _rates(axes: Axes) -> None:
    rates = [ROWS / strategy.get("segments", ROWS) for strategy in LOSSY]
    log_axis(axes.xaxis, min(rates), max(rates), rates)
    axes.set_xlabel("compression rate of the prompt")
