"""The page of figures against the answers themselves: no key or column without its line, no line without its key."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prism_sim import load_scenario, run, sweep
from prism_sim.outputs.task_accuracy import Accuracy
from prism_sim.sweeping.rows import flat
from prism_sim.tasks.intervals import Interval

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
LINE = re.compile(r"^\| (?P<keys>[^|]+) \| (?P<columns>[^|]+) \|[^|]*\|[^|]*\|(?P<meaning>[^|]+)\|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
PARTS = ("compute", "staging", "overhead", "transfer", "propagation", "queue")
NAMED = (  # mappings whose keys are the scenario's
    *("collectives", "shares.sizes", "better_shares.sizes", "ranges.verdict.faster"),
    *("provenance.versions", "provenance.plugins", "accuracy.metrics"),
)
NONE = "–"
VALUE = Interval(0.5, 0.4, 0.6)
ACCURACY = Accuracy("digits", "accuracy", 9, VALUE, VALUE, VALUE, {"accuracy": 0.5}, "reference", None, "d", ("note",))
UNEQUAL = """\
model:
  dims: {model_type: gpt2, n_embd: 16, n_layer: 4, n_head: 2, vocab_size: 300, n_positions: 64, n_inner: 32}
workload: {tokens: 40}
devices:
  - {name: slow, compute: 1 GFLOP/s, memory_bandwidth: 1000 GB/s}
  - {name: fast, compute: 9 GFLOP/s, memory_bandwidth: 1000 GB/s}
network: {bandwidth: 10 Gbit/s, latency: 1 us}
strategy: {name: voltage}
"""
FITTED = PAGE.parents[2] / "scenarios" / "vit-base-orin-nano.yaml"
CLOSE = ["network.bandwidth=190 Mbit/s"]  # so that what is faster depends on the sample
TEXT = ["strategy.name=pipeline", "workload.new_tokens=3"]


def documented(group: str) -> set[str]:
    found = [name for line in LINE.finditer(PAGE.read_text("utf-8")) for name in CODE.findall(line[group])]
    assert len(found) == len(set(found)), "a name has two lines"
    return {name.replace("<part>", part) for name in found for part in PARTS}


def leaves(value: Any, path: str = "") -> set[str]:
    """`ranks[].busy_s` and so on; of what may be null, the whole."""
    if path in NAMED and isinstance(value, dict):
        return {f"{path}.*"} if value else set()
    if isinstance(value, dict):
        return set().union(*(leaves(inner, f"{path}.{name}" if path else name) for name, inner in value.items()))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return set().union(*(leaves(inner, f"{path}[]") for inner in value))
    return {path}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Enough of them that nothing is null in all."""
    folder = tmp_path_factory.mktemp("answers")
    (folder / "unequal.yaml").write_text(UNEQUAL)
    unequal = run(load_scenario(folder / "unequal.yaml"))
    judged = {**replace(unequal, accuracy=ACCURACY).to_json(), "task": "digits"}
    judged["provenance"] = {**judged["provenance"], "plugins": {"mine.py": "digest"}}
    text = run(load_scenario(folder / "unequal.yaml", TEXT), numerics=False).to_json()
    return [unequal.to_json(), judged, text, run(load_scenario(FITTED, CLOSE), numerics=False).to_json()]


def test_every_key_of_the_json_has_a_line_and_every_line_a_key(answers: list[dict[str, Any]]) -> None:
    found = set().union(*map(leaves, answers))
    written = {one for one in found if not any(other.startswith(f"{one}.") for other in found)}
    assert documented("keys") == written


def test_every_column_of_a_sweep_has_a_line_and_every_line_a_column(answers: list[dict[str, Any]]) -> None:
    names = {name for answer in answers for name in flat(answer)} | {"reason"}
    general = {re.sub(r"^rank\d+_", "rank<n>_", re.sub(r"^(shares_sizes)_\w+", r"\1_*", name)) for name in names}
    assert documented("columns") == general


def test_a_sweeps_table_has_no_other_columns(load: Any) -> None:
    table = sweep(load(text=f"{UNEQUAL}sweep: {{network.bandwidth: [1 Mbit/s, 9 Mbit/s]}}\n"), jobs=1, numerics=False)
    names = {re.sub(r"^rank\d+_", "rank<n>_", re.sub(r"^(shares_sizes)_\w+", r"\1_*", name)) for name in table}
    assert names - documented("columns") == {"network.bandwidth", "network.bandwidth_bits_per_s"}


def test_every_line_says_what_it_means() -> None:
    lines = list(LINE.finditer(PAGE.read_text("utf-8")))
    assert all(line["meaning"].strip() for line in lines)
    assert all(CODE.search(line["keys"]) or CODE.search(line["columns"]) for line in lines if "`" in line[0])
