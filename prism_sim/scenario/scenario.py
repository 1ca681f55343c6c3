"""A validated `Scenario`, from a file and overrides: it remembers what was written, and can be read again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from prism_sim import strategies
from prism_sim.scenario import checks, hardware, models, network, preset_files, task_models
from prism_sim.scenario.spec import DeviceSpec, ModelSpec, NetworkSpec, StrategySpec, TaskSpec, WorkloadSpec, Written
from prism_sim.strategies.base import Placement
from prism_sim.syntax import strategy_section, sweep
from prism_sim.syntax.errors import FieldPath, Place, ScenarioError
from prism_sim.syntax.overrides import Override, apply, parse
from prism_sim.syntax.task_section import spelled_out
from prism_sim.syntax.yaml_source import Source, read_source

HASH_SCHEMA = "prism-sim/scenario/1"


@dataclass(frozen=True)
class Scenario:
    """A what-if question. terminal, ranks: indices into devices. written: what the file says of it."""

    name: str
    path: Path
    model: ModelSpec
    workload: WorkloadSpec
    placement: Placement
    devices: tuple[DeviceSpec, ...]
    terminal: int
    ranks: tuple[int, ...]
    network: NetworkSpec
    strategy: StrategySpec
    seed: int
    written: Written
    task: TaskSpec | None = None

    def with_overrides(self, overrides: Iterable[str] | Mapping[str, Any]) -> Scenario:
        """The same file with further overrides, which win over earlier ones. Raises ScenarioError."""
        written = self.written
        batch = parse(overrides, written.source.file)
        changed = _resolve(_changed(written.source, batch), (*written.overrides, *batch))
        if any(override.path[0] == "sweep" for override in batch):  # else it was checked before
            sweep.axes(changed.written.sweep, changed.written.source)
        return changed

    def error(self, field: FieldPath, rule: str, about: str = "") -> ScenarioError:
        """Placed where the field is written; about: as `errors.Place.error`."""
        return self.written.source.error(field, rule, about=about)

    def error_of_file(self, field: FieldPath, rule: str) -> ScenarioError:
        """Of the file as a whole, where no line of it is at fault."""
        return Place(str(self.path)).error(str(self.path), field, rule)

    def strategy_options(self, name: str) -> Any:
        """Options of any strategy from this scenario's section; raises ValueError if there is no such strategy."""
        strategies.find(name)
        return strategy_section.build_options(name, self.written.strategy_fields)

    @property
    def active_ranks(self) -> tuple[int, ...]:
        """The devices that compute under the chosen strategy: one for `single`, the terminal unless ranks name one."""
        if not strategies.find(self.strategy.name).one_rank:
            return self.ranks
        return self.ranks if self.written.ranks_given and len(self.ranks) == 1 else (self.terminal,)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of all that determines a run: not the name, comments, unused fields, sweep, or where files lie."""
        return hash_of(self.content_texts)

    @cached_property
    def content_texts(self) -> dict[str, str]:
        """What `hash_of` digests: JSON, by the section that it depends on."""
        return {
            section: json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
            for section, content in self._content().items()
        }

    def _content(self) -> dict[str, Any]:
        model = asdict(self.model)
        model["folder"] = None if self.model.folder is None else self.model.folder.name
        workload = asdict(self.workload)
        if self.workload.input is not None:
            workload["input"] = hashlib.sha256(self.workload.input.read_bytes()).hexdigest()
        devices = [_device_content(device) for device in self.devices]
        options = strategies.effective_options(self.strategy.name, self.strategy.options)
        return {
            "schema": HASH_SCHEMA,
            "model": {key: value for key, value in model.items() if key != "label"},
            "workload": workload,
            "placement": asdict(self.placement),
            "devices": devices,
            "terminal": self.terminal,
            "ranks": self.ranks,
            "network": _network_content(self.network),
            "strategy": {"name": self.strategy.name, "options": options},
            "seed": self.seed,
            **({} if self.task is None else {"task": self._task()}),
        }

    def _task(self) -> dict[str, Any]:
        assert self.task is not None
        named = {"checkpoint": self.task.checkpoint, "data": self.task.data}
        return asdict(self.task) | {key: None if path is None else path.name for key, path in named.items()}


def _device_content(device: DeviceSpec) -> dict[str, Any]:
    """The overhead of a message is the network's."""
    new = ("runtime", "int8_flops_per_s", "q8_0_flops_per_s", "q4_0_flops_per_s", "fitted")
    content = {key: value for key, value in asdict(device).items() if key not in ("preset", "message_overhead_s")}
    if device.attention_efficiency == 1:
        del content["attention_efficiency"]
    return {key: value for key, value in content.items() if key not in new or value}


