"""A wrong file or override gives one message: the place, the field, the value, the rule and the remedy."""

from __future__ import annotations

import contextlib
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prism_sim.scenario import Scenario, ScenarioError, load_scenario

VALID = """\
name: two boards
model: {preset: bert-base-uncased}
workload: {batch: 8, tokens: 128}
devices:
  - {preset: jetson-orin-nano, count: 2}
  - name: pi
    preset: raspberry-pi-5
terminal: pi
network:
  preset: wifi-6e
  bandwidth: 400 Mbit/s
strategy:
  name: prism
  segments: 10
seed: 0
"""

# (what is written, what it is replaced by, line:column, field, parts of the message)
WRONG_LINES = [
    # keys
    ("seed: 0", "sed: 0", "15:1", "sed", ["did you mean 'seed'"]),
    ("bandwidth:", "bandwith:", "11:3", "network.bandwith", ["network", "did you mean 'bandwidth'"]),
    ("segments:", "segmnts:", "14:3", "strategy.segmnts", ["did you mean 'segments'"]),
    ("count: 2", "cuont: 2", "5:32", "devices[0].cuont", ["devices[0]", "did you mean 'count'"]),
    ("seed: 0", "name: again", "15:1", "name", ["written twice", "line 1"]),
    ("seed: 0", "0: seed", "15:1", "", ["must be text", "0"]),
    ("seed: 0", "[a]: seed", "15:1", "", ["must be text"]),
    ("seed: 0", "? {a: b}\n: seed", "15:3", "", ["must be text"]),
    ("seed: 0", "<<: {seed: 0}", "15:1", "", ["<<", "write the fields out"]),
    ("model: {preset: bert-base-uncased}\n", "", "1:1", "model", ["missing", "preset"]),
    ("  name: prism\n", "", "12:1", "strategy.name", ["missing"]),
    # YAML
    ("seed: 0", "\tseed: 0", "15:1", "", ["tab", "spaces"]),
    ("seed: 0", "seed: [0", "16:1", "", ["not YAML"]),
    ("seed: 0", "seed: a: b", "15:8", "", ["not YAML", "quote"]),
    ("seed: 0", "seed: 0\n---\nseed: 1", "16:1", "", ["second document"]),
    ("seed: 0", "seed: !!python/object/apply:os.system [ls]", "15:7", "", ["tag", "plain value"]),
    ("seed: 0", "seed: !foo 0", "15:7", "", ["!foo"]),
    ("seed: 0", "seed: &a 0", "15:7", "", ["anchors", "write the value out"]),
    ("seed: 0", "seed: *a", "15:7", "", ["aliases"]),
    ("seed: 0", f"seed: {'[' * 5000}", "15:46", "", ["nested"]),
    ("seed: 0", f"seed: {'9' * 5000}", "15:7", "seed", ["5000 digits"]),
    ("seed: 0", "seed: \x00", "15:7", "", ["not allowed in YAML"]),
    # kinds of values
    ("seed: 0", "seed:", "15:6", "seed", ["no value"]),
    ("seed: 0", "seed: -1", "15:7", "seed", ["-1", ">= 0"]),
    ("seed: 0", "seed: true", "15:7", "seed", ["True", "whole number"]),
    ("seed: 0", "seed: yes", "15:7", "seed", ["'yes'", "whole number"]),
    ("seed: 0", "seed: 1:30", "15:7", "seed", ["'1:30'", "whole number"]),
    ("seed: 0", "seed: '0'", "15:7", "seed", ["'0'", "whole number"]),
    ("seed: 0", "seed: 1e3", "15:7", "seed", ["1000.0", "whole number"]),
    ("seed: 0", "seed: 99999999999999999999", "15:7", "seed", ["<="]),
    ("name: two boards", "name: 2", "1:7", "name", ["2", "not text"]),
    ("batch: 8", "batch: 0", "3:19", "workload.batch", ["0", ">= 1"]),
    ("batch: 8", "batch: 1.5", "3:19", "workload.batch", ["1.5", "whole number"]),
    ("segments: 10", "segments: 0", "14:13", "strategy.segments", ["0", ">= 1"]),
    ("segments: 10", "segments: [3, 0]", "14:17", "strategy.segments[1]", ["0", ">= 1"]),
    ("segments: 10", "segments: [3, x]", "14:17", "strategy.segments[1]", ["'x'", "whole number"]),
    ("segments: 10", "segments: []", "14:13", "strategy.segments", ["must not be empty"]),
    ("segments: 10", "segments: ten", "14:13", "strategy.segments", ["'ten'", "whole number"]),
    ("segments: 10", "segments: [9, 8]", "14:13", "strategy.segments", ["lists 2 number(s)", "12 blocks"]),
    ("segments: 10", "compression_rate: 0.5", "14:21", "strategy.compression_rate", ["0.5", ">= 1"]),
    ("segments: 10", "compression_rate: .nan", "14:21", "strategy.compression_rate", ["nan", "finite"]),
    ("model: {preset: bert-base-uncased}", "model: bert", "2:8", "model", ["'bert'", "section"]),
    ("terminal: pi", "terminal: 1.0", "8:11", "terminal", ["1.0", "index nor the name"]),
    # quantities
    ("400 Mbit/s", "400", "11:14", "network.bandwidth", ["400", "bare number", "100 Mbit/s"]),
    ("400 Mbit/s", "'400'", "11:14", "network.bandwidth", ["bare number", "bit rate"]),
    ("400 Mbit/s", "10 MB", "11:14", "network.bandwidth", ["'10 MB'", "bit rate", "'100 Mbit/s'"]),
    ("400 Mbit/s", "5 ms", "11:14", "network.bandwidth", ["'5 ms'", "bit rate", "Mbit/s"]),
    ("400 Mbit/s", "400 Mbps", "11:14", "network.bandwidth", ["did you mean 'Mbit/s'"]),
    ("400 Mbit/s", "400 mb/s", "11:14", "network.bandwidth", ["'Mbit/s' or 'MB/s'"]),
    ("400 Mbit/s", "0 Mbit/s", "11:14", "network.bandwidth", ["> 0"]),
    ("400 Mbit/s", "-4 Mbit/s", "11:14", "network.bandwidth", ["-4", "> 0"]),
    ("400 Mbit/s", "nan Mbit/s", "11:14", "network.bandwidth", ["nan", "finite"]),
    ("400 Mbit/s", "inf Mbit/s", "11:14", "network.bandwidth", ["inf", "finite"]),
    ("400 Mbit/s", "1e400 Mbit/s", "11:14", "network.bandwidth", ["finite"]),
    ("400 Mbit/s", "1,000 Mbit/s", "11:14", "network.bandwidth", ["'1,000 Mbit/s'", "100 Mbit/s"]),
    ("400 Mbit/s", "[400 Mbit/s]", "11:14", "network.bandwidth", ["not a number with a unit"]),
    ("bandwidth: 400 Mbit/s", "latency: -1 ms", "11:12", "network.latency", [">= 0", "5 ms"]),
    ("count: 2", "compute: 1 TFLOPS", "5:41", "devices[0].compute", ["did you mean 'TFLOP/s'"]),
    ("count: 2", "memory: 8 Gb", "5:40", "devices[0].memory", ["'8 Gb'", "did you mean 'GB'"]),
    ("count: 2", "busy_power: 0 W", "5:44", "devices[0].busy_power", ["> 0", "7 W"]),
    ("count: 2", "idle_power: 9 W, busy_power: 3 W", "5:5", "devices[0]", ["busy_w(=3.0)", ">= idle_w(=9.0)"]),
    # names
    (
        "bert-base-uncased",
        "bert-base-uncasd",
        "2:17",
        "model.preset",
        ["did you mean 'bert-base-uncased'", "list models"],
    ),
    (
        "jetson-orin-nano",
        "jetson-orin-nan",
        "5:14",
        "devices[0].preset",
        ["did you mean 'jetson-orin-nano'", "list devices"],
    ),
    ("wifi-6e", "wifi6e", "10:11", "network.preset", ["did you mean 'wifi-6e'", "list networks"]),
    ("name: prism", "name: prsm", "13:9", "strategy.name", ["did you mean 'prism'"]),
    ("terminal: pi", "terminal: pie", "8:11", "terminal", ["'pie'", "did you mean 'pi'"]),
    ("terminal: pi", "terminal: 3", "8:11", "terminal", ["3", "0 to 2"]),
    ("terminal: pi", "terminal: -1", "8:11", "terminal", ["-1", "0 to 2"]),
    ("seed: 0", "ranks: [0, 3]", "15:12", "ranks[1]", ["3", "0 to 2"]),
    ("seed: 0", "ranks: [2, pi]", "15:12", "ranks[1]", ["'pi'", "again", "name it once"]),
    ("seed: 0", "ranks: []", "15:8", "ranks", ["empty"]),
    ("seed: 0", "ranks: 0", "15:8", "ranks", ["list"]),
    (
        "name: pi",
        "name: jetson-orin-nano-0\n    count: 1\n  - name: jetson-orin-nano-0",
        "8:11",
        "devices[2].name",
        ["differ"],
    ),
    ("count: 2", "count: 0", "5:39", "devices[0].count", [">= 1"]),
    ("count: 2", "count: 4097", "5:39", "devices[0].count", ["<= 4096"]),
    ("preset: raspberry-pi-5", "compute: 1 GFLOP/s", "6:5", "devices[1].memory_bandwidth", ["missing", "preset"]),
    # what does not go together
    (
        "segments: 10",
        "segments: 10\n  compression_rate: 9",
        "15:3",
        "strategy.compression_rate",
        ["segments", "keep one"],
    ),
    ("preset: wifi-6e", "up: 3 Mbit/s", "11:3", "network.bandwidth", ["network.up", "keep"]),
    (
        "preset: wifi-6e\n  bandwidth: 400 Mbit/s",
        "latency: 1 ms",
        "9:1",
        "network.bandwidth",
        ["missing", "100 Mbit/s"],
    ),
    ("preset: wifi-6e\n  bandwidth: 400 Mbit/s", "up: 1 Mbit/s", "9:1", "network.down", ["missing"]),
    ("segments: 10", "shares: [0.5, 0.5]", "14:11", "strategy.shares", ["2 shares", "3 rank"]),
    ("segments: 10", "shares: [0.5, 0.2, 0.2]", "14:11", "strategy.shares", ["0.9", "sum to 1"]),
    ("segments: 10", "shares: [0.5, 0.5, 0]", "14:22", "strategy.shares[2]", ["> 0"]),
    ("segments: 10", "shares: [0.5, 0.5, x]", "14:22", "strategy.shares[2]", ["'x'", "number"]),
    ("segments: 10", "compressor: identty", "14:15", "strategy.compressor", ["did you mean 'identity'"]),
    ("segments: 10", "compressor: int8+int4", "14:15", "strategy.compressor", ["int8 packs rows", "'int8'"]),
    (
        "segments: 10",
        "compressor: int8+cluster_means",
        "14:15",
        "strategy.compressor",
        ["makes no sense", "did you mean 'cluster_means+int8'?"],
    ),
    (
        "segments: 10",
        "compressor: segment_means+int9",
        "14:15",
        "strategy.compressor",
        ["'int9'", "'segment_means+int8'"],
    ),
    ("segments: 10", "compressor: 8", "14:15", "strategy.compressor", ["8 is not text"]),
    ("segments: 10", "codebook_size: 1", "14:18", "strategy.codebook_size", [">= 2"]),
    ("tokens: 128", "tokens: 513", "3:30", "workload.tokens", ["513", "512 positions"]),
    ("tokens: 128", "tokens: 2", "3:30", "workload.tokens", ["3 ranks", "2 tokens"]),
    ("bert-base-uncased", "vit-base-patch16-224", "3:30", "workload.tokens", ["128", "197", "remove"]),
    ("tokens: 128", "input: none.txt", "3:29", "workload.input", ["'none.txt'", "relative to the scenario"]),
    ("{preset: bert-base-uncased}", "{head: lm, preset: gpt3}", "2:27", "model.preset", ["did you mean 'gpt2'"]),
    ("{preset: bert-base-uncased}", "{preset: gpt2, hf: gpt2}", "2:8", "model", ["preset and hf", "exactly one"]),
    ("{preset: bert-base-uncased}", "{dtype: float32}", "2:8", "model", ["exactly one"]),
    ("bert-base-uncased}", "bert-base-uncased, head: lm}", "2:42", "model.head", ["'lm'", "masked_lm"]),
    ("{preset: bert-base-uncased}", "{hf: ./none}", "2:13", "model.hf", ["'./none'", "no folder"]),
    ("{preset: bert-base-uncased}", "{hf: 'a/b/c'}", "2:13", "model.hf", ["hub id"]),
    (
        "{preset: bert-base-uncased}",
        "{dims: {model_type: brt}}",
        "2:28",
        "model.dims.model_type",
        ["did you mean 'bert'"],
    ),
    ("{preset: bert-base-uncased}", "{dims: {hidden_size: 4}}", "2:9", "model.dims.model_type", ["missing", "bert"]),
    ("{preset: bert-base-uncased}", "{dims: {model_type: vit}}", "2:15", "model.dims", ["'hidden_size'"]),
    (
        "{preset: bert-base-uncased}",
        "{dims: {model_type: bert, hiden_size: 4}}",
        "2:34",
        "model.dims.hiden_size",
        ["'hidden_size'"],
    ),
    # sweeps
    ("seed: 0", "sweep: {strategy.segmnts: [1]}", "15:9", "strategy.segmnts", ["did you mean 'strategy.segments'"]),
    ("seed: 0", "sweep: {strategy.segments: [1, 0]}", "15:32", "strategy.segments", ["0", ">= 1"]),
    ("seed: 0", "sweep: {strategy.segments: [1, 1]}", "15:32", "sweep.strategy.segments[1]", ["twice"]),
    ("seed: 0", "sweep: {strategy.segments: []}", "15:28", "sweep.strategy.segments", ["empty"]),
    ("seed: 0", "sweep: {strategy.segments: 3}", "15:28", "sweep.strategy.segments", ["list", "[3]"]),
    ("seed: 0", "sweep: {name: [a]}", "15:9", "sweep.name", ["changes no result"]),
    (
        "seed: 0",
        "sweep: {network.latency: {from: 1 ms, to: 1 s, pints: 3}}",
        "15:48",
        "sweep.network.latency.pints",
        ["points"],
    ),
    (
        "seed: 0",
        "sweep: {network.latency: {from: 1, to: 1 s, points: 3}}",
        "15:33",
        "network.latency",
        ["bare", "5 ms"],
    ),
    (
        "seed: 0",
        "sweep: {network.latency: {from: 2 s, to: 1 s, points: 3}}",
        "15:33",
        "sweep.network.latency.from",
        ["less"],
    ),
    (
        "seed: 0",
        "sweep: {network.latency: {from: 0 s, to: 1 s, points: 3, scale: log}}",
        "15:33",
        "sweep.network.latency.from",
        ["log"],
    ),
    (
        "seed: 0",
        "sweep: {network.latency: {from: 0 s, to: 1 s, points: 1}}",
        "15:55",
        "sweep.network.latency.points",
        [">= 2"],
    ),
    ("seed: 0", "sweep: {network.latency: {from: 0 s, points: 2}}", "15:9", "sweep.network.latency.to", ["missing"]),
    ("seed: 0", "sweep: {strategy.name: {from: a, to: b, points: 2}}", "15:31", "strategy.name", ["'a'"]),
    (
        "seed: 0",
        "sweep: {strategy.segments: [1], strategy.compression_rate: [2]}",
        "15:33",
        "sweep.strategy.compression_rate",
        ["together"],
    ),
    ("seed: 0", "sweep: {'devices[7].count': [1]}", "15:30", "devices[7].count", ["out of range", "2 item"]),
    ("seed: 0", "sweep: {'a b': [1]}", "15:9", "", ["'a b'", "path of a field"]),
]

