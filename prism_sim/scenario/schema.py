"""What a scenario file may say: pydantic models, from which validation, overrides and the JSON Schema follow.

Quantities are SI numbers once validated. The `strategy` section is built from the strategies' own options.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import SkipJsonSchema, WithJsonSchema

from prism_sim.scenario import strategy_section, units
from prism_sim.scenario.errors import FieldPath
from prism_sim.scenario.fields import DeviceRef, HeadName, PresetName

ITEM = "[]"  # stands for any index in the path of a field
MAX_DEVICES = 4096
MAX_BATCH = 1_000_000
MAX_TOKENS = 10_000_000
MAX_SEED = 2**63 - 1

Medium = Literal["switch"]
Sharing = Literal["fifo"]
Collective = Literal["direct"]

_Absent = SkipJsonSchema[None]  # not written; null itself is refused in a file


class Section(BaseModel):
    """A mapping of the file: nothing unknown, nothing converted, no nan."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class ModelSection(Section):
    """The model; exactly one of preset, hf and dims."""

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
    dtype: Literal["float32", "float16", "bfloat16"] = "float32"
    head: Annotated[str, HeadName()] | _Absent = Field(
        None, description="default: the preset's, else the model family's"
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
    memory_bandwidth: Annotated[float, units.MEMORY_RATE] | _Absent = None
    memory: Annotated[float, units.MEMORY] | _Absent = None
    op_overhead: Annotated[float, units.TIME] | _Absent = Field(
        default=None, description="time that a kernel launch costs"
    )
    staging_bandwidth: Annotated[float, units.STAGING_RATE] | _Absent = Field(
        None, description="of copies between accelerator and host around a message; none: no such copies"
    )
    staging_latency: Annotated[float, units.TIME] | _Absent = None
    idle_power: Annotated[float, units.POWER] | _Absent = None
    busy_power: Annotated[float, units.BUSY_POWER] | _Absent = None
    radio_power: Annotated[float, units.POWER] | _Absent = None


class NetworkSection(Section):
    """The network between the devices: a preset, and fields that override it."""

    preset: Annotated[str, PresetName("networks")] | _Absent = Field(
        default=None, description="a network of `list networks`"
    )
    medium: Medium | _Absent = None
    bandwidth: Annotated[float, units.BIT_RATE] | _Absent = Field(default=None, description="of each port, both ways")
    up: Annotated[float, units.BIT_RATE] | _Absent = Field(default=None, description="from a device")
    down: Annotated[float, units.BIT_RATE] | _Absent = Field(default=None, description="to a device")
    latency: Annotated[float, units.TIME] | _Absent = Field(default=None, description="one way")
    message_overhead: Annotated[float, units.TIME] | _Absent = Field(default=None, description="host time of a message")
    sharing: Sharing | _Absent = None
    collective: Collective | _Absent = None


class RangeSection(Section):
    """A swept range; from and to are values of the swept field."""

    start: Any = Field(alias="from")
    stop: Any = Field(alias="to")
    points: int = Field(ge=2, le=100_000)
    scale: Literal["linear", "log"] = "linear"


_AXIS = {"anyOf": [{"type": "array", "minItems": 1}, RangeSection.model_json_schema()]}


class ScenarioSection(Section):
    """A scenario of prism_sim; `strategy` is refined by `scenario_model`."""

    name: str | _Absent = Field(default=None, description="default: the file's name")
    model: ModelSection
    workload: WorkloadSection = Field(default_factory=WorkloadSection)
    placement: PlacementSection = Field(default_factory=PlacementSection)
    devices: list[DeviceSection] = Field(min_length=1)
    terminal: Annotated[int | str, DeviceRef()] = Field(default=0, description="index or name of the device that asks")
    ranks: list[Annotated[int | str, DeviceRef()]] | _Absent = Field(
        None, min_length=1, description="devices that hold a part; default: all"
    )
    network: NetworkSection
    strategy: strategy_section.StrategySection
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    sweep: dict[str, Annotated[Any, WithJsonSchema(_AXIS)]] = Field(default={}, description="dotted field -> values")


@cache
def scenario_model() -> type[ScenarioSection]:
    """The whole schema, with the options of every strategy in the catalogue."""
    return create_model("Scenario", __base__=ScenarioSection, strategy=(strategy_section.section_model(), ...))


def json_schema() -> dict[str, Any]:
    """JSON Schema of a scenario file, for editors."""
    return scenario_model().model_json_schema()


@cache
def known_fields() -> dict[FieldPath, FieldInfo | None]:
    """Every field's path, with `[]` for an index: ('devices', '[]', 'compute'). None: a list's item."""
    found: dict[FieldPath, FieldInfo | None] = {}
    _collect(scenario_model(), (), found)
    return found


def field_pattern(path: FieldPath) -> FieldPath:
    """('devices', 0, 'compute') -> ('devices', '[]', 'compute')."""
    return tuple(ITEM if isinstance(step, int) else step for step in path)


def is_known(path: FieldPath) -> bool:
    """Whether the schema has this field; whatever `dims` and `sweep` hold is checked elsewhere."""
    pattern = field_pattern(path)
    return pattern in known_fields() or pattern[:2] == ("model", "dims") or (pattern[0] == "sweep" and len(pattern) > 1)


def unit_of(path: FieldPath) -> units.Unit | None:
    """The unit of a field that holds a quantity."""
    info = known_fields().get(field_pattern(path))
    return None if info is None else next((m for m in _metadata(info) if isinstance(m, units.Unit)), None)


@cache
def exclusions() -> dict[FieldPath, tuple[FieldPath, ...]]:
    """Fields that cannot be given with a field."""
    found: dict[FieldPath, tuple[FieldPath, ...]] = {
        ("network", "bandwidth"): (("network", "up"), ("network", "down")),
        ("network", "up"): (("network", "bandwidth"),),
        ("network", "down"): (("network", "bandwidth"),),
    }
    one_model = [("model", kind) for kind in ("preset", "hf", "dims")]
    for kind in one_model:
        found[kind] = tuple(other for other in one_model if other != kind)
    for option, excluded in strategy_section.exclusions().items():
        found["strategy", option] = tuple(("strategy", other) for other in excluded)
    return found


def _collect(section: type[BaseModel], prefix: FieldPath, found: dict[FieldPath, FieldInfo | None]) -> None:
    for name, info in section.model_fields.items():
        path = (*prefix, name)
        found[path] = info
        for part in _parts(info.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                _collect(part, (*path, ITEM) if (*path, ITEM) in found else path, found)
            elif get_origin(part) in (list, tuple):
                found[(*path, ITEM)] = None


def _parts(annotation: Any) -> list[Any]:
    """The annotation, and all that it is made of."""
    return [annotation, *(deep for part in get_args(annotation) for deep in _parts(part))]


def _metadata(info: FieldInfo) -> list[Any]:
    return [*info.metadata, *_parts(info.annotation)]
