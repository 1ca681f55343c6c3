"""The `strategy` section, built from the options of every strategy: a new strategy needs no change here."""

from __future__ import annotations

import operator
import types
from collections.abc import Mapping
from functools import reduce
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, ConfigDict, Field, Strict, create_model
from pydantic.json_schema import SkipJsonSchema

from prism_sim import strategies
from prism_sim.plugins import remembered
from prism_sim.strategies.options import (
    CheckedText,
    Excludes,
    PerBlock,
    SameAsNone,
    declared,
    documentation,
    marks,
)
from prism_sim.syntax.fields import OneOf

_ABSENT: Any = SkipJsonSchema[None]  # type: ignore[misc]  # a type like any other at run time


class StrategySection(BaseModel):
    """The chosen strategy, and options of any strategy: those of others are kept, checked, and reported as unused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, protected_namespaces=())

    name: str


def given_options(section: StrategySection) -> dict[str, Any]:
    """The options that are written, of whichever strategy."""
    return {option: getattr(section, option) for option in sorted(section.model_fields_set) if option != "name"}


@remembered()
def section_model() -> type[StrategySection]:
    """A section with the union of all strategies' options; None: not written."""
    kinds: dict[str, list[Any]] = {}
    docs: dict[str, str] = {}
    for strategy in strategies.nameable().values():
        docs = documentation(strategy.options) | docs
        for option, annotation in declared(strategy.options).items():
            known, kind = kinds.setdefault(option, []), _as_written(annotation)
            if kind not in known:
                known.append(kind)
    fields: dict[str, Any] = {
        option: (reduce(operator.or_, [*kind, _ABSENT]), Field(default=None, description=docs.get(option)))
        for option, kind in kinds.items()
    }
    names: Any = Literal[tuple(strategies.nameable())]
    return create_model(
        "StrategySection",
        __base__=StrategySection,
        name=(names, Field(description="a strategy of `list strategies`")),
        **fields,
    )


@remembered()
def options_model(name: str) -> type[BaseModel]:
    """The options of one strategy alone, as it declares them."""
    config = StrategySection.model_config
    fields: dict[str, Any] = {
        option: (_as_written(kind) | None, None) for option, kind in declared(strategies.find(name).options).items()
    }
    return create_model(f"{name} options", __config__=config, **fields)


def build_options(name: str, given: Mapping[str, Any]) -> Any:
    """The strategy's own Options from those of the given ones that it has.

    Raises pydantic's ValidationError or the strategy's own ValueError where they do not fit it.
    """
    strategy = strategies.find(name)
    used = {option: value for option, value in given.items() if option in declared(strategy.options)}
    checked = options_model(name).model_validate(used)
    words = {option: mark.word for option, mark in marks(strategy.options, SameAsNone).items()}
    chosen = {option: getattr(checked, option) for option in used}
    return strategy.options(**{option: value for option, value in chosen.items() if value != words.get(option)})


def unused(name: str, given: Mapping[str, Any]) -> tuple[str, ...]:
    """The given options that the strategy has no use for; `auto` may need any."""
    if name == strategies.AUTO.name:
        return ()
    return tuple(option for option in given if option not in declared(strategies.find(name).options))


@remembered()
def exclusions() -> dict[str, tuple[str, ...]]:
    """Options that cannot be given together, both ways."""
    found: dict[str, set[str]] = {}
    for strategy in strategies.nameable().values():
        for option, mark in marks(strategy.options, Excludes).items():
            found.setdefault(option, set()).add(mark.other)
            found.setdefault(mark.other, set()).add(option)
    return {option: tuple(sorted(others)) for option, others in sorted(found.items())}


@remembered()
def lists_per_block() -> tuple[str, ...]:
    """Options that, written as a list, have one item for each block of the model."""
    return tuple(sorted({one for entry in strategies.nameable().values() for one in marks(entry.options, PerBlock)}))


def _as_written(kind: Any) -> Any:
    """The annotation as a file's value is checked: without None, with its limits, lists as tuples."""
    if get_origin(kind) in (Union, types.UnionType):
        return reduce(operator.or_, [_as_written(part) for part in get_args(kind) if part is not types.NoneType])
    if get_origin(kind) is tuple:
        item = _as_written(get_args(kind)[0])
        return Annotated[tuple[item, ...], Strict(False), annotated_types.MinLen(1)]  # type: ignore[valid-type]
    if get_origin(kind) is Annotated:
        inner, *found = get_args(kind)
        limits = [OneOf(m.choices, m.check) if isinstance(m, CheckedText) else m for m in found]
        limits = [limit for limit in limits if isinstance(limit, (OneOf, annotated_types.Ge))]
        return Annotated[(_as_written(inner), *limits)] if limits else _as_written(inner)
    return kind