def _network_content(network: NetworkSpec) -> dict[str, Any]:
    """What was added since only where there is some, as of a device: the answers of all others are what they were."""
    content = {key: value for key, value in asdict(network).items() if key != "preset"}
    content["links"] = [
        {key: value for key, value in link.items() if key != "fitted" or value} for link in content["links"]
    ]
    return {key: value for key, value in content.items() if key != "fitted" or value}


def hash_of(content_texts: Mapping[str, str]) -> str:
    """Of a scenario with these `content_texts`, which may come from several."""
    text = ",".join(f'"{section}":{content_texts[section]}' for section in sorted(content_texts))
    return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()


def load_scenario(path: str | Path, overrides: Iterable[str] | Mapping[str, Any] = ()) -> Scenario:
    """Reads a scenario file; overrides are texts `dotted.path=value` or a mapping of dotted path to value.

    Raises ScenarioError, one message with place, field, value, rule and remedy, for whatever is wrong with either.
    """
    source = read_source(path)
    if isinstance(source.tree.get("task"), str):
        source.tree["task"] = spelled_out(("task",), source.tree["task"])
        source.values["task", "name"] = source.values["task",]
    batch = parse(overrides, source.file)
    scenario = _resolve(_changed(source, batch), batch)
    sweep.axes(scenario.written.sweep, scenario.written.source)
    return scenario


def _changed(source: Source, batch: Iterable[Override]) -> Source:
    """The source with the overrides, and with the presets of the files that it names then."""
    return preset_files.with_presets(apply(source, batch))


def sweep_axes(scenario: Scenario) -> tuple[sweep.Axis, ...]:
    """The axes of the scenario's sweep, ranges spread into values that `with_overrides` takes."""
    return sweep.axes(scenario.written.sweep, scenario.written.source)


def sweep_groups(scenario: Scenario) -> tuple[sweep.Group, ...]:
    """As `sweep_axes`, with the fields that vary together side by side."""
    return sweep.groups(scenario.written.sweep, scenario.written.source)


def without_sweep(scenario: Scenario) -> Scenario:
    """The same question, once: small, quick to override, and quick to send to another process."""
    written = replace(scenario.written, source=sweep.stripped(scenario.written.source), overrides=(), sweep={})
    return replace(scenario, written=written)


def _resolve(source: Source, overrides: tuple[Override, ...]) -> Scenario:
    file = checks.validated(source)
    devices = hardware.devices(file, source)
    ranks = hardware.ranks(file, devices, source)
    given = strategy_section.given_options(file.strategy)
    checks.check_exclusions(given, source)
    checks.check_shares(given.get("shares"), len(ranks), source)
    task = task_models.task(file.task, file.model, source)
    model = task_models.model(file.model, task, source)
    checks.check_blocks(given, model, source)
    hardware.check_rates(file, model.weight_dtype, source)
    least_tokens = strategies.find(file.strategy.name).least_tokens(len(ranks))
    options = checks.options(file.strategy.name, given, source)
    terminal = hardware.device_index(file.terminal, ("terminal",), devices, source)
    sender = hardware.slowest_sender(devices, {terminal, *ranks})
    unused = strategy_section.unused(file.strategy.name, given)
    idle = strategies.find(file.strategy.name).idle(options)
    return Scenario(
        name=file.name if file.name is not None else Path(source.file).stem,
        path=Path(source.file),
        model=model,
        workload=models.workload(file.workload, model, least_tokens, source, task_models.usual_tokens(task)),
        placement=Placement(file.placement.input, file.placement.output),
        devices=devices,
        terminal=terminal,
        ranks=ranks,
        network=network.network(file.network, devices, sender, source),
        strategy=StrategySpec(file.strategy.name, options),
        seed=file.seed,
        written=Written(
            source,
            overrides,
            ranks_given=file.ranks is not None,
            strategy_fields=given,
            sweep=file.sweep,
            unused_fields=tuple(f"strategy.{option}" for option in given if option in unused or option in idle),
        ),
        task=task,
    )
