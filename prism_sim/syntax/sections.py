"""Sections of a scenario file as pydantic models: fields, units, limits and what they mean.

Quantities are SI numbers once validated.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import WithJsonSchema

from prism_sim.syntax import strategy_section, units
from prism_sim.syntax.fields import Absent, DeviceRef, HeadName, LinkEnds, PresetName, Section, absent
from prism_sim.syntax.presets import RUNTIMES
from prism_sim.syntax.task_section import TaskSection

MAX_DEVICES = 4096
MAX_BATCH = 1_000_000
MAX_TOKENS = 10_000_000
MAX_SEED = 2**63 - 1

# floats in SI
BitRate = Annotated[float, units.BIT_RATE]
ComputeRate = Annotated[float, units.COMPUTE]
CopyRate = Annotated[float, units.STAGING_RATE]
Seconds = Annotated[float, units.TIME]
Watts = Annotated[float, units.POWER]

# As `prism_sim.timing` names them, which is not imported here: loading a scenario needs no simulator. A test compares.
Medium = Literal["switch", "shared", "links"]
Sharing = Literal["fifo", "fair"]
Switching = Literal["cut-through", "store-and-forward"]
Collective = Literal["direct", "ring", "star", "tree", "broadcast", "quickest"]


class ModelSection(Section):
    """The model; exactly one of preset, hf and dims, or none of them for the task's own."""

    preset: Annotated[str, PresetName("models")] | Absent = absent("a model of `list models`")
    hf: str | Absent = absent("a Hugging Face hub id, a local folder with config.json, or a .gguf file", min_length=1)
    dims: dict[str, Any] | Absent = absent("dimensions as in config.json, model_type included")
    weights: Literal["random", "pretrained"] | Absent = absent(
        "pretrained: those of hf; random: seeded ones of the right sizes; default: pretrained if hf is a folder that "
        "holds weights, else random"
    )
    dtype: Literal["float32", "float16", "bfloat16"] | Absent = absent(
        "of weights and activations; default: that of the model's config.json, else float32"
    )
    weight_dtype: Literal["int8", "q8_0", "q4_0"] | Absent = absent(
        "of the blocks' weight matrices; q8_0, q4_0: in groups of 32 as in GGUF files, token tables too; default: dtype"
    )
    wire_dtype: Literal["float32", "float16", "bfloat16", "q8_0"] | Absent = absent(
        "of rows that cross the network; q8_0: 34 bytes for 32; default: dtype"
    )
    head: Annotated[str, HeadName()] | Absent = absent(
        "what follows the blocks; default: the preset's, else by architectures in config.json, else the family's usual "
        "one"
    )


class WorkloadSection(Section):
    """One request."""

    batch: int = Field(default=1, ge=1, le=MAX_BATCH, description="samples in one forward pass")
    tokens: int | Absent = absent("of a text model; default 128", ge=1, le=MAX_TOKENS)
    new_tokens: int | Absent = absent(
        "to generate after the prompt, by a causal language model; default: one pass over the input",
        ge=1,
        le=MAX_TOKENS,
    )
    input: str | Absent = absent("picture or text file, relative to the scenario", min_length=1)


class PlacementSection(Section):
    """Where the input lies and where the output is wanted."""

    input: Literal["terminal", "replicated"] = Field(
        default="terminal", description="terminal: it embeds and sends the rows; replicated: on every rank beforehand"
    )
    output: Literal["terminal", "in_place"] = Field(
        default="terminal", description="terminal: it gathers what the head needs; in_place: rows stay with their ranks"
    )