# (--set text, field, parts of the message)
WRONG_OVERRIDES = [
    ("network.bandwith=50 Mbit/s", "network.bandwith", ["did you mean 'network.bandwidth'"]),
    ("bandwidth=50 Mbit/s", "bandwidth", ["did you mean 'network.bandwidth'"]),
    ("devices.count=2", "devices.count", ["did you mean 'devices[0].count'"]),
    ("devices[2].count=2", "devices[2].count", ["out of range", "2 item(s)"]),
    ("devices[0]=null", "devices[0]", ["cannot be taken away"]),
    ("ranks[0]=1", "ranks[0]", ["not written in the file"]),
    ("network.bandwidth=50", "network.bandwidth", ["50", "bare number"]),
    ("network.bandwidth", "", ["has no '='"]),
    ("network.bandwidth=", "", ["has no value"]),
    ("network..bandwidth=1", "", ["path of a field"]),
    ("=1", "", ["path of a field"]),
    ("seed=[1", "", ["not YAML"]),
    ("seed=!!int 1", "", ["tag"]),
    ("seed=&a 1", "", ["anchors"]),
    ("seed.x=1", "seed.x", ["did you mean 'seed'"]),
    ("strategy.name=voltge", "strategy.name", ["did you mean 'voltage'"]),
]


