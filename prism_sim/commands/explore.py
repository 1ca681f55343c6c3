"""prism-sim explore: a page in the browser whose controls are the scenario's fields."""

from __future__ import annotations

import argparse
import os

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser)
    parser.add_argument("--port", metavar="N", type=_port, default=0, help="of 127.0.0.1 (default: one that is free)")
    parser.add_argument("--no-browser", action="store_true", help="print the page's address, do not open it")


def run(options: argparse.Namespace) -> int:
    scenario = base.load(options)
    base.needs("marimo", "altair")
    from prism_sim.exploring.controls import Controls
    from prism_sim.exploring.page_state import PageState
    from prism_sim.exploring.server import listening, serve
    from prism_sim.simulation.placed import placed

    with placed(scenario):
        controls = Controls.of(scenario)

    def page() -> PageState:
        return PageState(scenario, controls, options.overrides)

    def told(address: str) -> None:
        print(f"{scenario.name}: {address} (Ctrl-C ends it)", flush=True)

    try:
        at = listening(options.port)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        return base.fail(f"--port {options.port}: {reason}; name another, or none for one that is free")
    try:
        serve(at, page, browse=not options.no_browser, told=told)
    except KeyboardInterrupt:
        return base.fail("the page is closed", base.INTERRUPTED)
    return 0


def _port(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no port: a whole number from 0 (any that is free) to 65535 is due"
        )
    return number


COMMAND = base.Command(
    "explore", "a page in the browser: move a scenario's fields, see its answers", prepare, run, base.EXPLORE, 1
)