class DeviceSection(Section):
    """`count` equal devices: a preset, and fields that override it."""

    preset: Annotated[str, PresetName("devices")] | Absent = absent("a device of `list devices`")
    runtime: str | Absent = absent(
        "framework that the preset's numbers are to be of, where it has some of several; default: the one that "
        "`list devices` marks",
        min_length=1,
        examples=list(RUNTIMES),
    )
    name: str | Absent = absent(
        "by which terminal, ranks and links refer to it, numbered from -0 where count is over 1; default: the preset's",
        min_length=1,
    )
    count: int = Field(default=1, ge=1, le=MAX_DEVICES, description="how many equal ones")
    compute: ComputeRate | Absent = absent(
        "FLOP/s reached, not peak; default: the preset's, and must be stated without one"
    )
    compute_float16: ComputeRate | Absent = absent("FLOP/s reached in float16 and bfloat16; default: as compute")
    compute_int8: ComputeRate | Absent = absent("FLOP/s reached with weights in int8; default: as without")
    compute_q8_0: ComputeRate | Absent = absent("FLOP/s reached with weights in q8_0; default: as without")
    compute_q4_0: ComputeRate | Absent = absent("FLOP/s reached with weights in q4_0; default: as without")
    memory_bandwidth: Annotated[float, units.MEMORY_RATE] | Absent = absent(
        "at which kernels read and write, reached, not peak; default: the preset's, and must be stated without one"
    )
    memory_overlap: float | Absent = absent(
        "part of the shorter of a kernel's arithmetic and memory traffic that hides behind the longer; "
        "default 1: a roofline",
        ge=0,
        le=1,
    )
    attention_efficiency: float | Absent = absent(
        "part of the compute rate that attention's own products reach, softmax between them; default 1", gt=0, le=1
    )
    memory: Annotated[float, units.MEMORY] | Absent = absent(
        "for weights and activations; default: unknown, and not checked"
    )
    storage_bandwidth: Annotated[float, units.STORAGE_RATE] | Absent = absent(
        "at which weights without room in memory are read anew for each pass; default: what does not fit is refused"
    )
    op_overhead: Seconds | Absent = absent("time that a kernel launch costs; default 0 s")
    staging_bandwidth: CopyRate | Absent = absent(
        "of copies between accelerator and host around a message; default none: no such copies"
    )
    staging_latency: Seconds | Absent = absent("time that such a copy takes whatever its size; default 0 s")
    staging_ramp: Seconds | Absent = absent("how long a copy's rate climbs to staging_bandwidth; default 0 s")
    dispatch: Seconds | Absent = absent(
        "host time to hand a kernel to the accelerator, ahead of it until a copy; default 0 s"
    )
    dispatch_restart: Seconds | Absent = absent("host time more, over the launches after a copy; default 0 s")
    handling_bandwidth: CopyRate | Absent = absent(
        "at which the host then sees to the bytes that came in; default none: at no cost"
    )
    message_overhead: Seconds | Absent = absent(
        "host time of a message that it sends; network.message_overhead, unless stated in the scenario, is the largest "
        "of those that the ranks' and the terminal's devices state"
    )
    idle_power: Watts | Absent = absent("drawn while it waits; default: unknown, and so is the energy")
    busy_power: Annotated[float, units.BUSY_POWER] | Absent = absent(
        "drawn in place of idle_power while it computes, copies or handles a message; default: unknown"
    )
    radio_power: Watts | Absent = absent("drawn on top while it sends or receives; default 0 W")


class LinkSection(Section):
    """A full-duplex link between two nodes: a preset's numbers, and fields that override them."""

    between: Annotated[list[int | str], LinkEnds()] = Field(
        description="two devices (index or name) or routers (any other name, on two links at least)"
    )
    preset: Annotated[str, PresetName("networks")] | Absent = absent(
        "bandwidth and latency of a wired or cellular network of `list networks`"
    )
    bandwidth: BitRate | Absent = absent("in each direction")
    up: BitRate | Absent = absent("from the first to the second")
    down: BitRate | Absent = absent("from the second to the first")
    latency: Seconds | Absent = absent("one way; default 0 s")


