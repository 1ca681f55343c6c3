"""prism-sim train: the small reference model of a task, trained once."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from prism_sim.commands.base import STANDARD_OUTPUT, Command, Purpose, as_json, file_path, takes_json, write_files
from prism_sim.commands.processor import share_processor

if TYPE_CHECKING:
    from prism_sim.training.references import TrainingRequest

INTERRUPTED = 130  # exit status
LARGEST_SEED = 2**63 - 1


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", help="the name of a task (prism-sim list tasks)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of first weights and order (default 0)")
    parser.add_argument("--steps", metavar="N", type=int, help="as many steps in place of the task's own number")
    parser.add_argument("--out", metavar="DIR", type=file_path, help="writes the model there, not in the cache")
    parser.add_argument("--again", action="store_true", help="train also if it was done before, or is half done")
    takes_json(parser)


def run(options: argparse.Namespace) -> int:
    share_processor()
    from rich.console import Console

    from prism_sim.reports.progress import progress_bars
    from prism_sim.reports.training import show_training
    from prism_sim.syntax.errors import ScenarioError
    from prism_sim.training.references import obtain

    try:
        order = _order(options)
        with progress_bars() as progress:
            obtained = obtain(order, progress)
    except ValueError as error:  # an unknown task, data that is missing, a damaged state or checkpoint
        raise ScenarioError(str(error)) from error
    except KeyboardInterrupt:
        print("prism-sim: interrupted; the same command goes on from what was saved", file=sys.stderr)
        return INTERRUPTED
    if options.json != STANDARD_OUTPUT:
        show_training(order, obtained, Console())
    if options.json is not None:
        write_files({options.json: as_json({"folder": str(obtained.folder), **obtained.record})})
    return 0


def _order(options: argparse.Namespace) -> TrainingRequest:
    """Raises ValueError for an unknown task, and for numbers that are out of range."""
    from prism_sim import tasks
    from prism_sim.training.references import TrainingRequest

    if not 0 <= options.seed <= LARGEST_SEED:
        raise ValueError(f"--seed is {options.seed}, but must be between 0 and {LARGEST_SEED}")
    if options.steps is not None and options.steps < 1:
        raise ValueError(f"--steps is {options.steps}, but must be at least 1")
    return TrainingRequest(tasks.find(options.task), options.seed, options.steps, options.out, options.again)


COMMAND = Command("train", "trains the small reference model of a task, in minutes", prepare, run, Purpose.ACCURACY, 2)
