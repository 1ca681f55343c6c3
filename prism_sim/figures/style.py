"""One look for all figures: colour-blind-safe, the same colour for the same thing everywhere, legible when small."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

COLUMN_INCHES = 3.5  # one column of a two-column paper
WIDE_INCHES = 7.0
DOTS_PER_INCH = 200
ENDINGS = (".png", ".svg", ".pdf")


@dataclass(frozen=True, slots=True)
class Style:
    """How a strategy looks; marker, line and hatch tell it apart where there is no colour."""

    colour: str
    marker: str
    line: Any
    hatch: str | None


# Okabe and Ito's palette (jfly.uni-koeln.de/color, 2008), ordered so that neighbours differ in greyscale too
STRATEGY_STYLES = {
    "single": Style("#000000", "P", (0, (6, 2)), None),
    "voltage": Style("#E69F00", "s", (0, (1.5, 1)), "////"),
    "prism": Style("#0072B2", "o", "-", "...."),
    "tensor_parallel": Style("#CC79A7", "^", (0, (5, 1.2, 1, 1.2)), "xxxx"),
    "pipeline": Style("#009E73", "D", (0, (4, 1, 1, 1, 1, 1)), "----"),
    "galaxy": Style("#D55E00", "v", (0, (10, 1.5)), "\\\\\\\\"),
}
_SPARE = (
    Style("#56B4E9", "X", (0, (3, 1, 1, 1)), "++++"),
    Style("#F0E442", "*", (0, (2, 1)), "oooo"),
    Style("#999999", "h", (0, (1, 1)), "||||"),
)
RANK_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # told apart also by MARKERS
PART_COLOURS = {
    "compute": "#0072B2",
    "staging": "#F0E442",
    "overhead": "#999999",
    "transfer": "#D55E00",
    "propagation": "#CC79A7",
    "queue": "#56B4E9",
    "wait": "#EEEEEE",
}
PART_HATCHES = {"staging": "....", "transfer": "////", "propagation": "\\\\\\\\", "queue": "xxxx"}
EDGE = "#555555"
FAINT = "#777777"
PALEST = 0.6  # white in the last of several variants
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # of variants of one strategy
VARIANT_LINES = ((0, (1, 1)), (0, (4, 1, 1, 1)), "-", (0, (3, 3)), (0, (1, 3)))  # of variants without markers

_LOOK: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 4,
    "savefig.dpi": DOTS_PER_INCH,
    "svg.hashsalt": "prism-sim",  # same data, same file
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
}


def strategy_style(name: str) -> Style:
    """The look of a strategy, the same in every figure; strategies added later get one by their name."""
    return STRATEGY_STYLES.get(name) or _SPARE[sum(name.encode()) % len(_SPARE)]


def variant_style(name: str, number: int, many: int) -> Style:
    """The look of one of so many variants: none has that of the strategy itself, which may stand beside them."""
    own = strategy_style(name)
    if many == 1:
        return own
    markers = [marker for marker in MARKERS if marker != own.marker]
    lines = [line for line in VARIANT_LINES if line != own.line]
    colour = shaded(own.colour, PALEST * number / (many - 1))
    return Style(colour, markers[number % len(markers)], lines[number % len(lines)], own.hatch)


def in_order(strategies: Iterable[str]) -> list[str]:
    """Each once, in the palette's order, later ones by name."""
    known = list(STRATEGY_STYLES)
    return sorted(set(strategies), key=lambda name: (known.index(name) if name in known else len(known), name))


def shaded(colour: str, share: float) -> str:
    """The colour, with that share of white in it: for variants of one strategy."""
    channels = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(channel + share * (255 - channel)):02X}" for channel in channels)


def plain(text: object) -> str:
    """A name as it is written: a dollar sign begins no formula."""
    return str(text).replace("$", r"\$")


def check_ending(path: Path) -> None:
    """Raises ValueError unless the file's name ends as a picture that is written here."""
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{path.name!r} ends in {path.suffix!r}; a figure ends in {', '.join(ENDINGS)}")


def saved(figure: Figure) -> Callable[[Path], None]:
    """Writes the figure into a file, in the format that its name ends in: same figure, same bytes, also as SVG or PDF.

    What it returns raises ValueError for any other ending than .png, .svg and .pdf.
    """

    def save(path: Path) -> None:
        check_ending(path)
        undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower())
        with look():  # resolution and ids are chosen when saving
            figure.savefig(path, metadata=undated)

    return save


def look() -> Any:
    """A context in which figures are made with this look; nothing global changes."""
    return rc_context(_LOOK)


def new_figure(width_inches: float = WIDE_INCHES, height_inches: float = 3.0) -> Figure:
    """A figure of its own, outside pyplot: no window, no state."""
    return Figure(figsize=(width_inches, height_inches), dpi=DOTS_PER_INCH, layout="constrained")
