"""How a strategy declares its options: as `Annotated` types, from which files, their checks and their schema follow.

    segments: Annotated[Positive | tuple[Positive, ...] | None, doc("L, ..."), PerBlock(), Excludes("rate")] = None

`Ge` and `doc` are of `annotated_types`; the marks here say what those cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import DocInfo, Ge, doc

Mark = TypeVar("Mark")

Positive = Annotated[int, Ge(1)]


@dataclass(frozen=True, slots=True)
class Excludes:
    """`other` must not be given with this option: each determines the other."""

    other: str


@dataclass(frozen=True, slots=True)
class PerBlock:
    """Written as a list, it has one item for each block of the model."""


@dataclass(frozen=True, slots=True)
class SameAsNone:
    """The word that says the same as nothing."""

    word: str


@dataclass(frozen=True, slots=True)
class CheckedText:
    """A text that `check` takes; it raises ValueError, saying why, for any other. choices: gives the usual ones."""

    choices: Callable[[], tuple[str, ...]]
    check: Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Divides:
    """Shares of these items: tokens, heads, columns, blocks or samples; `least`, 1 or 0, is what each rank takes."""

    items: tuple[str, ...]
    least: int = 1


# What every rank takes of what is split; None: an even split. A program is only ever given numbers or None: a scenario
# may say a word in their place, and what it comes to is decided where devices are known. One text for every strategy: a
# scenario has one field of this name.
ShareWord = Literal["equal", "proportional", "optimal", "auto"]
SHARE_WORDS: tuple[str, ...] = get_args(ShareWord)
Shares = Annotated[
    tuple[float, ...] | ShareWord | None,
    SameAsNone("equal"),
    doc(
        "part of the tokens (heads and columns, blocks, samples) that each rank takes: numbers that sum to 1; equal "
        "(the default); proportional to the speed of its device as far as its memory allows, which also balances the "
        "stages of a pipeline for requests back to back; optimal, the split with the least latency of one request that "
        "fits the devices' memory; or auto, the best of equal, proportional, balanced and, where that is quick, optimal"
    ),
]


@cache
def declared(options: type) -> dict[str, Any]:
    """Option -> its annotation, in the order of the fields."""
    hints = get_type_hints(options, include_extras=True)
    return {name: hints[name] for name in options.__dataclass_fields__}  # type: ignore[attr-defined]


def marks(options: type, kind: type[Mark]) -> dict[str, Mark]:
    """Option -> its first mark of this kind, at any depth of its annotation."""
    found = {name: [m for m in _marks(hint) if isinstance(m, kind)] for name, hint in declared(options).items()}
    return {name: of_kind[0] for name, of_kind in found.items() if of_kind}


def documentation(options: type) -> dict[str, str]:
    return {name: mark.documentation for name, mark in marks(options, DocInfo).items()}


def minima(options: type) -> dict[str, Any]:
    """Option -> what it, or each item of its list, must not be less than."""
    return {name: mark.ge for name, mark in marks(options, Ge).items()}


def choices(options: type) -> dict[str, tuple[str, ...]]:
    """Option -> the words that it may be, where it is one of some words and nothing else."""
    found = {name: _words(hint) for name, hint in declared(options).items()}
    return {name: words for name, words in found.items() if words}


def _words(annotation: Any) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _words(get_args(annotation)[0])
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    return _words(kinds[0]) if len(kinds) == 1 and get_origin(annotation) in (Union, UnionType) else ()


def _marks(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for part in get_args(annotation):
        yield from _marks(part)
