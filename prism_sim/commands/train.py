"""prism-sim train: the small reference model of a task, trained once."""

from __future__ import annotations

import argparse
from functools import partial

from prism_sim.commands import base

LARGEST_SEED = 2**63 - 1


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", help="the name of a task (prism-sim list tasks)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of first weights and order (default 0)")
    parser.add_argument("--steps", metavar="N", type=int, help="as many steps in place of the task's own number")
    base.takes_folder(parser)


def run(options: argparse.Namespace) -> int:
    base.share_processor()
    from prism_sim import tasks
    from prism_sim.reports.progress import progress_bars
    from prism_sim.reports.training import show_training
    from prism_sim.syntax.errors import ScenarioError
    from prism_sim.training.references import TrainingRequest, obtain

    try:
        if not 0 <= options.seed <= LARGEST_SEED:
            raise ValueError(f"--seed is {options.seed}, but must be between 0 and {LARGEST_SEED}")
        if options.steps is not None and options.steps < 1:
            raise ValueError(f"--steps is {options.steps}, but must be at least 1")
        task = tasks.find(options.task)
        order = TrainingRequest(task, options.seed, options.steps, options.folder, options.again)
        with progress_bars() as progress:
            obtained = obtain(order, progress)
    except ValueError as error:  # an unknown task, a number or data that will not do, a damaged state or checkpoint
        raise ScenarioError(str(error)) from error
    except KeyboardInterrupt:
        return base.interrupted()
    described = {"folder": str(obtained.folder), **obtained.record}
    return base.deliver(base.Answer("train", described, partial(show_training, order, obtained)), options)


COMMAND = base.Command(
    "train", "trains the small reference model of a task, in minutes", prepare, run, base.ACCURACY, 2
)
