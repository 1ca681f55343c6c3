"""The `task` section as a file may write it; what it means: `task_models`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from pydantic_core import core_schema

from prism_sim.catalogue import nearest
from prism_sim.syntax.errors import FieldPath, shown
from prism_sim.syntax.fields import Absent, Section, rule

REFERENCE = "reference"
MAX_EXAMPLES = 100_000_000
MAX_SEED = 2**63 - 1


class TaskName:
    """The field is the name of a task."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(value: Any) -> str:
            known = names()
            if not isinstance(value, str) or value not in known:
                hint = nearest(value, known) if isinstance(value, str) else ""
                raise rule(f"{shown(value)} is not a task{hint} (prism-sim list tasks)")
            return value

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "enum": names()}


def names() -> list[str]:
    """All tasks; what they are made of takes a while to import, so a scenario without one does without."""
    from prism_sim import tasks

    return list(tasks.catalogue())


class TaskSection(Section):
    """A task of `list tasks`; its name alone may be written in place of the section."""

    name: Annotated[str, TaskName()]
    checkpoint: str | Absent = Field(
        default=None,
        min_length=1,
        description="`reference`, the small model that is trained once, or the folder of another; default: reference, "
        "unless `model` names one",
    )
    examples: int | Absent = Field(
        default=None, ge=1, le=MAX_EXAMPLES, description="of the test split, the first so many; default: all"
    )
    seed: int = Field(default=0, ge=0, le=MAX_SEED, description="of the reference's training")
    data: str | Absent = Field(
        default=None,
        min_length=1,
        description="where the examples lie, relative to the scenario; of tasks that need it",
    )


def spelled_out(path: FieldPath, value: Any) -> Any:
    """`task: digits` as the section that it stands for; anything else as it is."""
    return {"name": value} if path == ("task",) and isinstance(value, str) else value
