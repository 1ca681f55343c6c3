"""The scenario as it stands on the page, as a file of its own and as a command line."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from prism_sim.scenario import Scenario
from prism_sim.syntax.errors import Place
from prism_sim.syntax.yaml_source import read_value

# fields that name files, which a copy elsewhere would not find beside it
PATHS = (("workload", "input"), ("task", "data"), ("task", "checkpoint"))


def as_scenario(scenario: Scenario) -> str:
    """YAML that `prism-sim run` takes and answers alike, wherever it lies: files are named by their whole paths."""
    tree: dict[str, Any] = copy.deepcopy(scenario.written.source.tree)
    beside = scenario.path.absolute().parent
    tree["name"] = scenario.name
    for section, field in PATHS:
        if isinstance(tree.get(section), dict) and field in tree[section]:
            tree[section][field] = _whole_path(tree[section][field], beside)
    if scenario.model.folder is not None and "hf" in (tree.get("model") or {}):
        tree["model"]["hf"] = _whole_path(tree["model"]["hf"], beside)
    if "presets" in tree:
        tree["presets"] = [_whole_path(name, beside) for name in tree["presets"]]
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def as_command(path: Path, overrides: Sequence[str]) -> str:
    """What a shell takes, and answers alike. overrides: as `--set` takes them."""
    options = [f"--set {shlex.quote(override)}" for override in overrides]
    return " ".join(["prism-sim run", shlex.quote(str(path)), *options, "--no-numerics"])


def _whole_path(text: str, beside: Path) -> str:
    return str((beside / Path(text).expanduser()).resolve())


class _Dumper(yaml.SafeDumper):
    """Short sections and lists in one line, as people write them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Items of a list stand further in than its name."""
        super().increase_indent(flow, indentless=False)


def _in_line(dumper: _Dumper, value: Any) -> yaml.Node:
    is_section = isinstance(value, dict)
    node = dumper.represent_dict(value) if is_section else dumper.represent_list(value)
    parts = value.values() if is_section else value
    node.flow_style = not any(isinstance(part, (dict, list)) for part in parts)
    return node


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    """In quotes where the reader of scenarios would see a number or nothing in it."""
    bare = read_value(text, Place("text"), "text") if text.isascii() and text.isalnum() else text
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if bare == text else "'")


_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _in_line)
_Dumper.add_representer(list, _in_line)
