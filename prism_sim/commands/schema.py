"""prism-sim schema: JSON Schema of a scenario, for editors."""

from __future__ import annotations

import argparse

from prism_sim.commands.base import Command, Purpose, as_json


def run(options: argparse.Namespace) -> int:
    from prism_sim.scenario import json_schema

    print(as_json(json_schema()), end="")
    return 0


COMMAND = Command("schema", "JSON Schema of a scenario file, for editors", lambda parser: None, run, Purpose.ASK, 7)
