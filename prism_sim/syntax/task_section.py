"""The `task` section as a file may write it; what it means: `task_models`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from prism_sim.syntax.errors import FieldPath
from prism_sim.syntax.fields import Absent, Checked, Section, absent, named
from prism_sim.syntax.presets import PresetBook

REFERENCE = "reference"
MAX_EXAMPLES = 100_000_000
MAX_SEED = 2**63 - 1


class TaskName(Checked):
    """The field is the name of a task."""

    def checked(self, value: Any, book: PresetBook) -> str:
        return named(value, names(), "a task", " (prism-sim list tasks)")

    def described(self) -> dict[str, Any]:
        return {"type": "string", "enum": names()}


def names() -> list[str]:
    """All tasks; what they are made of takes a while to import, so a scenario without one does without."""
    from prism_sim import tasks

    return list(tasks.catalogue())


class TaskSection(Section):
    """A task of `list tasks`; its name alone may be written in place of the section."""

    name: Annotated[str, TaskName()] = Field(description="a task of `list tasks`")
    checkpoint: str | Absent = absent(
        "`reference`, the small model that is trained once, or the folder of another; default: reference, "
        "unless `model` names one",
        min_length=1,
    )
    examples: int | Absent = absent("of the test split, the first so many; default: all", ge=1, le=MAX_EXAMPLES)
    seed: int = Field(default=0, ge=0, le=MAX_SEED, description="of the reference's training")
    data: str | Absent = absent("where the examples lie, relative to the scenario; of tasks that need it", min_length=1)


def spelled_out(path: FieldPath, value: Any) -> Any:
    """`task: digits` as the section that it stands for; anything else as it is."""
    return {"name": value} if path == ("task",) and isinstance(value, str) else value