@pytest.fixture
def write(tmp_path: Path):
    def write_text(text: str) -> Path:
        file = tmp_path / "boards.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return write_text


def refusal(file: Path, overrides=()) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file, overrides)
    return caught.value


def test_the_file_that_the_wrong_ones_differ_from_is_valid(write):
    assert isinstance(load_scenario(write(VALID)), Scenario)


@pytest.mark.parametrize(
    ("right", "wrong", "place", "field", "parts"), WRONG_LINES, ids=[row[1] for row in WRONG_LINES]
)
def test_a_wrong_line_is_refused_with_place_value_and_remedy(write, right, wrong, place, field, parts):
    assert VALID.count(right) == 1
    file = write(VALID.replace(right, wrong))
    error = refusal(file)
    subject = f"{field}: " if field else ""
    assert str(error).startswith(f"{file}:{place}: {subject}")
    assert f"{error.line}:{error.column}" == place
    assert (error.path, error.field) == (str(file), field)
    for part in parts:
        assert part in str(error)
    assert "Traceback" not in str(error)
    assert len(str(error).splitlines()) <= 3


@pytest.mark.parametrize(("text", "field", "parts"), WRONG_OVERRIDES, ids=[row[0] for row in WRONG_OVERRIDES])
def test_a_wrong_override_is_refused_at_its_own_text(write, text, field, parts):
    error = refusal(write(VALID), [text])
    assert str(error).startswith(f"--set {text}: ")
    assert (error.line, error.column, error.field) == (None, None, field)
    for part in parts:
        assert part in str(error)


