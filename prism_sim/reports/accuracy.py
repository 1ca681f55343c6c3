"""A task's metric in words: with its interval, and beside the undistributed model's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from prism_sim.outputs.task_accuracy import Accuracy

if TYPE_CHECKING:
    from prism_sim.tasks.intervals import Interval


def show_accuracy(found: Accuracy, console: Console, named: str = "") -> None:
    """The metric in a sentence, after a name if there are several."""
    console.print(f"{named}{accuracy_text(found)}", markup=False, highlight=False)


def show_notes(found: Accuracy, console: Console) -> None:
    """What must be said of the examples, if anything."""
    for note in found.notes:
        console.print(f"note: {note}", style="dim", markup=False, highlight=False)


def accuracy_text(found: Accuracy) -> str:
    """As in accuracy 96.9 % (95.6 to 97.8), undistributed 98.1 %: -1.2 points (-2.0 to -0.4), 899 examples."""
    name = found.metric.replace("_", " ")
    alone = value_text(found.metric, found.undistributed.estimate)
    return (
        f"{name} {interval_text(found.metric, found.distributed)}, undistributed {alone}: "
        f"{difference_text(found.metric, found.difference)}, {found.n} examples of {found.task} ({found.checkpoint})"
    )


def value_text(metric: str, value: float) -> str:
    """A share in percent, anything else as a plain number."""
    return f"{100 * value:.1f} %" if is_share(metric) else f"{value:.3f}"


def interval_text(metric: str, found: Interval) -> str:
    """96.9 % (95.6 to 97.8)."""
    factor, digits = (100, 1) if is_share(metric) else (1, 3)
    return f"{value_text(metric, found.estimate)} ({factor * found.low:.{digits}f} to {factor * found.high:.{digits}f})"


def difference_text(metric: str, found: Interval) -> str:
    """-1.2 points (-2.0 to -0.4); of what is no share, a digit more than of its value."""
    factor, digits, unit = (100, 1, " points") if is_share(metric) else (1, 4, "")
    value, low, high = (f"{factor * end:+z.{digits}f}" for end in (found.estimate, found.low, found.high))
    return f"{value}{unit} ({low} to {high})"


def is_share(metric: str) -> bool:
    """Whether it is a part of 1 that people read in percent."""
    from prism_sim.tasks import metrics  # which loads numpy: for who has a task

    return metrics.find(metric).proportion or metric == "f1"
