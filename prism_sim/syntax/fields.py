"""What sections are made of: their base, and annotations of fields that name a preset, a head, a device, link ends."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from prism_sim import families
from prism_sim.catalogue import nearest
from prism_sim.syntax import presets
from prism_sim.syntax.errors import shown

PRESETS = "presets"  # in place of enum: the kind of presets that it will list
Absent = SkipJsonSchema[None]  # not written; null itself is refused in a file


def absent(description: str | None = None, **limits: Any) -> Any:
    """A field that need not be written."""
    return Field(default=None, description=description, **limits)


class Section(BaseModel):
    """A mapping of the file: nothing unknown, nothing converted, no nan."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Checked:
    """An annotation: the field is what `checked` takes. A JSON Schema is told what `described` says of it."""

    def checked(self, value: Any, book: presets.PresetBook) -> Any:
        """The value itself; raises ValueError, saying why, for what the field does not take."""
        raise NotImplementedError

    def described(self) -> dict[str, Any]:
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(value: Any, info: core_schema.ValidationInfo) -> Any:
            try:
                return self.checked(value, info.context or presets.READY)
            except ValueError as error:
                raise PydanticCustomError("rule", "{rule}", {"rule": str(error)}) from None

        return core_schema.with_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return self.described()


def named(value: Any, known: Collection[str], what: str, where: str = "") -> str:
    """The value, if it is a known name. Raises ValueError, with the nearest."""
    if isinstance(value, str) and value in known:
        return value
    hint = nearest(value, known) if isinstance(value, str) else ""
    raise ValueError(f"{shown(value)} is not {what}{hint}{where}")


@dataclass(frozen=True)
class PresetName(Checked):
    """The field is the name of a preset of this kind: models, devices or networks.

    Which there are, a validation is told by its context, a `PresetBook`; a JSON Schema by `schema.json_schema`.
    """

    kind: str

    def checked(self, value: Any, book: presets.PresetBook) -> str:
        return named(value, book.names(self.kind), "a preset", f" (prism-sim list {self.kind})")

    def described(self) -> dict[str, Any]:
        return {"type": "string", PRESETS: self.kind}


@dataclass(frozen=True)
class OneOf(Checked):
    """The field is a text that `check` takes; it raises ValueError, saying why, for any other. choices: for editors."""

    choices: Callable[[], tuple[str, ...]]
    check: Callable[[str], object]

    def checked(self, value: Any, book: presets.PresetBook) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)} is not text; write for example {self.choices()[0]}")
        self.check(value)
        return value

    def described(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.choices())}


class HeadName(Checked):
    """The field is a head of some model family."""

    def checked(self, value: Any, book: presets.PresetBook) -> str:
        return named(value, heads(), f"one of {', '.join(heads())}")

    def described(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(heads())}


def heads() -> tuple[str, ...]:
    """Names of the heads of all model families."""
    return tuple(sorted({head.name for family in families.catalogue().values() for head in family.heads}))


class DeviceRef(Checked):
    """The field refers to a device: its index from 0, or its name."""

    def checked(self, value: Any, book: presets.PresetBook) -> int | str:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ValueError(f"{shown(value)} is neither the index nor the name of a device; write for example 0")
        return value

    def described(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]}


class LinkEnds(Checked):
    """The field is a list of two nodes, each a device's index or a name."""

    def checked(self, value: Any, book: presets.PresetBook) -> list[int | str]:
        nodes: list[int | str] = value if isinstance(value, list) else []
        wrong = [node for node in nodes if not isinstance(node, (int, str)) or isinstance(node, bool) or node == ""]
        if len(nodes) != 2 or wrong:
            raise ValueError(f"{shown(value)} is not a pair of devices or routers; write for example [0, router]")
        return nodes

    def described(self) -> dict[str, Any]:
        node = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "minLength": 1}]}
        return {"type": "array", "items": node, "minItems": 2, "maxItems": 2}