def test_what_an_override_makes_wrong_elsewhere_is_placed_in_the_file(write):
    file = write(VALID.replace("terminal: pi", "terminal: 2"))
    error = refusal(file, ["devices[0].count=1"])
    assert str(error).startswith(f"{file}:8:11: terminal: 2 ")


def test_two_overrides_that_exclude_each_other_are_refused(write):
    error = refusal(write(VALID), ["strategy.segments=3", "strategy.compression_rate=4"])
    assert str(error).startswith("--set strategy.compression_rate=4: ")
    assert "strategy.segments" in str(error)


def test_a_mapping_of_overrides_is_placed_like_a_list(write):
    error = refusal(write(VALID), {"strategy.segments": 0})
    assert str(error).startswith("--set strategy.segments=0: strategy.segments: 0 must be >= 1")


def test_one_text_in_place_of_a_list_of_overrides_is_a_programming_error(write):
    with pytest.raises(TypeError):
        load_scenario(write(VALID), "seed=1")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "empty"),
        (b"# only a comment\n", "empty"),
        (b"just text", "mapping"),
        (b"- a list", "mapping"),
        (b"name: caf\xe9\n", "UTF-8"),
        ("name: x".encode("utf-16"), "UTF-8"),
        (b"a" * 1_000_001, "larger"),
    ],
)
def test_what_is_no_scenario_file_is_refused(tmp_path, content, part):
    file = tmp_path / "x.yaml"
    file.write_bytes(content)
    error = refusal(file)
    assert str(error).startswith(str(file))
    assert part in str(error)


