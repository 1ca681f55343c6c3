"""prism-sim schema: JSON Schema of a scenario, for editors."""

from __future__ import annotations

import argparse

from prism_sim.commands.base import Command, Purpose, as_json, read_presets, takes_presets


def run(options: argparse.Namespace) -> int:
    from prism_sim.scenario import json_schema

    print(as_json(json_schema(read_presets(options))), end="")
    return 0


COMMAND = Command("schema", "JSON Schema of a scenario file, for editors", takes_presets, run, Purpose.ASK, 7)
