"""A device's runtime chooses among its preset's numbers, and what a message costs the host is the devices' to say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prism_sim import run, sweep
from prism_sim.cli import main
from prism_sim.scenario import ScenarioError, json_schema, load_scenario
from prism_sim.syntax import presets

BOARDS = """\
devices:
  board:
    summary: one core on a desk
    memory: {value: 1 GiB, source: assumption}
    op_overhead: {value: 1 us, source: assumption}
    runtime: pytorch
    runtimes:
      pytorch:
        compute: {value: 1 GFLOP/s, source: assumption}
        memory_bandwidth: {value: 2 GB/s, source: assumption}
        message_overhead: {value: 3 ms, source: assumption}
      llama.cpp:
        compute: {value: 4 GFLOP/s, range: [3 GFLOP/s, 5 GFLOP/s], source: assumption}
        compute_q8_0: {value: 8 GFLOP/s, source: assumption}
        memory_bandwidth: {value: 2 GB/s, source: assumption}
        op_overhead: {value: 2 us, source: assumption}
networks:
  cable:
    summary: between two desks
    bandwidth: {value: 100 Mbit/s, source: assumption}
    message_overhead: {value: 1 ms, source: assumption}
"""
SCENARIO = """\
model: {dims: {model_type: bert, hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 64,
  vocab_size: 320, max_position_embeddings: 64}}
presets: [boards.yaml]
workload: {tokens: 16}
devices: [{preset: board}, {preset: board}]
network: {preset: cable}
strategy: {name: voltage}
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PRISM_SIM_CACHE", str(tmp_path / "cache"))

    def load_with(*overrides: str, boards: str = BOARDS, more: str = ""):
        (tmp_path / "boards.yaml").write_text(boards)
        (tmp_path / "x.yaml").write_text(SCENARIO + more)
        return load_scenario(tmp_path / "x.yaml", overrides)

    return load_with


def test_a_silent_device_has_the_numbers_of_its_presets_usual_runtime(load):
    device = load().devices[0]
    assert (device.runtime, device.flops_per_s, device.q8_0_flops_per_s) == ("pytorch", 1e9, None)
    assert (device.op_overhead_s, device.memory_bytes) == (1e-6, 2**30)


def test_a_runtimes_own_numbers_stand_in_place_of_those_of_all(load):
    pytorch, device = load("devices[1].runtime=llama.cpp").devices
    assert (pytorch.runtime, pytorch.flops_per_s) == ("pytorch", 1e9)
    assert (device.runtime, device.flops_per_s, device.q8_0_flops_per_s) == ("llama.cpp", 4e9, 8e9)
    assert (device.op_overhead_s, device.memory_bytes) == (2e-6, 2**30)
    assert load("devices[1].runtime=llama.cpp", "devices[1].compute=7 GFLOP/s").devices[1].flops_per_s == 7e9


