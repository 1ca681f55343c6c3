"""Sections of a scenario file as pydantic models: fields, units, limits and what they mean.

Quantities are SI numbers once validated.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import WithJsonSchema

from prism_sim.syntax import strategy_section, units
from prism_sim.syntax.fields import Absent as _Absent
from prism_sim.syntax.fields import DeviceRef, HeadName, LinkEnds, PresetName
from prism_sim.syntax.fields import Section as Section
from prism_sim.syntax.task_section import TaskSection

MAX_DEVICES = 4096
MAX_BATCH = 1_000_000
MAX_TOKENS = 10_000_000
MAX_SEED = 2**63 - 1

# As `prism_sim.timing` names them, which is not imported here: loading a scenario needs no simulator. A test compares.
Medium = Literal["switch", "shared", "links"]
Sharing = Literal["fifo", "fair"]
Switching = Literal["cut-through", "store-and-forward"]
Collective = Literal["direct", "ring", "star", "tree", "broadcast", "quickest"]


class ModelSection(Section):
    """The model; exactly one of preset, hf and dims, or none of them for the task's own."""

    preset: Annotated[str, PresetName("models")] | _Absent = Field(default=None, description="a model of `list models`")
    hf: str | _Absent = Field(
        None, description="a Hugging Face hub id, or a local folder with config.json", min_length=1
    )
    dims: dict[str, Any] | _Absent = Field(
        default=None, description="dimensions as in config.json, model_type included"
    )
    weights: Literal["random", "pretrained"] | _Absent = Field(
        None, description="default: pretrained if hf is a folder that holds weights, else random"
    )
    dtype: Literal["float32", "float16", "bfloat16"] | _Absent = Field(
        default=None, description="of weights and activations; default: that of the model's config.json, else float32"
    )
    weight_dtype: Literal["int8"] | _Absent = Field(
        default=None, description="of the blocks' weight matrices; default: dtype"
    )
    wire_dtype: Literal["float32", "float16", "bfloat16"] | _Absent = Field(
        default=None, description="of rows that cross the network; default: dtype"
    )
    head: Annotated[str, HeadName()] | _Absent = Field(
        None,
        description="default: the preset's, else by architectures in config.json, else the family's usual one",
    )


class WorkloadSection(Section):
    """One request."""

    batch: int = Field(default=1, ge=1, le=MAX_BATCH)
    tokens: int | _Absent = Field(default=None, ge=1, le=MAX_TOKENS, description="of a text model; default 128")
    input: str | _Absent = Field(
        default=None, min_length=1, description="picture or text file, relative to the scenario"
    )


class PlacementSection(Section):
    """Where the input lies and where the output is wanted."""

    input: Literal["terminal", "replicated"] = "terminal"
    output: Literal["terminal", "in_place"] = "terminal"


class DeviceSection(Section):
    """`count` equal devices: a preset, and fields that override it."""

    preset: Annotated[str, PresetName("devices")] | _Absent = Field(
        default=None, description="a device of `list devices`"
    )
    name: str | _Absent = Field(default=None, min_length=1)
    count: int = Field(default=1, ge=1, le=MAX_DEVICES)
    compute: Annotated[float, units.COMPUTE] | _Absent = Field(default=None, description="FLOP/s reached, not peak")
    compute_float16: Annotated[float, units.COMPUTE] | _Absent = Field(
        default=None, description="FLOP/s reached in float16 and bfloat16; default: as compute"
    )
    memory_bandwidth: Annotated[float, units.MEMORY_RATE] | _Absent = None
    memory_overlap: float | _Absent = Field(
        default=None,
        ge=0,
        le=1,
        description="part of the shorter of a kernel's arithmetic and memory traffic that hides behind the longer; "
        "default 1: a roofline",
    )
    memory: Annotated[float, units.MEMORY] | _Absent = None
    op_overhead: Annotated[float, units.TIME] | _Absent = Field(
        default=None, description="time that a kernel launch costs"
    )
    staging_bandwidth: Annotated[float, units.STAGING_RATE] | _Absent = Field(
        None, description="of copies between accelerator and host around a message; none: no such copies"
    )
    staging_latency: Annotated[float, units.TIME] | _Absent = None
    staging_ramp: Annotated[float, units.TIME] | _Absent = Field(
        None, description="how long a copy's rate climbs to staging_bandwidth; default 0 s"
    )
    dispatch: Annotated[float, units.TIME] | _Absent = Field(
        None, description="host time to hand a kernel to the accelerator, ahead of it until a copy; default 0 s"
    )
    dispatch_restart: Annotated[float, units.TIME] | _Absent = Field(
        None, description="host time more, over the launches after a copy; default 0 s"
    )
    handling_bandwidth: Annotated[float, units.STAGING_RATE] | _Absent = Field(
        None, description="at which the host then sees to the bytes that came in; default none: at no cost"
    )
    idle_power: Annotated[float, units.POWER] | _Absent = None
    busy_power: Annotated[float, units.BUSY_POWER] | _Absent = None
    radio_power: Annotated[float, units.POWER] | _Absent = None


