"""The same page on the site and in the repository: links out of docs/ become names there, docstrings are Markdown."""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath

LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<file>(?:\.\./)+[\w./-]+)(?:#[\w-]+)?\)")


def of_the_site(page: str, name: str) -> str:
    """Links to files of the repository that are no pages become their names: a built site lies anywhere.

    name: of the page, as `guides/my-board`.
    """

    def written(link: re.Match[str]) -> str:
        target = normpath(join("docs", dirname(name), link["file"]))
        return link[0] if target.startswith("docs/") else f"`{target}`"

    return LINK.sub(written, page)


def as_rst(lines: list[str]) -> None:
    """Docstrings of the package, in place: code between single backticks, asterisks and underscores as they are."""
    for number, line in enumerate(lines):
        escaped = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line)
        lines[number] = re.sub(r"(?<![\w`])\*(?=\w)|(?<=\w)_(?=\W|$)", r"\\\g<0>", escaped)
