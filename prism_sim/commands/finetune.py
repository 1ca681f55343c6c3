"""prism-sim finetune: training that goes on through a scenario's distributed computation."""

from __future__ import annotations

import argparse
import math
import re
from functools import partial

from prism_sim.commands import base

LARGEST_SEED = 2**63 - 1


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser)
    parser.add_argument(
        "--random-segments",
        metavar="LOW..HIGH",
        type=_range,
        help="draw L anew for every step, log-uniformly, so that one checkpoint serves many compression rates",
    )
    parser.add_argument("--steps", metavar="N", type=_positive, help="default: half of the reference's, or 1000")
    parser.add_argument("--learning-rate", metavar="X", type=_rate, help="default: half of the reference's, or 2e-5")
    parser.add_argument("--seed", metavar="S", type=_seed, default=0, help="of order, augmentation and L (default 0)")
    base.takes_folder(parser)


def run(options: argparse.Namespace) -> int:
    base.share_processor()
    from prism_sim.loss.finetune import FinetuneRequest, finetune
    from prism_sim.reports.progress import progress_bars
    from prism_sim.reports.training import show_finetuning

    order = FinetuneRequest(
        scenario=base.load(options),
        segments=options.random_segments,
        steps=options.steps,
        learning_rate=options.learning_rate,
        seed=options.seed,
        folder=options.folder,
        again=options.again,
    )
    try:
        with progress_bars(transient=True) as progress:
            obtained = finetune(order, progress)
    except KeyboardInterrupt:
        return base.interrupted()
    described = {"folder": str(obtained.folder), **obtained.record}
    return base.deliver(base.Answer("finetune", described, partial(show_finetuning, order, obtained)), options)


def _range(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,9})\.\.(\d{1,9})", text)
    least, most = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= least <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no range of whole numbers from 1 on; write for example 1..33")
    return least, most


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to {LARGEST_SEED}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return rate


COMMAND = base.Command(
    "finetune", "trains a task's model on, through the distributed computation", prepare, run, base.ACCURACY, 3
)
