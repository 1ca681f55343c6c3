"""What sections are made of: their base, and annotations of fields that name a preset, a head, a device, link ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from prism_sim import families
from prism_sim.catalogue import nearest
from prism_sim.syntax import presets
from prism_sim.syntax.errors import shown

PRESETS = "presets"  # in place of enum: the kind of presets that it will list
Absent = SkipJsonSchema[None]  # not written; null itself is refused in a file


class Section(BaseModel):
    """A mapping of the file: nothing unknown, nothing converted, no nan."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def rule(message: str) -> PydanticCustomError:
    """A validation error that says just `message`."""
    return PydanticCustomError("rule", "{rule}", {"rule": message})


@dataclass(frozen=True)
class PresetName:
    """The field is the name of a preset of this kind: models, devices or networks.

    Which there are, a validation is told by its context, a `PresetBook`; a JSON Schema by `schema.json_schema`.
    """

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(value: Any, info: core_schema.ValidationInfo) -> str:
            known = (info.context or presets.READY).names(self.kind)
            if not isinstance(value, str) or value not in known:
                hint = nearest(value, known) if isinstance(value, str) else ""
                raise rule(f"{shown(value)} is not a preset{hint} (prism-sim list {self.kind})")
            return value

        return core_schema.with_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", PRESETS: self.kind}


@dataclass(frozen=True)
class OneOf:
    """The field is a text that `check` takes; it raises ValueError, saying why, for any other. choices: for editors."""

    choices: Callable[[], tuple[str, ...]]
    check: Callable[[str], object]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(value: Any) -> str:
            if not isinstance(value, str):
                raise rule(f"{shown(value)} is not text; write for example {self.choices()[0]}")
            try:
                self.check(value)
            except ValueError as error:
                raise rule(str(error)) from None
            return value

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.choices())}


@dataclass(frozen=True)
class HeadName:
    """The field is a head of some model family."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(value: Any) -> str:
            known = heads()
            if not isinstance(value, str) or value not in known:
                hint = nearest(value, known) if isinstance(value, str) else ""
                raise rule(f"{shown(value)} is not one of {', '.join(known)}{hint}")
            return value

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "enum": list(heads())}


def heads() -> tuple[str, ...]:
    """Names of the heads of all model families."""
    return tuple(sorted({head.name for family in families.catalogue().values() for head in family.heads}))


@dataclass(frozen=True)
class DeviceRef:
    """The field refers to a device: its index from 0, or its name."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(value: Any) -> int | str:
            if isinstance(value, bool) or not isinstance(value, (int, str)):
                raise rule(f"{shown(value)} is neither the index nor the name of a device; write for example 0")
            return value

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]}


@dataclass(frozen=True)
class LinkEnds:
    """The field is a list of two nodes, each a device's index or a name."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(value: Any) -> list[int | str]:
            nodes = value if isinstance(value, list) else []
            named = all(isinstance(node, (int, str)) and not isinstance(node, bool) and node != "" for node in nodes)
            if len(nodes) != 2 or not named:
                raise rule(f"{shown(value)} is not a pair of devices or routers; write for example [0, router]")
            return nodes

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        node = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "minLength": 1}]}
        return {"type": "array", "items": node, "minItems": 2, "maxItems": 2}