class NetworkSection(Section):  # which medium uses which field: `network.USED_BY`
    """The network between the devices: a preset, and fields that override it."""

    preset: Annotated[str, PresetName("networks")] | Absent = absent("a network of `list networks`")
    medium: Medium | Absent = absent(
        "switch: a port of its own for every device; shared: one radio channel, half duplex; "
        "links: a graph; default: the preset's, else switch"
    )
    bandwidth: BitRate | Absent = absent(
        "switch: of each port, both ways; shared: of the channel, as one transmission sees it"
    )
    up: BitRate | Absent = absent("switch: from a device")
    down: BitRate | Absent = absent("switch: to a device")
    efficiency: float | Absent = absent(
        "switch, shared: payload rate reached, of the bandwidth stated; default 1", ge=0.01, le=10
    )
    latency: Seconds | Absent = absent("switch, shared: one way, from device to device; default 0 s")
    message_overhead: Seconds | Absent = absent(
        "host time of a message; default: the largest that a device which takes part states, else the preset's, "
        "else 0 s"
    )
    sharing: Sharing | Absent = absent(
        "switch: fifo, one message at a time on a port; fair (default), all at once, as connections do"
    )
    collective: Collective | Absent = absent(
        "how exchanges become messages; quickest (default): each by the way that is quickest for it alone, "
        "by broadcast only where broadcast_rate is stated; broadcast: not over links, nor with sharing fair"
    )
    slow_start: bool | Absent = absent("idle connections begin with a small TCP window; default false")
    direct: bool | Absent = absent(
        "shared: stations hear each other; false: an access point relays, so a message uses the air "
        "twice; default false"
    )
    access_point: Annotated[int | str, DeviceRef()] | Absent = absent(
        "shared: the device that is the access point; default: none of them"
    )
    broadcast_rate: BitRate | Absent = absent(
        "shared: what a transmission to all gets with collective broadcast (on Wi-Fi a slow basic rate); "
        "default: bandwidth"
    )
    switching: Switching | Absent = absent(
        "links: whether a node sends on a message's head at once, or all of it; default cut-through"
    )
    links: list[LinkSection] | Absent = absent("links: all of them", min_length=1)


class RangeSection(Section):
    """A swept range; from and to are values of the swept field."""

    start: Any = Field(alias="from", description="its first value")
    stop: Any = Field(alias="to", description="its last value")
    points: int = Field(ge=2, le=100_000, description="how many values, both ends among them")
    scale: Literal["linear", "log"] = Field(default="linear", description="equal steps, or equal ratios")


_AXIS = {"anyOf": [{"type": "array", "minItems": 1}, RangeSection.model_json_schema()]}


class ScenarioSection(Section):
    """A scenario of prism_sim; `strategy` is refined by `schema.scenario_model`."""

    name: str | Absent = absent("in tables and pictures; default: the file's name")
    model: ModelSection | Absent = absent("may be left out of a task that has its own")
    task: TaskSection | Absent = absent("real examples with labels: gives accuracy beside latency")
    workload: WorkloadSection = Field(default_factory=WorkloadSection, description="one request")
    placement: PlacementSection = Field(
        default_factory=PlacementSection, description="where the input lies and where the output is wanted"
    )
    devices: list[DeviceSection] = Field(min_length=1, description="the boards, phones and computers")
    terminal: Annotated[int | str, DeviceRef()] = Field(default=0, description="index or name of the device that asks")
    ranks: list[Annotated[int | str, DeviceRef()]] | Absent = absent(
        "devices that hold a part; default: all", min_length=1
    )
    network: NetworkSection = Field(description="what connects the devices")
    strategy: strategy_section.StrategySection = Field(description="how the model is spread over the ranks")
    presets: list[Annotated[str, Field(min_length=1)]] | Absent = absent(
        "files with devices, networks or models of one's own, relative to the scenario", min_length=1
    )
    seed: int = Field(default=0, ge=0, le=MAX_SEED, description="of random weights and synthetic input")
    sweep: dict[str, Annotated[Any, WithJsonSchema(_AXIS)]] = Field(
        default={},
        description="dotted field -> values; several, with commas -> rows of values; points -> list of points",
    )
