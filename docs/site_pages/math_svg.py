"""Formulas as pictures inside the page, drawn by matplotlib: neither TeX nor a script from elsewhere is needed."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

from docutils.nodes import SkipNode

POINTS = 100.0  # of a drawn em; large, so that whole numbers are fine enough
COMMANDS = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}  # of SVG, by matplotlib's codes
INLINE, DISPLAYED = 1.05, 1.2  # ems of the text around
MARGIN = 2.0  # for strokes that reach over a formula's box


def svg(formula: str, ems: float = INLINE) -> str:
    """An <svg> whose baseline is that of the line. ems: how large an em of it is. Raises ValueError for a wrong one."""
    from matplotlib import rc_context
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser
    from matplotlib.textpath import TextPath

    text, font = f"${' '.join(formula.split())}$", FontProperties(size=POINTS)
    with rc_context({"mathtext.fontset": "cm"}):
        box = MathTextParser("path").parse(text, dpi=72, prop=font)
        drawn = " ".join(_commands(TextPath((0, 0), text, size=POINTS, prop=font)))
    width, height, depth = (ems * side / POINTS for side in (box.width, box.height + 2 * MARGIN, box.depth + MARGIN))
    view = f"0 {-(box.height - box.depth + MARGIN):.0f} {box.width:.0f} {box.height + 2 * MARGIN:.0f}"
    style = f"width:{width:.3f}em;height:{height:.3f}em;vertical-align:{-depth:.3f}em;overflow:visible"
    label = html.escape(formula)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" role="img" aria-label="{label}" style="{style}">'
    return f'{head}<path fill="currentColor" d="{drawn}"/></svg>'


def _commands(path: Any) -> Iterator[str]:
    """Of SVG, which counts downwards."""
    for points, code in path.iter_segments(curves=True, simplify=False):
        corners = "" if code == 79 else " ".join(f"{x:.0f} {-y:.0f}" for x, y in points.reshape(-1, 2))
        yield f"{COMMANDS[int(code)]}{corners}"


def visit_inline(self: Any, node: Any) -> None:
    self.body.append(svg(node.astext()))
    raise SkipNode


def visit_display(self: Any, node: Any) -> None:
    formula = svg(node.astext().replace(r"\frac", r"\dfrac"), DISPLAYED)
    self.body.append(f'<p class="math" style="text-align:center">{formula}</p>')
    raise SkipNode
