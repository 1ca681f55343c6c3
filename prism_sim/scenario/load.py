"""From a scenario file and overrides to a validated `Scenario`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from prism_sim import strategies
from prism_sim.scenario import (
    hardware,
    models,
    network,
    overrides,
    preset_files,
    schema,
    strategy_section,
    sweep,
    task_models,
)
from prism_sim.scenario.errors import FieldPath, shown
from prism_sim.scenario.problems import first_error
from prism_sim.scenario.sections import ScenarioSection
from prism_sim.scenario.spec import ModelSpec, Scenario, StrategySpec
from prism_sim.scenario.task_section import spelled_out
from prism_sim.scenario.yaml_source import Source, read_source
from prism_sim.strategies.base import Placement, Shares


@dataclass(frozen=True)
class Origin:
    """What a scenario was read from, so that it can be read again with further overrides."""

    source: Source
    batches: tuple[tuple[overrides.Override, ...], ...] = ()

    def overridden(self) -> Source:
        """The source with all overrides written in; raises ScenarioError if they do not fit it."""
        source = self.source
        for batch in self.batches:
            source = overrides.apply(source, batch)
        return preset_files.with_presets(source)

    def load(self, further: Iterable[str] | Mapping[str, Any] = ()) -> Scenario:
        """The scenario with these overrides after the earlier ones; raises ScenarioError."""
        batch = overrides.parse(further, self.source.file)
        origin = Origin(self.source, (*self.batches, batch))
        source = origin.overridden()
        scenario = _resolve(source, origin)
        if not self.batches or any(override.path[0] == "sweep" for override in batch):  # else it was checked before
            sweep.axes(scenario.sweep, source)
        return scenario


def load_scenario(path: str | Path, overrides: Iterable[str] | Mapping[str, Any] = ()) -> Scenario:
    """Reads a scenario file; overrides are texts `dotted.path=value` or a mapping of dotted path to value.

    Raises ScenarioError, one message with place, field, value, rule and remedy, for whatever is wrong with either.
    """
    source = read_source(path)
    if isinstance(source.tree.get("task"), str):
        source.tree["task"] = spelled_out(("task",), source.tree["task"])
        source.values["task", "name"] = source.values["task",]
    return Origin(preset_files.with_presets(source)).load(overrides)


def sweep_axes(scenario: Scenario) -> tuple[sweep.Axis, ...]:
    """The axes of the scenario's sweep, ranges spread into values that `with_overrides` takes."""
    return sweep.axes(scenario.sweep, scenario.origin.overridden())


def sweep_groups(scenario: Scenario) -> tuple[sweep.Group, ...]:
    """As `sweep_axes`, with the fields that vary together side by side."""
    return sweep.groups(scenario.sweep, scenario.origin.overridden())


def without_sweep(scenario: Scenario) -> Scenario:
    """The same question, once: small, quick to override, and quick to send to another process."""
    return replace(scenario, sweep={}, origin=Origin(sweep.stripped(scenario.origin.overridden())))


def _resolve(source: Source, origin: Origin) -> Scenario:
    file = _validated(source)
    devices = hardware.devices(file, source)
    ranks = hardware.ranks(file, devices, source)
    given = strategy_section.given_options(file.strategy)
    _check_exclusions(given, source)
    _check_shares(given.get("shares"), len(ranks), source)
    task = task_models.task(file.task, file.model, source)
    model = task_models.model(file.model, task, source)
    _check_blocks(given, model, source)
    least_tokens = strategies.find(file.strategy.name).least_tokens(len(ranks))
    options = _options(file.strategy.name, given, source)
    unused = strategy_section.unused(file.strategy.name, given)
    idle = strategy_section.without_effect(file.strategy.name, options)
    return Scenario(
        name=file.name if file.name is not None else Path(source.file).stem,
        path=Path(source.file),
        model=model,
        workload=models.workload(file.workload, model, least_tokens, source, task_models.usual_tokens(task)),
        placement=Placement(file.placement.input, file.placement.output),
        devices=devices,
        terminal=hardware.device_index(file.terminal, ("terminal",), devices, source),
        ranks=ranks,
        ranks_given=file.ranks is not None,
        network=network.network(file.network, devices, source),
        strategy=StrategySpec(file.strategy.name, options),
        seed=file.seed,
        sweep=file.sweep,
        strategy_fields=given,
        unused_fields=tuple(f"strategy.{option}" for option in given if option in unused or option in idle),
        origin=origin,
        task=task,
    )


def _validated(source: Source) -> ScenarioSection:
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


def _check_exclusions(given: Mapping[str, Any], source: Source) -> None:
    for option in given:
        for _, rival in schema.exclusions().get(("strategy", option), ()):
            if rival in given:
                rule = f"cannot stand beside strategy.{rival}: each determines the other; keep one"
                raise source.error(("strategy", option), rule, at_key=True)


def _check_shares(shares: Shares, n_ranks: int, source: Source) -> None:
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


def _check_blocks(given: Mapping[str, Any], model: ModelSpec, source: Source) -> None:
    """Lists of one item for each block, where the file alone tells how many blocks there are."""
    for option in strategy_section.lists_per_block():
        if isinstance(given.get(option), tuple) and model.config is not None:
            n_items, n_blocks = len(given[option]), models.n_blocks(model.config)
            if n_items != n_blocks:
                rule = f"lists {n_items} number(s), but {model.label} has {n_blocks} blocks; write one for each block"
                raise source.error(("strategy", option), rule)


def _options(name: str, given: Mapping[str, Any], source: Source) -> Any:
    try:
        return strategy_section.build_options(name, given)
    except ValidationError as problem:
        raise first_error(problem, source, ("strategy",)) from None
    except ValueError as problem:
        raise source.error(("strategy",), str(problem)) from None
