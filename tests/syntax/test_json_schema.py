"""The JSON Schema takes what the loader takes: ready scenarios, network presets, every way to write a unit."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from prism_sim.scenario import json_schema
from prism_sim.syntax import presets, sections, units

READY = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
SCHEMA = json_schema()
NUMBER = (int, float)
TYPES = {"string": str, "object": dict, "array": list, "boolean": bool, "integer": int, "number": NUMBER}
# keyword -> the kinds of values that it is about, and whether a value is right by it
RULES = {
    "type": (
        object,
        lambda value, rule: isinstance(value, TYPES[rule]) and isinstance(value, bool) == (rule == "boolean"),
    ),
    "enum": (object, lambda value, rule: value in rule),
    "minimum": (NUMBER, lambda value, rule: value >= rule),
    "maximum": (NUMBER, lambda value, rule: value <= rule),
    "exclusiveMinimum": (NUMBER, lambda value, rule: value > rule),
    "minLength": (str, lambda value, rule: len(value) >= rule),
    "pattern": (str, lambda value, rule: re.search(rule, value) is not None),
    "minItems": (list, lambda value, rule: len(value) >= rule),
    "maxItems": (list, lambda value, rule: len(value) <= rule),
    "required": (dict, lambda value, rule: set(rule) <= set(value)),
    "anyOf": (object, lambda value, rule: any(is_valid(value, branch) for branch in rule)),
    "$ref": (object, lambda value, rule: is_valid(value, SCHEMA["$defs"][rule.removeprefix("#/$defs/")])),
    "items": (list, lambda value, rule: all(is_valid(item, rule) for item in value)),
    "properties": (dict, lambda value, rule: all(is_valid(value[name], rule[name]) for name in rule if name in value)),
}
REMARKS = {"title", "description", "default", "examples", "$defs", "$schema"}  # keywords that decide nothing
SCENARIO = yaml.safe_load(
    """
model: {preset: bert-tiny}
workload: {batch: 2, tokens: 16}
devices: [{name: pi, preset: raspberry-pi-5, count: 3, op_overhead: 20 us}]
ranks: [0, pi-1]
network:
  medium: links
  links: [{between: [0, r], preset: lte}, {between: [r, pi-1], up: 1 Mbit/s, down: 2 Mbit/s, latency: 1 ms}]
strategy: {name: prism, segments: 4}
"""
)


def is_valid(value: Any, rules: dict[str, Any]) -> bool:
    """Whether a value is right by the keywords of JSON Schema that ours uses; any other keyword is a KeyError."""
    others = rules.get("additionalProperties", True)
    if isinstance(value, dict) and others is not True:
        strange = [value[name] for name in value if name not in rules.get("properties", {})]
        if any(others is False or not is_valid(item, others) for item in strange):
            return False
    decisive = rules.keys() - REMARKS - {"additionalProperties"}
    checks = [(RULES[keyword], rules[keyword]) for keyword in decisive]
    return all(is_right(value, rule) for (kinds, is_right), rule in checks if isinstance(value, kinds))


@pytest.mark.parametrize("file", READY, ids=lambda file: file.name)
def test_every_ready_scenario_is_valid_by_the_json_schema(file):
    assert is_valid(yaml.safe_load(file.read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.parametrize("file", READY, ids=lambda file: file.name)
def test_a_full_validator_says_so_too(file):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is no dependency; the check above does without")
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    assert [error.message for error in validator.iter_errors(yaml.safe_load(file.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize("preset", presets.networks(), ids=lambda preset: preset.name)
def test_every_network_preset_is_valid_as_a_section(preset):
    assert is_valid(SCENARIO | {"network": preset.fields}, SCHEMA)


# (path of a field, a value that it cannot take)
WRONG = [
    (("sed",), 0),
    (("model",), "bert"),
    (("workload", "batch"), 0),
    (("workload", "tokens"), 0),
    (("workload", "tokens"), True),
    (("devices",), []),
    (("devices", 0, "op_overhead"), 20),
    (("devices", 0, "op_overhead"), "20 MB"),
    (("ranks",), []),
    (("ranks", 0), 1.5),
    (("network", "medium"), "radio"),
    (("network", "sharing"), "fare"),
    (("network", "collective"), "rng"),
    (("network", "switching"), "cut"),
    (("network", "slow_start"), 1),
    (("network", "direct"), "yes"),
    (("network", "access_point"), -1),
    (("network", "broadcast_rate"), "6 Mbps"),
    (("network", "links"), []),
    (("network", "links", 0, "between"), [0]),
    (("network", "links", 0, "between"), [0, 1, 2]),
    (("network", "links", 0, "between", 0), ""),
    (("network", "links", 0, "preset"), "ltee"),
    (("network", "links", 1, "latency"), "1 Mbit/s"),
    (("network", "links", 1, "bandwith"), "1 Mbit/s"),
    (("strategy", "name"), "prsm"),
    (("strategy", "segments"), 0),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_a_wrong_field_is_wrong_by_the_json_schema_too(path, value):
    assert is_valid(SCENARIO, SCHEMA)
    wrong = copy.deepcopy(SCENARIO)
    node = wrong
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    assert not is_valid(wrong, SCHEMA)


@pytest.mark.parametrize("missing", ["model", "devices", "network", "strategy"])
def test_a_missing_section_is_wrong_by_the_json_schema_too(missing):
    assert not is_valid({name: value for name, value in SCENARIO.items() if name != missing}, SCHEMA)


ALL_UNITS = [value for value in vars(units).values() if isinstance(value, units.Unit)]


@pytest.mark.parametrize("unit", ALL_UNITS, ids=lambda unit: unit.example)
def test_every_way_to_write_a_unit_is_valid_by_the_json_schema(unit):
    rules = unit.__get_pydantic_json_schema__(None, None)
    written = [f"{number} {name}" for name in unit.factors for number in ("1", "0.5", "+3e-2", ".5")]
    for text in [*written, *(text.replace("u", "\u00b5").replace(" ", "") for text in written)]:
        unit.parse(text)
        assert is_valid(text, rules)
    assert is_valid("none", rules) == unit.none


def test_the_json_schema_describes_the_fields_of_the_network_and_offers_no_null():
    text = json.dumps(SCHEMA)
    assert "null" not in text
    for name, section in (("NetworkSection", sections.NetworkSection), ("LinkSection", sections.LinkSection)):
        properties = SCHEMA["$defs"][name]["properties"]
        assert set(properties) == set(section.model_fields)
        assert all("description" in rules for rules in properties.values())
