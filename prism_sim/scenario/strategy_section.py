"""The `strategy` section, built from the options of every strategy: a new strategy needs no change here."""

from __future__ import annotations

import dataclasses
import operator
import types
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import annotated_types
from pydantic import BaseModel, ConfigDict, Field, Strict, create_model
from pydantic.json_schema import SkipJsonSchema

from prism_sim import strategies
from prism_sim.plugins import remembered
from prism_sim.scenario.fields import OneOf
from prism_sim.strategies.base import Strategy

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
        for option, (kind, doc) in _options(strategy).items():
            known = kinds.setdefault(option, [])
            if kind not in known:
                known.append(kind)
            docs.setdefault(option, doc)
    fields: dict[str, Any] = {
        option: (reduce(operator.or_, [*kind, _ABSENT]), Field(default=None, description=docs[option] or None))
        for option, kind in kinds.items()
    }
    names: Any = Literal[tuple(strategies.nameable())]
    return create_model("StrategySection", __base__=StrategySection, name=(names, ...), **fields)


@remembered()
def options_model(name: str) -> type[BaseModel]:
    """The options of one strategy alone, as it declares them."""
    config = StrategySection.model_config
    fields: dict[str, Any] = {
        option: (kind | None, None) for option, (kind, _) in _options(strategies.find(name)).items()
    }
    return create_model(f"{name} options", __config__=config, **fields)


def build_options(name: str, given: Mapping[str, Any]) -> Any:
    """The strategy's own Options from those of the given ones that it has.

    Raises pydantic's ValidationError or the strategy's own ValueError where they do not fit it.
    """
    strategy = strategies.find(name)
    used = {option: value for option, value in given.items() if option in _options(strategy)}
    checked = options_model(name).model_validate(used)
    words = {option.name: option.metadata.get("default_word") for option in dataclasses.fields(strategy.options)}
    chosen = {option: getattr(checked, option) for option in used}
    return strategy.options(**{option: value for option, value in chosen.items() if value != words[option]})


def unused(name: str, given: Mapping[str, Any]) -> tuple[str, ...]:
    """The given options that the strategy has no use for; `auto` may need any."""
    if name == strategies.AUTO.name:
        return ()
    return tuple(option for option in given if option not in _options(strategies.find(name)))


def without_effect(name: str, options: Any) -> frozenset[str]:
    """Options that the strategy knows, but that mean nothing beside its others."""
    return strategies.find(name).idle(options)


@remembered()
def exclusions() -> dict[str, tuple[str, ...]]:
    """Options that cannot be given together, both ways."""
    found: dict[str, set[str]] = {}
    for strategy in strategies.nameable().values():
        for option in dataclasses.fields(strategy.options):
            for other in _texts(option.metadata.get("excludes", ())):
                found.setdefault(option.name, set()).add(other)
                found.setdefault(other, set()).add(option.name)
    return {option: tuple(sorted(others)) for option, others in sorted(found.items())}


def _texts(excluded: str | tuple[str, ...]) -> Iterator[str]:
    yield from (excluded,) if isinstance(excluded, str) else excluded


@remembered()
def lists_per_block() -> tuple[str, ...]:
    """Options that, written as a list, have one item for each block of the model."""
    found = {
        option.name
        for strategy in strategies.nameable().values()
        for option in dataclasses.fields(strategy.options)
        if option.metadata.get("one_per") == "block"
    }
    return tuple(sorted(found))


@remembered()
def _options(strategy: Strategy) -> dict[str, tuple[Any, str]]:
    """Option -> annotation with its limits, and documentation."""
    hints = get_type_hints(strategy.options)
    return {
        option.name: (_limited(hints[option.name], option.metadata), option.metadata.get("doc", ""))
        for option in dataclasses.fields(strategy.options)
    }


def _limited(kind: Any, metadata: Mapping[str, Any]) -> Any:
    """The annotation as a file's value is checked: without None, with minimum and choices, lists as tuples."""
    if get_origin(kind) in (Union, types.UnionType):
        kinds = [_limited(part, metadata) for part in get_args(kind) if part is not types.NoneType]
        return reduce(operator.or_, kinds)
    if get_origin(kind) is tuple:
        item = _limited(get_args(kind)[0], metadata)
        return Annotated[tuple[item, ...], Strict(False), annotated_types.MinLen(1)]  # type: ignore[valid-type]
    if kind is str and "check" in metadata:
        return Annotated[str, OneOf(metadata["choices"], metadata["check"])]
    if kind is str and "choices" in metadata:
        return Literal[tuple(metadata["choices"])]
    if kind in (int, float) and "minimum" in metadata:
        return Annotated[kind, annotated_types.Ge(metadata["minimum"])]
    return kind
