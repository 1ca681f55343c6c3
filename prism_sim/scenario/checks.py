"""Rules of a scenario file that hold across its fields."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from prism_sim.scenario import models
from prism_sim.scenario.spec import ModelSpec
from prism_sim.strategies.options import Shares
from prism_sim.syntax import schema, strategy_section
from prism_sim.syntax.errors import FieldPath, shown
from prism_sim.syntax.problems import first_error
from prism_sim.syntax.sections import ScenarioSection
from prism_sim.syntax.yaml_source import Source


def validated(source: Source) -> ScenarioSection:
    """The file field by field. Raises ScenarioError for the first that is wrong."""
    _refuse_nulls(source.tree, (), source)
    try:
        return schema.validated(source.tree, source.presets)
    except ValidationError as problem:
        raise first_error(problem, source) from None


def _refuse_nulls(value: Any, path: FieldPath, source: Source) -> None:
    """An empty value is most often an oversight; only a config's dimensions and swept lists may hold null."""
    if path in (("model", "dims"), ("sweep",)) and value is not None:
        return
    if value is None:
        raise source.error(path, "has no value; write one, or remove the line for the default")
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_nulls(item, (*path, key), source)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _refuse_nulls(item, (*path, number), source)


def check_exclusions(given: Mapping[str, Any], source: Source) -> None:
    """Raises ScenarioError for options that determine each other."""
    for option in given:
        for _, rival in schema.exclusions().get(("strategy", option), ()):
            if rival in given:
                rule = f"cannot stand beside strategy.{rival}: each determines the other; keep one"
                raise source.error(("strategy", option), rule, at_key=True)


def check_shares(shares: Shares, n_ranks: int, source: Source) -> None:
    """Raises ScenarioError unless there is a share for each rank, and they sum to 1."""
    if shares is None or isinstance(shares, str):
        return
    path: FieldPath = ("strategy", "shares")
    if len(shares) != n_ranks:
        rule = f"{len(shares)} shares are given for {n_ranks} rank(s); write one share for each"
        raise source.error(path, rule)
    for number, share in enumerate(shares):
        if share <= 0:
            raise source.error((*path, number), f"{share} must be > 0; to leave a device out, name the others as ranks")
    if abs(math.fsum(shares) - 1) > 1e-6:
        rule = f"{shown(list(shares))} sums to {math.fsum(shares):.6g}, but shares must sum to 1"
        raise source.error(path, rule)


def check_blocks(given: Mapping[str, Any], model: ModelSpec, source: Source) -> None:
    """Lists of one item for each block, where the file alone tells how many blocks there are."""
    for option in strategy_section.lists_per_block():
        if isinstance(given.get(option), tuple) and model.config is not None:
            n_items, n_blocks = len(given[option]), models.n_blocks(model.config)
            if n_items != n_blocks:
                rule = f"lists {n_items} number(s), but {model.label} has {n_blocks} blocks; write one for each block"
                raise source.error(("strategy", option), rule)


def options(name: str, given: Mapping[str, Any], source: Source) -> Any:
    """The strategy's own Options. Raises ScenarioError for what they do not take."""
    try:
        return strategy_section.build_options(name, given)
    except ValidationError as problem:
        raise first_error(problem, source, ("strategy",)) from None
    except ValueError as problem:
        raise source.error(("strategy",), str(problem)) from None