def test_the_place_of_a_byte_that_is_not_utf8_is_given(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_bytes(b"seed: 0\nname: caf\xe9\n")
    assert str(refusal(file)).startswith(f"{file}:2:10: ")


def test_a_missing_file_and_a_directory_are_refused(tmp_path):
    assert "no such file" in str(refusal(tmp_path / "none.yaml"))
    assert "is a directory" in str(refusal(tmp_path))


def test_a_misspelt_key_is_named_before_the_field_that_it_leaves_missing(write):
    error = refusal(write(VALID.replace("model:", "modle:")))
    assert error.field == "modle"


def test_the_first_wrong_line_is_shown_first(write):
    error = refusal(write(VALID.replace("seed: 0", "seed: x").replace("batch: 8", "batch: x")))
    assert error.field == "workload.batch"


def test_an_error_survives_the_way_between_processes(write):
    error = refusal(write(VALID.replace("seed: 0", "seed: x")))
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert (again.line, again.column, again.field, again.path) == (15, 7, "seed", error.path)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_text_whatever_raises_anything_but_a_scenario_error(write, data):
    start = data.draw(st.integers(0, len(VALID)))
    stop = data.draw(st.integers(start, min(len(VALID), start + 20)))
    alphabet = st.sampled_from("{}[]:,-#&*!|>'\"%@` \n\t?0123456789.eE+ax~\u00e9\u2028\x07")
    noise = data.draw(st.text(alphabet, max_size=8))
    with contextlib.suppress(ScenarioError):
        load_scenario(write(VALID[:start] + noise + VALID[stop:]))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    field=st.sampled_from(
        [
            "seed",
            "model.dims",
            "devices",
            "strategy.shares",
            "sweep",
            "network",
            "network.links",
            "network.medium",
            "devices[0].memory",
        ]
    ),
    value=st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
        max_leaves=6,
    ),
)
def test_no_value_whatever_raises_anything_but_a_scenario_error(write, field, value):
    with contextlib.suppress(ScenarioError):
        load_scenario(write(VALID), {field: value})


def test_an_error_says_its_rule_and_its_reason_without_its_place(write):
    file = write(VALID.replace("name: prism", "name: prsm"))
    error = refusal(file)
    assert error.reason == f"{error.field}: {error.rule}" == f"strategy.name: {error.rule}"
    assert str(error) == f"{file}:{error.line}:{error.column}: {error.reason}"
    sent = pickle.loads(pickle.dumps(error))
    assert (str(sent), vars(sent)) == (str(error), vars(error))
