"""prism-sim schema: JSON Schema of a scenario, for editors."""

from __future__ import annotations

import argparse

from prism_sim.commands import base


def run(options: argparse.Namespace) -> int:
    from prism_sim.scenario import json_schema

    print(base.as_json(json_schema(base.read_presets(options))), end="")
    return 0


COMMAND = base.Command("schema", "JSON Schema of a scenario file, for editors", base.takes_presets, run, base.ASK, 7)
