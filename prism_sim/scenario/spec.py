"""Parts of a scenario once validated: frozen, in SI units, with presets, counts and names resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from prism_sim.devices import Device
from prism_sim.syntax.overrides import Override
from prism_sim.syntax.yaml_source import Source


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """The model. config: as config.json; None for a hub id, see `simulation.model_config`.

    dtype: of weights and activations; weight_dtype: of the blocks' weight matrices (and, in groups, of token tables),
    wire_dtype: of rows that cross the network; None: as dtype. label: for humans. hub_id, folder: where weights and
    processors are, or a GGUF file with both; neither, though pretrained: the task's reference. head: None for the
    family's usual one.
    """

    label: str
    config: dict[str, Any] | None = field(hash=False)
    hub_id: str | None
    folder: Path | None
    weights: Literal["random", "pretrained"]
    dtype: Literal["float32", "float16", "bfloat16"]
    head: str | None
    weight_dtype: Literal["int8", "q8_0", "q4_0"] | None = None
    wire_dtype: Literal["float32", "float16", "bfloat16", "q8_0"] | None = None


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
    """One request. tokens: N; None where the model's dimensions or the input decide it later.

    new_tokens: to generate after them; 0: one pass.
    """

    batch: int
    tokens: int | None
    input: Path | None
    new_tokens: int = 0


@dataclass(frozen=True, slots=True)
class FittedNumber:
    """The 90 % interval of a preset's number, in SI. attributes: of the spec that has it, all with this one number.

    name: the preset's, the runtime's if there is one, and the field's; what has the same name is the same number.
    """

    name: str
    attributes: tuple[str, ...]
    low: float
    high: float


RATES_BY_WEIGHTS = {name: f"{name}_flops_per_s" for name in ("int8", "q8_0", "q4_0")}
RATES_BY_TYPE = ("float16_flops_per_s", *RATES_BY_WEIGHTS.values())


@dataclass(frozen=True)
class DeviceSpec(Device):
    """One device as a scenario has it. preset: None if there is none.

    runtime: whose numbers it has; None where its preset does not tell them apart. message_overhead_s: host time of a
    message; what counts is the network's, which is the largest of these unless the scenario states it.
    float16_flops_per_s: for float16 and bfloat16; None: as flops_per_s. int8_flops_per_s, q8_0_flops_per_s,
    q4_0_flops_per_s: for weights in these types, which runtimes multiply as integers; None: as without.
    fitted: which of all these are a fit's.
    """

    preset: str | None = None
    runtime: str | None = None
    message_overhead_s: float | None = None
    float16_flops_per_s: float | None = None
    int8_flops_per_s: float | None = None
    q8_0_flops_per_s: float | None = None
    q4_0_flops_per_s: float | None = None
    fitted: tuple[FittedNumber, ...] = ()

    def playing(self, dtype: str, weight_dtype: str | None = None) -> DeviceSpec:
        """As it plays with activations and weights in these types: with one rate, and equal to all that play alike."""
        by_weights = {"int8": self.int8_flops_per_s, "q8_0": self.q8_0_flops_per_s, "q4_0": self.q4_0_flops_per_s}
        half = self.float16_flops_per_s if dtype in ("float16", "bfloat16") else None
        reached = by_weights.get(weight_dtype or "") or half or self.flops_per_s
        unstated: dict[str, Any] = dict.fromkeys(("preset", "runtime", "message_overhead_s", *RATES_BY_TYPE))
        return replace(self, flops_per_s=reached, fitted=(), **unstated)


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """Full duplex between nodes a and b: a device's index, or a router's name. up: from a to b; down: from b to a.

    fitted: as of a device.
    """

    a: int | str
    b: int | str
    up_bits_per_s: float
    down_bits_per_s: float
    latency_s: float = 0.0
    fitted: tuple[FittedNumber, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """The network. latency_s: one way. message_overhead_s: of the sender's processor.

    up_bits_per_s, down_bits_per_s: of each port of a switch, or, both alike, of a shared channel; None with links.
    efficiency: what payload reaches of these rates.
    What a medium does not use has its default. access_point: a device's index. broadcast_bits_per_s: None: as others.
    fitted: as of a device.
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
    fitted: tuple[FittedNumber, ...] = ()


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """The chosen strategy; options: an instance of its own Options."""

    name: str
    options: Any


@dataclass(frozen=True, slots=True)
class Written:
    """What a file and its overrides say themselves, whatever it comes to.

    source: the file with the overrides written in. ranks_given: whether it states the ranks. strategy_fields: options
    as written, of whichever strategy. sweep: axes as written, for `sweep_axes`. unused_fields: dotted, those that the
    chosen strategy has no use for.
    """

    source: Source = field(repr=False, compare=False)
    overrides: tuple[Override, ...] = field(repr=False, compare=False)
    ranks_given: bool
    strategy_fields: Mapping[str, Any] = field(hash=False)
    sweep: Mapping[str, Any] = field(hash=False)
    unused_fields: tuple[str, ...]
