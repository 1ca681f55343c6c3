"""Where ready scenarios and lessons lie: within an installed package, beside the package in a checkout."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

SCENARIOS, LESSONS = "scenarios", "lessons"
KINDS = (SCENARIOS, LESSONS)  # folders at the top of a checkout; setup.py puts them into the wheel
WITHIN = "ready/files"  # of the package, in an installation


def folder(kind: str) -> Path:
    """Of a kind's files. FileNotFoundError where neither an installation nor a checkout has it."""
    package = Path(str(resources.files("prism_sim")))
    places = (package / WITHIN / kind, package.parent / kind)
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise FileNotFoundError(2, "neither there nor beside the package: install prism-sim anew", str(places[0]))
    return found
