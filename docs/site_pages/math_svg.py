"""Formulas as pictures inside the page, drawn by matplotlib: neither TeX nor a script from elsewhere is needed."""

from __future__ import annotations

import html
import re
from io import StringIO
from typing import Any

from docutils.nodes import SkipNode

POINTS = 11.0  # of the page's own text, which formulas grow with
PER_EM = 12.0
DISPLAYED = 1.25  # times as large in a line of its own


def svg(formula: str, scale: float = 1.0) -> str:
    """An <svg> in units of the text's height, with its baseline on the line. Raises ValueError for a wrong formula."""
    from matplotlib import rc_context
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser, math_to_image

    text = f"${' '.join(formula.split())}$"
    font = FontProperties(size=POINTS)
    with rc_context({"mathtext.fontset": "cm", "svg.fonttype": "path", "svg.hashsalt": formula}):
        box = MathTextParser("path").parse(text, dpi=72, prop=font)
        drawn = StringIO()
        math_to_image(text, drawn, prop=font, dpi=72, format="svg")
    picture = drawn.getvalue()
    start = re.search(r'<svg [^>]*viewBox="(?P<box>[^"]+)"', picture)
    assert start is not None
    body = picture[picture.index("<defs>") :] if "<defs>" in picture else picture[start.end() + 1 :]
    per_em = PER_EM / scale
    width, height = (float(side) / per_em for side in start["box"].split()[2:])
    style = f"width:{width:.3f}em;height:{height:.3f}em;vertical-align:{-box.depth / per_em:.3f}em"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{start["box"]}"'
    )
    return f'{head} role="img" aria-label="{html.escape(formula)}" style="{style}" fill="currentColor">{body}'


def visit_inline(self: Any, node: Any) -> None:
    self.body.append(svg(node.astext()))
    raise SkipNode


def visit_display(self: Any, node: Any) -> None:
    self.body.append(f'<p class="math" style="text-align:center">{svg(node.astext(), DISPLAYED)}</p>')
    raise SkipNode