class LinkSection(Section):
    """A full-duplex link between two nodes: a preset's numbers, and fields that override them."""

    between: Annotated[list[int | str], LinkEnds()] = Field(
        description="two devices (index or name) or routers (any other name, on two links at least)"
    )
    preset: Annotated[str, PresetName("networks")] | _Absent = Field(
        default=None, description="bandwidth and latency of a wired or cellular network of `list networks`"
    )
    bandwidth: Annotated[float, units.BIT_RATE] | _Absent = Field(default=None, description="in each direction")
    up: Annotated[float, units.BIT_RATE] | _Absent = Field(default=None, description="from the first to the second")
    down: Annotated[float, units.BIT_RATE] | _Absent = Field(default=None, description="from the second to the first")
    latency: Annotated[float, units.TIME] | _Absent = Field(default=None, description="one way; default 0 s")


class NetworkSection(Section):  # which medium uses which field: `network.USED_BY`
    """The network between the devices: a preset, and fields that override it."""

    preset: Annotated[str, PresetName("networks")] | _Absent = Field(
        default=None, description="a network of `list networks`"
    )
    medium: Medium | _Absent = Field(
        None,
        description="switch: a port of its own for every device; shared: one radio channel, half duplex; "
        "links: a graph; default: the preset's, else switch",
    )
    bandwidth: Annotated[float, units.BIT_RATE] | _Absent = Field(
        None, description="switch: of each port, both ways; shared: of the channel, as one transmission sees it"
    )
    up: Annotated[float, units.BIT_RATE] | _Absent = Field(default=None, description="switch: from a device")
    down: Annotated[float, units.BIT_RATE] | _Absent = Field(default=None, description="switch: to a device")
    efficiency: float | _Absent = Field(
        None, ge=0.01, le=10, description="switch, shared: payload rate reached, of the bandwidth stated; default 1"
    )
    latency: Annotated[float, units.TIME] | _Absent = Field(
        None, description="switch, shared: one way, from device to device; default 0 s"
    )
    message_overhead: Annotated[float, units.TIME] | _Absent = Field(default=None, description="host time of a message")
    sharing: Sharing | _Absent = Field(
        None,
        description="switch: fifo, one message at a time on a port; fair (default), all at once, as connections do",
    )
    collective: Collective | _Absent = Field(
        None,
        description="how exchanges become messages; quickest (default): each by the way that is quickest for it alone, "
        "by broadcast only where broadcast_rate is stated; broadcast: not over links, nor with sharing fair",
    )
    slow_start: bool | _Absent = Field(
        None, description="idle connections begin with a small TCP window; default false"
    )
    direct: bool | _Absent = Field(
        None,
        description="shared: stations hear each other; false: an access point relays, so a message uses the air "
        "twice; default false",
    )
    access_point: Annotated[int | str, DeviceRef()] | _Absent = Field(
        None, description="shared: the device that is the access point; default: none of them"
    )
    broadcast_rate: Annotated[float, units.BIT_RATE] | _Absent = Field(
        None,
        description="shared: what a transmission to all gets with collective broadcast (on Wi-Fi a slow basic rate); "
        "default: bandwidth",
    )
    switching: Switching | _Absent = Field(
        None, description="links: whether a node sends on a message's head at once, or all of it; default cut-through"
    )
    links: list[LinkSection] | _Absent = Field(default=None, min_length=1, description="links: all of them")


class RangeSection(Section):
    """A swept range; from and to are values of the swept field."""

    start: Any = Field(alias="from")
    stop: Any = Field(alias="to")
    points: int = Field(ge=2, le=100_000)
    scale: Literal["linear", "log"] = "linear"


_AXIS = {"anyOf": [{"type": "array", "minItems": 1}, RangeSection.model_json_schema()]}


class ScenarioSection(Section):
    """A scenario of prism_sim; `strategy` is refined by `schema.scenario_model`."""

    name: str | _Absent = Field(default=None, description="default: the file's name")
    model: ModelSection | _Absent = Field(default=None, description="may be left out of a task that has its own")
    task: TaskSection | _Absent = Field(
        default=None, description="real examples with labels: gives accuracy beside latency"
    )
    workload: WorkloadSection = Field(default_factory=WorkloadSection)
    placement: PlacementSection = Field(default_factory=PlacementSection)
    devices: list[DeviceSection] = Field(min_length=1)
    terminal: Annotated[int | str, DeviceRef()] = Field(default=0, description="index or name of the device that asks")
    ranks: list[Annotated[int | str, DeviceRef()]] | _Absent = Field(
        None, min_length=1, description="devices that hold a part; default: all"
    )
    network: NetworkSection
    strategy: strategy_section.StrategySection
    presets: list[Annotated[str, Field(min_length=1)]] | _Absent = Field(
        None, min_length=1, description="files with devices, networks or models of one's own, relative to the scenario"
    )
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    sweep: dict[str, Annotated[Any, WithJsonSchema(_AXIS)]] = Field(
        default={},
        description="dotted field -> values; several, with commas -> rows of values; points -> list of points",
    )
