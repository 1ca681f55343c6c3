"""A scenario once validated: frozen, in SI units, with presets, counts and names resolved."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from prism_sim import strategies
from prism_sim.scenario.errors import FieldPath, Place, ScenarioError
from prism_sim.scenario.strategy_section import build_options
from prism_sim.strategies.base import Placement

if TYPE_CHECKING:
    from prism_sim.scenario.load import Origin

HASH_SCHEMA = "prism-sim/scenario/1"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """The model. config: as config.json; None for a hub id, see `simulation.model_config`.

    dtype: of weights and activations; weight_dtype: of the blocks' weight matrices, wire_dtype: of rows that cross the
    network; None: as dtype. label: for humans. hub_id, folder: where weights and processors are; neither, though
    pretrained: the task's reference. head: None for the family's usual one.
    """

    label: str
    config: dict[str, Any] | None = field(hash=False)
    hub_id: str | None
    folder: Path | None
    weights: Literal["random", "pretrained"]
    dtype: Literal["float32", "float16", "bfloat16"]
    head: str | None
    weight_dtype: Literal["int8"] | None = None
    wire_dtype: Literal["float32", "float16", "bfloat16"] | None = None


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A task by name. checkpoint: a folder; None: the scenario's model, or without one the reference, trained by seed.

    examples: how many of the test split; None: all. data: where its examples lie, for tasks that need to be told.
    """

    name: str
    checkpoint: Path | None = None
    examples: int | None = None
    seed: int = 0
    data: Path | None = None


@dataclass(frozen=True, slots=True)
class WorkloadSpec:
    """One request. tokens: N; None where the model's dimensions or the input decide it later."""

    batch: int
    tokens: int | None
    input: Path | None


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """One device. memory_bytes, idle_w, busy_w, radio_w: None if unknown. preset: None if there is none.

    staging_bytes_per_s: infinite where there are no copies between accelerator and host.
    handling_bytes_per_s: infinite where the host does nothing with bytes that came in. Others: see `timing.Device`.
    float16_flops_per_s: for float16 and bfloat16; None: as flops_per_s.
    """

    name: str
    preset: str | None
    flops_per_s: float
    memory_bytes_per_s: float
    memory_bytes: int | None = None
    op_overhead_s: float = 0.0
    memory_overlap: float = 1.0
    staging_bytes_per_s: float = math.inf
    staging_latency_s: float = 0.0
    staging_ramp_s: float = 0.0
    dispatch_s: float = 0.0
    restart_s: float = 0.0
    handling_bytes_per_s: float = math.inf
    idle_w: float | None = None
    busy_w: float | None = None
    radio_w: float | None = None
    float16_flops_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """Full duplex between nodes a and b: a device's index, or a router's name. up: from a to b; down: from b to a."""

    a: int | str
    b: int | str
    up_bits_per_s: float
    down_bits_per_s: float
    latency_s: float = 0.0


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """The network. latency_s: one way. message_overhead_s: of the sender's processor.

    up_bits_per_s, down_bits_per_s: of each port of a switch, or, both alike, of a shared channel; None with links.
    efficiency: what payload reaches of these rates.
    What a medium does not use has its default. access_point: a device's index. broadcast_bits_per_s: None: as others.
    """

    preset: str | None
    medium: Literal["switch", "shared", "links"]
    up_bits_per_s: float | None
    down_bits_per_s: float | None
    latency_s: float
    message_overhead_s: float
    sharing: str
    collective: str
    efficiency: float = 1.0
    slow_start: bool = False
    direct: bool = False
    access_point: int | None = None
    broadcast_bits_per_s: float | None = None
    switching: str = "cut-through"
    links: tuple[LinkSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """The chosen strategy; options: an instance of its own Options."""

    name: str
    options: Any


@dataclass(frozen=True)
class Scenario:
    """A what-if question. terminal, ranks: indices into devices.

    ranks_given: whether the file states the ranks. strategy_fields: options as written, of whichever strategy.
    unused_fields: dotted, those that the chosen strategy has no use for. sweep: axes as written, for `axes`.
    """

    name: str
    path: Path
    model: ModelSpec
    workload: WorkloadSpec
    placement: Placement
    devices: tuple[DeviceSpec, ...]
    terminal: int
    ranks: tuple[int, ...]
    ranks_given: bool
    network: NetworkSpec
    strategy: StrategySpec
    seed: int
    sweep: Mapping[str, Any] = field(hash=False)
    strategy_fields: Mapping[str, Any] = field(hash=False)
    unused_fields: tuple[str, ...]
    origin: Origin = field(repr=False, compare=False)
    task: TaskSpec | None = None

    def with_overrides(self, overrides: Iterable[str] | Mapping[str, Any]) -> Scenario:
        """The same file with further overrides, which win over earlier ones. Raises ScenarioError."""
        return self.origin.load(overrides)

    def error(self, rule: str, field: FieldPath = ()) -> ScenarioError:
        """Of the file as a whole, where no line of it is at fault."""
        return Place(str(self.path)).error(str(self.path), field, rule)

    def strategy_options(self, name: str) -> Any:
        """Options of any strategy from this scenario's section; raises ValueError if there is no such strategy."""
        strategies.find(name)
        return build_options(name, self.strategy_fields)

    @property
    def active_ranks(self) -> tuple[int, ...]:
        """The devices that compute under the chosen strategy: one for `single`, the terminal unless ranks name one."""
        if not strategies.find(self.strategy.name).one_rank:
            return self.ranks
        return self.ranks if self.ranks_given and len(self.ranks) == 1 else (self.terminal,)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of all that determines a run: not the name, comments, unused fields, sweep, or where files lie."""
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def _content(self) -> dict[str, Any]:
        model = asdict(self.model)
        model["folder"] = None if self.model.folder is None else self.model.folder.name
        workload = asdict(self.workload)
        if self.workload.input is not None:
            workload["input"] = hashlib.sha256(self.workload.input.read_bytes()).hexdigest()
        devices = [{key: value for key, value in asdict(device).items() if key != "preset"} for device in self.devices]
        options = strategies.effective_options(self.strategy.name, self.strategy.options)
        return {
            "schema": HASH_SCHEMA,
            "model": {key: value for key, value in model.items() if key != "label"},
            "workload": workload,
            "placement": asdict(self.placement),
            "devices": devices,
            "terminal": self.terminal,
            "ranks": self.ranks,
            "network": {key: value for key, value in asdict(self.network).items() if key != "preset"},
            "strategy": {"name": self.strategy.name, "options": options},
            "seed": self.seed,
            **({} if self.task is None else {"task": self._task()}),
        }

    def _task(self) -> dict[str, Any]:
        assert self.task is not None
        named = {"checkpoint": self.task.checkpoint, "data": self.task.data}
        return asdict(self.task) | {key: None if path is None else path.name for key, path in named.items()}
