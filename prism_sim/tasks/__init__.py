"""Tasks with real data and labels, found by themselves: a file offers its `TASK`, or of a kin of them its `TASKS`.

No torch here: examples are numpy.
"""

from __future__ import annotations

from functools import cache
from itertools import chain

from prism_sim.catalogue import discover, look_up
from prism_sim.tasks.base import DataError, DataSource, Splits, Task

__all__ = ["DataError", "DataSource", "Splits", "Task", "catalogue", "find"]


@cache
def catalogue() -> dict[str, Task]:
    """All tasks by name, in alphabetical order."""
    found = (*discover(__name__, "TASK", Task), *chain.from_iterable(discover(__name__, "TASKS", tuple)))
    return {task.name: task for task in sorted(found, key=lambda task: task.name)}


def find(name: str) -> Task:
    """Raises ValueError with the nearest name if there is none of this name."""
    return look_up("task", name, catalogue())
