"""A record of predictions: what is recorded of a scenario, and what differs between two records."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from drift import ROOT, commands, lines, record
from predictions import FAILED, drift, leaves

TINY = """\
name: tiny
model:
  dims: {model_type: bert, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32,
    vocab_size: 300, max_position_embeddings: 64, type_vocab_size: 2}
workload: {tokens: 12}
devices:
  - {name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 2}
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 2}
"""


def of(**answer: object) -> dict[str, dict[str, dict[str, object]]]:
    return {"a.yaml": {"run": answer}}


def test_a_record_equals_itself_whatever_its_provenance():
    old = of(latency_s=2.0, ranks=[{"device": "pi", "busy_s": 1}], provenance={"seed": 0}, scenario_hash="1")
    new = of(latency_s=2.0, ranks=[{"device": "pi", "busy_s": 1}], provenance={"seed": 1}, scenario_hash="2")
    assert not drift(old, new)
    assert list(lines(drift(old, new), None)) == ["no prediction differs"]


def test_the_largest_relative_difference_comes_first():
    found = drift(of(latency_s=2.0, sent_bytes=100, energy_j=0), of(latency_s=1.0, sent_bytes=125, energy_j=3))
    moved = [(each.field, each.relative) for each in found.moved]
    assert moved == [("energy_j", math.inf), ("latency_s", -0.5), ("sent_bytes", 0.25)]
    assert found.turned == found.gone == found.come == ()


def test_rounding_is_no_difference():
    assert not drift(of(latency_s=0.1 + 0.2), of(latency_s=0.3))
    assert drift(of(latency_s=0.1 + 0.2), of(latency_s=0.3), rounding=0)


def test_a_verdict_that_turns_is_told_with_both_words():
    old, new = of(best_lossy=None, winner="single"), of(best_lossy="prism", winner="single")
    assert [(each.field, each.old, each.new) for each in drift(old, new).turned] == [("best_lossy", None, "prism")]


def test_a_truth_is_a_word_and_no_number():
    assert [each.field for each in drift(of(fits=True), of(fits=False)).turned] == ["fits"]


def test_one_more_entry_of_a_list_leaves_the_others_where_they_are():
    galaxy, prism = ({"strategy": name, "devices": ["a", "b"], "latency_s": 1.0} for name in ("galaxy", "prism"))
    found = drift(of(candidates=[prism]), of(candidates=[galaxy, prism]))
    assert found.moved == found.turned == found.gone == ()
    assert "a.yaml run candidates[galaxy a+b].latency_s" in found.come


def test_entries_of_one_name_are_told_apart():
    twice = [{"label": "block 0", "start_s": 0}, {"label": "block 0", "start_s": 1}]
    assert dict(leaves(twice))["[block 0 #2].start_s"] == 1


def test_a_command_that_fails_is_told_once_and_not_field_by_field():
    found = drift(of(latency_s=2.0), of(**{FAILED: "no such field"}))
    assert [(each.old, each.new) for each in found.broken] == [("answers", "no such field")]
    assert found.gone == found.come == ()
    assert not drift(of(**{FAILED: "same"}), of(**{FAILED: "same"}))


def test_scenarios_of_one_record_alone_are_named():
    found = drift({"old.yaml": {}, "both.yaml": {}}, {"both.yaml": {}, "new.yaml": {}})
    assert (found.gone, found.come) == (("old.yaml",), ("new.yaml",))


def test_the_report_gives_one_line_to_alike_fields_and_counts_what_it_leaves_out():
    old = of(ranks=[{"device": name, "busy_s": 1.0} for name in "ab"], latency_s=1.0)
    new = of(ranks=[{"device": "a", "busy_s": 1.5}, {"device": "b", "busy_s": 3.0}], latency_s=1.1)
    heading, first, rest = lines(drift(old, new), 1)
    assert heading == "predictions that moved (3 numbers; the largest of each list):"
    assert first == "   +200.000%  a.yaml run ranks[b].busy_s: 1 -> 3   and 1 more like it"
    assert rest == "  ... 1 more lines (--all)"


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ({"network": {"preset": "wifi-5"}, "strategy": {"name": "prism"}}, ["network.bandwidth", "single"]),
        ({"network": {"links": []}, "strategy": {"name": "single"}}, ["workload.batch", "voltage"]),
    ],
)
def test_what_breakeven_varies_is_a_field_of_the_network_that_there_is(scenario: dict[str, object], words: list[str]):
    *_, (command, _, field, _, against) = commands(scenario)
    assert [command, field, against] == ["breakeven", *words]


@pytest.mark.slow
def test_a_scenario_is_recorded_with_its_failures(tmp_path: Path):
    tiny, wrong = tmp_path / "tiny.yaml", tmp_path / "wrong.yaml"
    tiny.write_text(TINY)
    wrong.write_text(TINY.replace("segments: 2", "segments: -2"))
    found = record(ROOT, [tiny, wrong])
    assert found.keys() == {"tiny.yaml", "wrong.yaml"}
    assert found["tiny.yaml"]["run"]["latency_s"] == found["tiny.yaml"]["explain"]["latency_s"] > 0
    assert found["tiny.yaml"]["breakeven"]["field"] == "network.bandwidth"
    assert "segments" in found["wrong.yaml"]["run"][FAILED]
