"""Small pieces of HTML; whatever text they are given is escaped, for names and values come from files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def paragraph(text: str, kind: str = "", role: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f"<p{named}{f' role={chr(34)}{role}{chr(34)}' if role else ''}>{escape(text)}</p>"


def figures(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values side by side, as many in a line as find room."""
    items = (f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="figures">{"".join(items)}</dl>'


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]], bars: Sequence[float] = ()) -> str:
    """Its first column names the rows. bars: a share from 0 to 1 for each row, drawn in a last column."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in headings)
    head += '<td class="bar"></td>' if bars else ""
    body = "".join(_row(row, bars[number] if bars else None) for number, row in enumerate(rows))
    return (
        f'<div class="scrolled" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(cells: Sequence[str], share: float | None) -> str:
    first, *others = cells
    cells_text = "".join(f"<td>{escape(text)}</td>" for text in others)
    bar = "" if share is None else f'<td class="bar"><span style="width:{100 * share:.1f}%"></span></td>'
    return f'<tr><th scope="row">{escape(first)}</th>{cells_text}{bar}</tr>'


def meaning(text: str, named: str = "What this means") -> str:
    """Folded away until somebody asks."""
    return f"<details><summary>{escape(named)}</summary><p>{escape(text)}</p></details>"


def section(name: str, *parts: str, kind: str = "") -> str:
    return f'<section class="{kind or "part"}" aria-label="{escape(name)}">{"".join(parts)}</section>'


def copied(text: str) -> str:
    """Text as it is, under the button that marimo gives to code."""
    return f'<div class="codehilite"><pre><code>{escape(text)}</code></pre></div>'
