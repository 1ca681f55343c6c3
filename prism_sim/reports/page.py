"""Writes what was found into a page (Markdown), between the markers of each place.

<!-- KIND: NAME -->
... whatever stands here is replaced ...
<!-- end -->
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence


def places(kind: str) -> re.Pattern[str]:
    """Matches one place; its groups are begin, name, content and end."""
    begin = rf"(?P<begin><!-- {re.escape(kind)}: (?P<name>[\w-]+) -->\n)"
    return re.compile(rf"{begin}(?P<content>.*?)(?P<end><!-- end -->)", re.DOTALL)


def check_places(page: str, kind: str, names: Iterable[str]) -> None:
    """Raises ValueError for a name without a place in the page."""
    found = {place["name"] for place in places(kind).finditer(page)}
    for name in names:
        if name not in found:
            raise ValueError(f"no place for {name}: add the lines <!-- {kind}: {name} --> and <!-- end -->")


def filled(page: str, kind: str, contents: Mapping[str, str]) -> str:
    """The page with the places of these names written anew; others stay as they are."""

    def written(place: re.Match[str]) -> str:
        if place["name"] not in contents:
            return place[0]
        return f"{place['begin']}{contents[place['name']]}{place['end']}"

    return places(kind).sub(written, page)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table whose first column is of text, the others of numbers."""
    return [_line(headings), _line(["---", *["---:"] * (len(headings) - 1)]), *map(_line, rows)]


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(text.replace('|', '/') for text in texts)} |"
