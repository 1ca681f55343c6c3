"""What a `source` names that somebody published: papers, repositories, pages.

    Authors (year), Title, arXiv 2507.12145, Table 1        or Title, arXiv ...; or the id alone, in any sentence
    Author et al. (year), Title, where in it
    github owner/repository where in it                     or owner/repository where in it (year)
    page.example/path (year): what it says                  or https://...
    Title (year): what it says

Several are set apart by semicolons. All else (assumptions, derivations, prose) names no publication.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

OWN = "prism_sim"  # the source of what is this package's own
_IDS = re.compile(r"\barXiv:? ?((?:\d{4}\.\d{4,5}(?:v\d+)?(?:, | and )?)+)")
_ID = re.compile(r"(\d{4}\.\d{4,5})")
_AUTHORED = re.compile(r"(?P<authors>[^():]+?)(?: \((?P<year>\d{4})\)|(?<=et al\.)), ?(?P<rest>.*)")
_TITLED_ID = re.compile(r"(?P<title>[^():]+), ")
_PLACE = re.compile(r" ?(?:\(\d{4}\))?,? *((?:Table|Figure|section|eq\.|chapter) [\w.]+)")
_REPOSITORY = re.compile(r"(?:github )?(?P<path>[\w-]+/[\w.-]+)(?=[\s,:;(]|$)(?P<rest>.*)")
_PAGE = re.compile(r"(?:https?://)?(?P<address>[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?:/[^\s:;,]*)?)(?=[\s,:]|$)")
_TITLED = re.compile(r"(?P<title>[^():]+) \((?:as of )?\d{4}\)")
_YEAR = re.compile(r"(?:\((?:as of |[A-Z][a-z]+ )?|, )((?:19|20)\d\d)(?=[-,)])")
_OURS = ("assumption", "derived", "fitted", "the hub's ")
_NO_HOST = ("cpp", "csv", "html", "json", "md", "py", "yaml", "yml")  # ends of files and programs
_GITHUB = "github "


@dataclass(frozen=True, slots=True)
class Publication:
    """What a source says of it; "", () and None: it does not. arxiv: its id there. places: in it, as Table 1.

    key: under which it is cited, where it has one of its own.
    """

    title: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    arxiv: str = ""
    url: str = ""
    places: tuple[str, ...] = ()
    key: str = ""

    @property
    def identity(self) -> str:
        """Alike for the same one."""
        return self.arxiv or self.url or self.title

    def with_more(self, other: Publication) -> Publication:
        """What another source says of the same one, where this one is silent; places of both."""
        told = {field.name: getattr(self, field.name) or getattr(other, field.name) for field in fields(Publication)}
        return Publication(**told | {"places": tuple(dict.fromkeys((*self.places, *other.places)))})


def publications_in(source: str) -> tuple[Publication, ...]:
    """Those that a source names, in its order."""
    return tuple(found for part in source.split(";") for found in _in_part(part.strip()))


def _in_part(text: str) -> Iterator[Publication]:
    ids = _IDS.search(text)
    if ids is not None:
        yield from _papers(text[: ids.start()], _ID.findall(ids[1]), text[ids.end() :])
    elif text == OWN or text.startswith(_OURS):
        return
    elif (authored := _AUTHORED.fullmatch(text)) is not None:
        title, _, place = authored["rest"].partition(", ")
        yield Publication(title, _names(authored["authors"]), _number(authored["year"]), places=_some(place))
        return
    if ids is not None and not text.startswith(_GITHUB):
        return
    if (found := _elsewhere(text)) is not None:
        yield found


def _papers(lead: str, ids: list[str], after: str) -> Iterator[Publication]:
    """lead, after: what stands before and after the ids. Only the first has the title, if there are several."""
    authors: tuple[str, ...] = ()
    title, year = "", None
    if (authored := _AUTHORED.fullmatch(lead)) is not None:
        title, authors, year = authored["rest"].rstrip(", "), _names(authored["authors"]), _number(authored["year"])
    elif (titled := _TITLED_ID.fullmatch(lead)) is not None:
        title = titled["title"]
    place = _PLACE.match(after)
    yield Publication(title, authors, year or _year_of(ids[0]), ids[0], places=_some(place[1] if place else ""))
    yield from (Publication(year=_year_of(one), arxiv=one) for one in ids[1:])


def _elsewhere(text: str) -> Publication | None:
    """A repository, a page, or what has a title and a year."""
    year = _YEAR.search(text)
    found = Publication(year=_number(year[1]) if year else None)
    repository = _REPOSITORY.match(text)
    if repository is not None and (year is not None or text.startswith(_GITHUB)):
        path = repository["path"]
        place = re.sub(r"\((?:as of )?\d{4}\)", "", repository["rest"].partition(":")[0]).strip(" ,")
        return replace(found, title=path, url=f"https://github.com/{path}", places=_some(place))
    page = _PAGE.match(text)
    if page is not None and page["address"].rpartition(".")[2] not in _NO_HOST:
        return replace(found, title=page["address"], url=f"https://{page['address']}")
    titled = _TITLED.match(text)
    if titled is not None and "arXiv" not in text:
        return replace(found, title=titled["title"])
    return None


def _names(authors: str) -> tuple[str, ...]:
    """Each; the last may be `others`."""
    others = ("others",) if authors.endswith(" et al.") else ()
    return (*re.split(r", | and ", authors.removesuffix(" et al.")), *others)


def _year_of(arxiv: str) -> int:
    """In which an id was given out."""
    return 2000 + int(arxiv[:2])


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _some(place: str) -> tuple[str, ...]:
    return (place,) if place else ()
