"""What all sections of a scenario file have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import SkipJsonSchema

Absent = SkipJsonSchema[None]  # not written; null itself is refused in a file


class Section(BaseModel):
    """A mapping of the file: nothing unknown, nothing converted, no nan."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
