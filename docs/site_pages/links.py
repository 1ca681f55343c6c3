"""The same page on the site and in the repository: links out of docs/ lead to files there, docstrings are Markdown."""

from __future__ import annotations

import re

OUTSIDE = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?:\.\./)+(?!docs/)(?P<file>[\w./-]+)(?:#[\w-]+)?\)")


def of_the_site(page: str) -> str:
    """Links to files of the repository that are no pages become their names: a built site lies anywhere."""
    return OUTSIDE.sub(lambda link: f"`{link['file']}`" if "/" in link["file"] else link["text"], page)


def as_rst(lines: list[str]) -> None:
    """Docstrings of the package, in place: code between single backticks, asterisks and underscores as they are."""
    for number, line in enumerate(lines):
        escaped = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line)
        lines[number] = re.sub(r"(?<![\w`])\*(?=\w)|(?<=\w)_(?=\W|$)", r"\\\g<0>", escaped)
