"""prism-sim accuracy: a task's metric beside latency, over compression rates, compressors, seeds and checkpoints."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from prism_sim.commands.base import (
    Answer,
    Command,
    Content,
    Purpose,
    deliver,
    file_path,
    load,
    progress,
    takes_json,
    takes_out,
    takes_scenario,
)
from prism_sim.commands.processor import share_processor

if TYPE_CHECKING:
    from prism_sim.loss.accuracy import Curve

TABLE, PICTURE = "accuracy.csv", "accuracy-compression.png"


def prepare(parser: argparse.ArgumentParser) -> None:
    takes_scenario(parser)
    parser.add_argument(
        "--segments", metavar="L,L,...", type=_numbers(1), default=(), help="values of L (default: powers of two)"
    )
    parser.add_argument(
        "--compressors", metavar="NAME,...", type=_names, default=(), help="default: that of the scenario"
    )
    parser.add_argument(
        "--seeds", metavar="S,S,...", type=_numbers(0), default=(), help="of the task's reference, trained if need be"
    )
    parser.add_argument(
        "--fine-tuned",
        metavar="DIR",
        type=file_path,
        action="append",
        default=[],
        help="a checkpoint of `finetune`, beside the one of the scenario; one for each of --seeds",
    )
    takes_json(parser)
    takes_out(parser, f"accuracy.json, {TABLE} and {PICTURE}")


def run(options: argparse.Namespace) -> int:
    share_processor()
    from prism_sim.loss.accuracy import AccuracyRequest, curve
    from prism_sim.reports.curve import show_curve

    scenario = load(options)
    order = AccuracyRequest(scenario, options.segments, options.compressors, options.seeds, tuple(options.fine_tuned))
    with progress(f"answering the task of {scenario.name}") as tell:
        found = curve(order, tell)
        described = found.to_json()
    deliver(Answer("accuracy", described, partial(show_curve, found), lambda: _files(found)), options)
    return 0


def _files(found: Curve) -> Mapping[str, Content]:
    import pandas as pd

    from prism_sim.figures.compression import draw_accuracy_compression
    from prism_sim.figures.style import saved
    from prism_sim.sweeping.frames import csv_text

    table = pd.DataFrame(found.rows())
    files: dict[str, Content] = {TABLE: csv_text(table)}
    if (table["compression_rate"] > 1).any():
        files[PICTURE] = saved(draw_accuracy_compression(table, title=found.scenario.name))
    return files


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


COMMAND = Command(
    "accuracy", "a task's metric beside latency, over compression rates", prepare, run, Purpose.ACCURACY, 1
)
