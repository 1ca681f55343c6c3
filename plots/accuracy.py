"""What splitting costs in accuracy: trains the small models and writes docs/accuracy.md's tables and pictures.

python plots/accuracy.py --page docs/accuracy.md --images plots/gallery

Ends with 1 if a law of the page is broken. What is computed is kept on disk, so that a second run is quick, and one
that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from time import monotonic

from prism_sim.commands.base import progress, share_processor

share_processor()  # before anything loads torch

import accuracy_tables as tables  # noqa: E402
from accuracy_cases import EVERYTHING, QUICK  # noqa: E402
from accuracy_pictures import pictures  # noqa: E402
from accuracy_study import Measured, measure  # noqa: E402
from accuracy_workers import INTERRUPTED, INTERRUPTION  # noqa: E402

from prism_sim.figures.style import saved  # noqa: E402
from prism_sim.kept.files import write_whole  # noqa: E402
from prism_sim.reports import page as pages  # noqa: E402
from prism_sim.training.checkpoint import TrainingError  # noqa: E402

KIND, RUN = "accuracy", "run"
BROKEN, WRONG = 1, 2  # exit statuses


def main() -> int:
    options = _options()
    cases = QUICK if options.quick else EVERYTHING
    try:
        page = options.page.read_text(encoding="utf-8")
        pages.check_places(page, KIND, [*tables.names(cases), tables.LAWS, RUN])
        begun_s = monotonic()
        with progress("measuring accuracy") as tell:
            found = measure(cases, tell)
        written = tables.contents(found)
        judgements = [] if options.quick else tables.laws(found)
        if not options.quick:
            written[tables.LAWS] = tables.judged(judgements)
        written[RUN] = told = _run(found, monotonic() - begun_s, options.quick)
        write_whole(options.page, pages.filled(page, KIND, written))
        for name, figure in pictures(found):
            write_whole(options.images / f"{name}.png", saved(figure))
            print(f"wrote {options.images / name}.png")
    except KeyboardInterrupt:
        print(INTERRUPTION, file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError, TrainingError) as error:  # a page without a place, data or weights that are wrong
        print(error, file=sys.stderr)
        return WRONG
    print(f"wrote {options.page}\n{tables.judged(judgements)}{told}", end="")
    return 0 if all(one.holds for one in judgements) else BROKEN


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, required=True, help="Markdown with places such as <!-- accuracy: laws -->")
    parser.add_argument("--images", type=Path, required=True, help="a folder")
    parser.add_argument("--quick", action="store_true", help="a little of digits, to see that it works; judges nothing")
    return parser.parse_args()


def _run(found: Sequence[Measured], elapsed_s: float, quick: bool) -> str:
    """Where, with what and how long."""
    models = [one for measured in found for one in (*measured.references, *measured.fine_tuned)]
    n_new = sum(one.new for one in models)
    kept = "all of them now" if n_new == len(models) else f"{n_new} of them now, the others were kept from earlier runs"
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "numpy"))
    lines = [
        f"This took {timedelta(seconds=round(elapsed_s))} h on {os.cpu_count()} cores; {len(models)} models were "
        f"trained, {kept}. Python {platform.python_version()}, {libraries}.",
        *(["", "A quick run: a little of one task, trained briefly; its numbers mean nothing."] if quick else []),
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