def test_a_preset_without_runtimes_has_none(load):
    assert load("devices[0].preset=nrf52840").devices[0].runtime is None


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["devices[1].runtime=lama.cpp"], "'lama.cpp' is none of its runtimes; did you mean 'llama.cpp'? (board has"),
        (["devices[1].runtime=ncnn"], "devices[1].runtime: 'ncnn' is none of its runtimes (board has numbers for: py"),
        (
            ["devices[0].preset=nrf52840", "devices[0].runtime=ncnn"],
            "'ncnn' cannot be chosen: nrf52840 has",
        ),
        (["devices[0]={compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, runtime: ncnn}"], "there is none; write one, or"),
        (["devices[0].runtime=5"], "devices[0].runtime: 5 "),
    ],
)
def test_a_runtime_that_there_are_no_numbers_for_is_refused_where_it_is_written(load, overrides, expected):
    with pytest.raises(ScenarioError) as raised:
        load(*overrides)
    assert expected in str(raised.value)
    assert str(raised.value).startswith("--set devices[")


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        (
            "runtime: pytorch",
            "runtime: torch",
            "boards.yaml:6:14: devices.board.runtime: 'torch' is not among its runti",
        ),
        ("    runtime: pytorch\n", "", "devices.board.runtime: is missing"),
        ("runtime: pytorch", "runtime: 3", "devices.board.runtime: 3 is not text"),
        ("    runtimes:\n", "    runtimes: {}\nx:\n", "devices.board.runtimes: {} is not a section"),
        (
            "        compute: {value: 1 GFLOP/s, source: assumption}\n",
            "",
            "runtimes.pytorch.compute: is missing: neither",
        ),
        (
            "compute_q8_0",
            "compute_q80",
            "runtimes.llama.cpp.compute_q80: 'compute_q80' is not a field of such a preset; ",
        ),
        ("8 GFLOP/s", "8 GFLOPS", "devices.board.runtimes.llama.cpp.compute_q8_0.value: '8 GFLOPS'"),
        ("llama.cpp:", "llama cpp:", "'llama cpp' is no name"),
        ("[3 GFLOP/s, 5 GFLOP/s]", "3 GFLOP/s", "llama.cpp.compute.range: '3 GFLOP/s' is no range; write [low, high]"),
        ("[3 GFLOP/s, 5 GFLOP/s]", "[5 GFLOP/s, 6 GFLOP/s]", "must be 0 < low <= value <= high"),
        ("[3 GFLOP/s, 5 GFLOP/s]", "[0.1 FLOP/s, 3.9 GFLOP/s]", "must be 0 < low <= value <= high"),
        ("[3 GFLOP/s, 5 GFLOP/s]", "[3 GFLOP/s, 5 GB/s]", "llama.cpp.compute.range[1]: '5 GB/s' has the unit 'GB/s'"),
        ("range: [3", "rang: [3", "compute.rang: 'rang' is neither value, range nor source"),
        ("1 GiB, ", "1 GiB, range: [1 GiB, 2 GiB], ", "devices.board.memory.range: is not for memory"),
    ],
)
def test_what_is_wrong_with_a_boards_runtimes_is_said_at_its_place(load, right, wrong, expected):
    assert right in BOARDS
    with pytest.raises(ScenarioError) as raised:
        load(boards=BOARDS.replace(right, wrong, 1))
    assert expected in str(raised.value)
    assert "boards.yaml:" in str(raised.value)


def test_runtimes_need_to_be_there_to_be_the_usual_one(load):
    bare = BOARDS.replace("    op_overhead: {value: 1 us", "    runtime: pytorch\n    op_overhead: {value: 1 us", 1)
    start, _, rest = bare.partition("    runtime: pytorch\n    runtimes:\n")
    with pytest.raises(ScenarioError, match=r"boards\.yaml:5:5: devices\.board\.runtime: 'pytorch' has no numbers"):
        load(boards=start + rest[rest.index("networks:") :])


@pytest.mark.parametrize(
    ("overrides", "expected_s"),
    [
        ([], 3e-3),  # pytorch's, on both
        (["devices[0].runtime=llama.cpp"], 3e-3),  # the largest of those who take part
        (["devices[0].runtime=llama.cpp", "devices[1].runtime=llama.cpp"], 1e-3),  # the network preset's
        (["devices[1].message_overhead=4 ms"], 4e-3),
        (["devices[0].message_overhead=0 s", "devices[1].message_overhead=0 s"], 0.0),
        (["devices[0].message_overhead=4 ms", "ranks=[1]", "terminal=1"], 3e-3),  # who is not asked has no say
        (["devices[0].message_overhead=4 ms", "ranks=[1]"], 4e-3),  # the terminal has
        (["network.message_overhead=2 ms", "devices[1].message_overhead=4 ms"], 2e-3),
    ],
)
def test_the_largest_overhead_of_those_who_take_part_is_the_networks_unless_the_file_states_one(
    load, overrides, expected_s
):
    assert load(*overrides).network.message_overhead_s == expected_s


