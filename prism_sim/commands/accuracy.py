"""prism-sim accuracy: a task's metric beside latency, over compression rates, compressors, seeds and checkpoints."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from prism_sim.commands import base

TABLE, PICTURE = "accuracy.csv", "accuracy-compression.png"


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser)
    parser.add_argument(
        "--segments", metavar="L,L,...", type=_numbers(1), default=(), help="values of L (default: powers of two)"
    )
    parser.add_argument(
        "--compressors", metavar="NAME,...", type=_names, default=(), help="default: that of the scenario"
    )
    parser.add_argument(
        "--seeds", metavar="S,S,...", type=_numbers(0), default=(), help="of the task's reference, trained if need be"
    )
    text = "a checkpoint of `finetune`, beside the one of the scenario; one for each of --seeds"
    base.takes_many(parser, "--fine-tuned", "DIR", text, type=base.file_path)
    base.takes_json(parser)
    base.takes_out(parser, f"accuracy.json, {TABLE} and {PICTURE}")


def run(options: argparse.Namespace) -> int:
    base.share_processor()
    from prism_sim.loss.accuracy import AccuracyRequest, curve
    from prism_sim.reports.curve import show_curve

    scenario = base.load(options)
    order = AccuracyRequest(scenario, options.segments, options.compressors, options.seeds, tuple(options.fine_tuned))
    with base.progress(f"answering the task of {scenario.name}") as tell:
        found = curve(order, tell)
        described = found.to_json()

    def files() -> base.Files:
        import pandas as pd

        from prism_sim.figures.compression import draw_accuracy_compression
        from prism_sim.figures.style import saved
        from prism_sim.sweeping.frames import csv_text

        table = pd.DataFrame(found.rows())
        made: base.Files = {TABLE: csv_text(table)}
        if (table["compression_rate"] > 1).any():
            made[PICTURE] = saved(draw_accuracy_compression(table, title=found.scenario.name))
        return made

    return base.deliver(base.Answer("accuracy", described, partial(show_curve, found), files), options)


def _numbers(least: int) -> Callable[[str], tuple[int, ...]]:
    def read(text: str) -> tuple[int, ...]:
        parts = [part.strip() for part in text.split(",")]
        if not all(part.isdecimal() and int(part) >= least for part in parts):
            raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers from {least} on, as in 1,2,4")
        if len(set(parts)) < len(parts):
            raise argparse.ArgumentTypeError(f"{text!r} names one twice")
        return tuple(int(part) for part in parts)

    return read


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",")))


COMMAND = base.Command(
    "accuracy", "a task's metric beside latency, over compression rates", prepare, run, base.ACCURACY, 1
)
