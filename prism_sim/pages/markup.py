"""Elements of a page: every text is escaped by its type, tables say what their rows and columns are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import altair as alt
from markupsafe import Markup

BAR = "█"  # of bars that a terminal draws
HIDDEN = Markup('<span class="hidden">{}</span>')  # told, not shown


@dataclass(frozen=True)
class TableRow:
    """Cells of a table. marks: attributes that a page's script reads."""

    cells: Sequence[str]
    quiet: bool = False
    marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PageTable:
    """A table. right: columns of numbers."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[TableRow]
    right: frozenset[int] = frozenset()
    name: str = ""

    @staticmethod
    def of(
        caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], text: Iterable[int] = (0,)
    ) -> PageTable:
        """text: the columns that hold no numbers."""
        right = frozenset(range(len(columns))) - set(text)
        return PageTable(caption, columns, [TableRow(cells) for cells in rows], right)

    def __html__(self) -> Markup:
        head = joined(self._heading(number, text) for number, text in enumerate(self.columns))
        body = joined(self._row(row) for row in self.rows)
        name = Markup(' id="{}"').format(self.name) if self.name else Markup()
        return Markup(
            '<div class="wide" role="region" aria-label="{}" tabindex="0"><table{}><caption>{}</caption>'
            "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
        ).format(self.caption, name, self.caption, head, body)

    def _heading(self, number: int, text: str) -> Markup:
        shown = text or HIDDEN.format("name" if number == 0 else "of that")
        return Markup('<th scope="col"{}>{}</th>').format(self._side(number), shown)

    def _row(self, row: TableRow) -> Markup:
        first, *others = row.cells
        cells = joined(self._cell(number, text) for number, text in enumerate(others, start=1))
        marks = joined(Markup(' data-{}="{}"').format(name, value) for name, value in row.marks.items())
        quiet = Markup(' class="quiet"') if row.quiet else Markup()
        heading = Markup('<th scope="row"{}>{}</th>').format(self._side(0), first) if first else Markup("<td></td>")
        return Markup("<tr{}{}>{}{}</tr>").format(quiet, marks, heading, cells)

    def _cell(self, number: int, text: str) -> Markup:
        if text and not text.strip(BAR):
            width = Markup('<span class="bar" style="width: {}ch"></span>').format(len(text))
            return Markup('<td aria-hidden="true">{}</td>').format(width)
        return Markup("<td{}>{}</td>").format(self._side(number), text)

    def _side(self, number: int) -> Markup:
        return Markup(' class="number"') if number in self.right else Markup()


def joined(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts)


def paragraph(text: str | Markup, kind: str = "") -> Markup:
    return Markup('<p class="{}">{}</p>').format(kind, text) if kind else Markup("<p>{}</p>").format(text)


def items(texts: Iterable[str | Markup]) -> Markup:
    return Markup("<ul>{}</ul>").format(joined(Markup("<li>{}</li>").format(text) for text in texts))


def drawing(chart: alt.LayerChart, table: str = "") -> Markup:
    """A figure that the page's script draws. table: the name of the one whose rows it chooses.

    Its description stands below, for whoever cannot see it or has no script.
    """
    spec = chart.to_dict()
    chosen = Markup(' data-table="{}"').format(table) if table else Markup()
    return Markup(
        '<figure class="chart"{}><div class="drawn"></div><figcaption>{}</figcaption>'
        '<script type="application/json">{}</script></figure>'
    ).format(chosen, spec["description"], script_json(spec))


def script_json(found: object) -> Markup:
    """JSON that no text in it can end: a browser looks for the end of a script before it reads it."""
    return Markup(json.dumps(found, allow_nan=False).replace("&", "\\u0026").replace("<", "\\u003c"))
