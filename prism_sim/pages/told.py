"""What a command tells the terminal, word for word and number for number, as elements of a page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from io import StringIO
from typing import Any

from markupsafe import Markup
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from prism_sim.pages.markup import PageTable, TableRow, joined, paragraph
from prism_sim.reports.tables import NarrowName

WIDTH = 1000  # of a terminal in which nothing gives way
KINDS = {"dim": "quiet", "yellow": "warning", "bold red": "warning"}


class Heard(Console):
    """A terminal that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(file=StringIO(), width=WIDTH, color_system=None)
        self.tables_and_texts: list[Table | tuple[str, str]] = []  # texts with the kind of a paragraph

    def print(self, *objects: Any, **options: Any) -> None:
        for one in objects:
            if isinstance(one, Table):
                self.tables_and_texts.append(one)
            else:
                kind = KINDS.get(str(options.get("style")), "")
                self.tables_and_texts.append((_plain(one, options.get("markup") is not False), kind))


def told(show: Callable[[Console], None], caption: str, without: Collection[str] = ()) -> Markup:
    """What `show` prints. caption: of tables without a title. without: texts that stand elsewhere on the page."""
    console = Heard()
    show(console)
    return joined(_elements(console, caption, {text.strip() for text in without}))


def _elements(console: Heard, caption: str, without: Collection[str]) -> Iterator[Markup]:
    for one in console.tables_and_texts:
        if isinstance(one, Table):
            if one.row_count:
                yield _grid(one, caption).__html__()
        else:
            text, kind = one
            if text.strip() and text.strip() not in without:
                yield paragraph(text.strip(), kind)


def _grid(table: Table, caption: str) -> PageTable:
    columns = table.columns
    cells = [[_plain(cell, True) for cell in column.cells] for column in columns]
    quiet = [row.style == "dim" for row in table.rows]
    rows = [TableRow(row, is_quiet) for row, is_quiet in zip(zip(*cells, strict=True), quiet, strict=True)]
    right = frozenset(number for number, column in enumerate(columns) if column.justify == "right")
    title = "" if table.title is None else _plain(table.title, True).strip()
    return PageTable(title or caption, [_heading(column) for column in columns], rows, right)


def _heading(column: Column) -> str:
    return _plain(column.header, True)


def _plain(told: Any, markup: bool) -> str:
    if isinstance(told, NarrowName):
        return told.name
    if isinstance(told, Text):
        return told.plain
    return Text.from_markup(str(told)).plain if markup else str(told)