def test_a_result_names_runtimes_and_its_hash_knows_them(load):
    found = run(load("devices[1].runtime=llama.cpp"), numerics=False).to_json()
    assert [rank["runtime"] for rank in found["ranks"]] == ["pytorch", "llama.cpp"]
    alike = BOARDS.replace("range: [3 GFLOP/s, 5 GFLOP/s], ", "")
    alike = alike.replace("compute_q8_0: {value: 8", "message_overhead: {value: 3 ms, source: assumption}\n        #")
    alike = alike.replace("4 GFLOP/s", "1 GFLOP/s").replace("2 us", "1 us")
    one, other = (load(f"devices[1].runtime={name}", boards=alike) for name in ("pytorch", "llama.cpp"))
    assert one.devices[1].flops_per_s == other.devices[1].flops_per_s
    assert one.hash != other.hash


def test_the_hash_knows_a_devices_message_overhead_where_it_counts(load):
    assert load("devices[0].message_overhead=4 ms").hash != load().hash
    stated = "network.message_overhead=2 ms"
    assert load(stated, "devices[0].message_overhead=4 ms").hash == load(stated).hash


def alone(scenario, row):
    """Latency, hash and reason of a sweep's row, asked by itself."""
    fields = ("devices[0].runtime", "devices[1].runtime", "network.bandwidth", "model.weight_dtype")
    try:
        found = run(scenario.with_overrides({field: row[field] for field in fields}), numerics=False, advise=False)
    except ScenarioError as error:
        return None, None, str(error)
    return found.latency_s, found.scenario.hash, None


def test_a_sweep_over_runtimes_has_the_rows_of_each_alone(load):
    axes = (
        "sweep:\n  'devices[0].runtime': [pytorch, llama.cpp, ncnn]\n  'devices[1].runtime': [llama.cpp, pytorch]\n"
        "  network.bandwidth: [1 Mbit/s, 100 Mbit/s]\n  model.weight_dtype: [q4_0, q8_0, int8]\n"
    )
    table = sweep(load(more=axes), numerics=False)
    for row in table.astype(object).where(table.notna(), None).to_dict("records"):
        assert (row["latency_s"], row["scenario_hash"], row["reason"]) == alone(load(), row)
    assert not [name for name in table if "range" in name]  # of points, which are many, nothing is sampled
    answered = table[table["reason"].isna()]
    both = {
        (one, other) for one, other in zip(answered["devices[0].runtime"], answered["devices[1].runtime"], strict=True)
    }
    assert len(both) == 4  # all that there are numbers for
    q4 = answered[answered["model.weight_dtype"] == "q4_0"]  # which llama.cpp has no rate for, though one with q8_0
    assert set(q4["devices[0].runtime"]) | set(q4["devices[1].runtime"]) == {"pytorch"}


def test_lists_show_every_runtimes_numbers_and_mark_the_usual_one(load, tmp_path, capsys, monkeypatch):
    load()
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["list", "devices", "--presets", str(tmp_path / "boards.yaml")]) == 0
    shown = capsys.readouterr().out
    ours = [" ".join(line.split()) for line in shown[shown.index("one core on a desk") :].splitlines()[1:]]
    assert ours[:5] == [
        "memory 1 GiB assumption",
        "op_overhead 1 us assumption",
        "runtime pytorch (default)",
        "compute 1 GFLOP/s assumption",
        "memory_bandwidth 2 GB/s assumption",
    ]
    assert ours[6:9] == ["runtime llama.cpp", "compute 4 GFLOP/s assumption", "3 GFLOP/s to 5 GFLOP/s"]


def test_the_schema_suggests_known_runtimes_and_takes_others():
    stated = json_schema()["$defs"]["DeviceSection"]["properties"]["runtime"]
    assert "llama.cpp" in json.dumps(stated)
    assert "enum" not in stated
    assert {name for preset in presets.devices() for name in preset.by_runtime} <= set(presets.RUNTIMES)
