"""BibTeX: one entry for each publication, whoever names it, under a key that is its own."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from prism_sim.citing.publications import Publication

_SPECIAL = {one: f"\\{one}" for one in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\~{}", "^": r"\^{}"}
_NO_KEY = ("a", "an", "the", "on", "of")


def bibliography(found: Mapping[Publication, Iterable[str]]) -> str:
    """Entries of publications that are different ones. found: what each is cited for, which stands above its entry."""
    taken: set[str] = set()
    blocks = []
    for publication, purposes in found.items():
        key = next(key for key in _keys(publication) if key not in taken)
        taken.add(key)
        blocks.append("\n".join([*(f"% {purpose}" for purpose in purposes), *_entry(key, publication)]))
    return "\n\n".join(blocks) + "\n"


def _entry(key: str, publication: Publication) -> Iterator[str]:
    title = publication.title or (f"arXiv {publication.arxiv}" if publication.arxiv else publication.url)
    fields = {
        "title": f"{{{escaped(title)}}}",  # in further braces: its capitals stay
        "author": " and ".join(map(_author, publication.authors)),
        "year": str(publication.year or ""),
        "eprint": publication.arxiv,
        "archiveprefix": "arXiv" if publication.arxiv else "",
        "url": f"https://arxiv.org/abs/{publication.arxiv}" if publication.arxiv else publication.url,
        "note": escaped(", ".join(publication.places)),
    }
    yield f"@misc{{{key},"
    yield from (f"  {name} = {{{value}}}," for name, value in fields.items() if value)
    yield "}"


def escaped(text: str) -> str:
    """As TeX prints it."""
    return "".join(_SPECIAL.get(one, one) for one in text)


def _author(name: str) -> str:
    """One of several words is braced: its first word is no given name."""
    return f"{{{escaped(name)}}}" if " " in name else escaped(name)


def _keys(publication: Publication) -> Iterator[str]:
    """Its own, or first author, year and title's first word, as far as they are known; then the same with a letter."""
    author = publication.authors[0] if publication.authors else ""
    words = [_plain(word) for word in re.split(r"[\s/]+", publication.title)]
    telling = words[-1:] if publication.url else words  # of an address its end
    word = next((word for word in telling if word and word not in _NO_KEY), "")
    key = f"{_plain(author)}{publication.year or ''}{word}" if author else f"{word}{publication.year or ''}"
    base = publication.key or (key if author or word else f"arxiv{publication.arxiv}")
    yield from chain([base], (f"{base}{letter}" for letter in string.ascii_lowercase[1:]))


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
