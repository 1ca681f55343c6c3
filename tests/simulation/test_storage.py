"""Weights that find no room in memory: what is read from storage for each pass, and what that takes."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from prism_sim import Scenario, ScenarioError, load_scenario, run
from prism_sim.devices import Device
from prism_sim.plan import Kernel
from prism_sim.reports.explain import sentences
from prism_sim.reports.run import show
from prism_sim.shapes.interpreter import predict
from prism_sim.simulation.memory import demands
from prism_sim.simulation.simulate import Simulation, simulate
from prism_sim.sweeping.sweep import sweep
from prism_sim.units_text import seconds_text
from prism_sim.why.explain import explain

MODEL = {
    "model_type": "llama",
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "intermediate_size": 512,
    "vocab_size": 1024,
    "tie_word_embeddings": True,
}
EXPERTS = {"model_type": "qwen3_moe", "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
BOARD = {"name": "board", "compute": "1 TFLOP/s", "memory_bandwidth": "1 TB/s"}
SLOW = 1e6  # bytes a second, so that reading takes longer than anything else


def scenario(tmp_path: Path, memory_bytes: float | None = None, count: int = 1, **changes: Any) -> Scenario:
    """memory_bytes: of each device, which has storage too; None: neither."""
    room = {} if memory_bytes is None else {"memory": f"{memory_bytes:.0f} B", "storage_bandwidth": f"{SLOW} B/s"}
    told = {
        "model": {"dims": MODEL, "dtype": "float16"},
        "workload": {"tokens": 8, "new_tokens": 5},
        "devices": [{**BOARD, **room, "count": count}],
        "network": {"bandwidth": "1 Gbit/s"},
        "strategy": {"name": "single"},
    }
    path = tmp_path / "storage.yaml"
    path.write_text(json.dumps({**told, **changes}))
    return load_scenario(path)


def short(tmp_path: Path, part: float, count: int = 1, **changes: Any) -> Scenario:
    """With room for all but this part of the weights of the device that holds most."""
    ample = simulate(scenario(tmp_path, count=count, **changes))
    weights = ample.setting.device_bytes(ample.plan.weight_bytes)
    most = max(ample.device_bytes, key=lambda device: ample.device_bytes[device])
    return scenario(tmp_path, ample.device_bytes[most] - part * weights[most], count, **changes)


def read_bytes(simulation: Simulation, participant: int) -> int:
    """Of all weight matrices, once, in a step."""
    step = predict(simulation.job.step(9))
    return sum(kernel.weight_bytes for one in step.computes(participant) for kernel in one.kernels)


def test_computing_takes_no_longer_than_reading_what_is_missing_unless_it_does() -> None:
    kernels = (Kernel("a", 3_000_000, 1_000, 1_000), Kernel("b", 0, 4_000_000, 3_000))
    for streamed, seconds in ((0.0, 7e-3), (0.5, 7e-3), (0.875, 7e-3), (1.0, 8e-3)):
        device = Device("d", 1e9, 1e9, memory_bytes=1, storage_bytes_per_s=5e5, streamed=streamed)
        assert device.compute_s(kernels) == pytest.approx(seconds, rel=1e-12)


def test_a_step_takes_its_bytes_at_the_rate_of_storage(tmp_path: Path) -> None:
    """All weights but norms are matrices; of a tied table a step reads all, for its head."""
    simulation = simulate(short(tmp_path, 0.75))
    vectors = (2 * MODEL["num_hidden_layers"] + 1) * MODEL["hidden_size"] * 2
    matrices = sum(simulation.plan.weight_bytes) - vectors
    assert sum(read_bytes(simulation, one) for one in (0, 1)) == matrices
    assert simulation.decoding is not None
    part = simulation.streamed_bytes[0] / sum(simulation.plan.weight_bytes)
    assert part == pytest.approx(0.75, rel=1e-6)
    assert simulation.decoding.tpot_s == pytest.approx(part * matrices / SLOW, rel=1e-3)
    assert simulation.generation is not None
    assert simulation.generation.step_storage_s == pytest.approx(simulation.decoding.tpot_s, rel=1e-3)


@pytest.mark.parametrize("more", [{}, {"new_tokens": 3}], ids=["pass", "text"])
def test_a_run_tells_reading_from_computing_as_its_explanation_does(tmp_path: Path, more: dict[str, int]) -> None:
    """Beside the parts of the contract, which sum to the latency as they did."""
    asked = short(tmp_path, 0.3, workload={"tokens": 8, **more})
    result, why = run(asked, numerics=False), explain(asked)
    simulation = result.simulation
    assert 0 < why.breakdown_s["storage"] == pytest.approx(simulation.pass_storage_s, rel=1e-9)
    assert "storage" not in simulation.breakdown_s
    assert sum(simulation.breakdown_s.values()) == pytest.approx(simulation.latency_s, rel=1e-9)
    if (found := simulation.generation) is not None:
        assert why.token is not None  # of the middle one of steps, not of their mean
        assert found.step_storage_s == pytest.approx(why.token.breakdown_s["storage"], rel=1e-2)
    console = Console(width=120, file=StringIO(), force_terminal=False)
    show(result, console)
    assert seconds_text(why.breakdown_s["storage"]) in console.file.getvalue()  # type: ignore[attr-defined]
    assert " storage" in console.file.getvalue()  # type: ignore[attr-defined]


def test_where_storage_is_not_read_no_computing_waits_for_it(tmp_path: Path) -> None:
    found = simulate(scenario(tmp_path)).generation
    assert found is not None
    assert (found.prompt_storage_s, found.step_storage_s) == (0, 0)


@pytest.mark.parametrize("name", ["single", "tensor_parallel", "pipeline", "voltage", "prism", "replicas"])
def test_storage_that_is_not_needed_changes_nothing(tmp_path: Path, name: str) -> None:
    """To the byte where all fits; a byte less is read from storage. In stages a second sequence may be in flight."""
    told: dict[str, Any] = {"count": 2, "strategy": {"name": name}}
    ample = simulate(scenario(tmp_path, **told))
    assert ample.generation is not None
    beside = max(ample.generation.cache_bytes) if name == "pipeline" else 0
    enough = simulate(scenario(tmp_path, max(ample.device_bytes.values()) + beside, **told))
    assert (enough.latency_s, enough.throughput_per_s) == (ample.latency_s, ample.throughput_per_s)
    assert not any(enough.streamed_bytes.values())
    less = simulate(scenario(tmp_path, max(ample.device_bytes.values()) - 1, **told))
    assert max(less.streamed_bytes.values()) == 1
    assert less.fits


@pytest.mark.parametrize("name", ["tensor_parallel", "pipeline"])
def test_each_device_reads_what_it_lacks(tmp_path: Path, name: str) -> None:
    """Where storage is all that takes time, steps through stages add up, and halves are read side by side."""
    simulation = simulate(short(tmp_path, 0.5, count=2, strategy={"name": name}))
    playing, device_of = simulation.setting.playing, simulation.device_of
    each_s = [playing[device_of[one]].streamed * read_bytes(simulation, one) / SLOW for one in range(3)]
    rank_0, rank_1, terminal = each_s
    assert min(rank_0, rank_1) > 0
    assert (terminal > 0) == (name == "pipeline")  # whose head is whole: of a table a step embeds one row alone
    expected_s = terminal + (rank_0 + rank_1 if name == "pipeline" else max(rank_0, rank_1))
    assert simulation.decoding is not None
    assert simulation.decoding.tpot_s == pytest.approx(expected_s, rel=2e-2)


def test_twice_the_rate_is_half_the_time_until_computing_takes_longer(tmp_path: Path) -> None:
    slow = short(tmp_path, 0.5)
    fast, instant = (slow.with_overrides({"devices[0].storage_bandwidth": f"{rate} B/s"}) for rate in (2 * SLOW, 1e15))
    assert simulate(slow).latency_s / simulate(fast).latency_s == pytest.approx(2, rel=1e-2)
    assert simulate(instant).latency_s == simulate(scenario(tmp_path)).latency_s


def test_of_experts_a_step_reads_those_that_it_goes_through(tmp_path: Path) -> None:
    simulation = simulate(short(tmp_path, 0.5, model={"dims": {**MODEL, **EXPERTS}, "dtype": "float16"}))
    expert, n_blocks = 3 * 256 * 64 * 2, MODEL["num_hidden_layers"]
    kernels = [kernel for one in predict(simulation.job.step(9)).computes(0) for kernel in one.kernels]
    of_experts = [kernel for kernel in kernels if kernel.name in ("gate", "expand", "contract")]
    assert sum(kernel.weight_bytes for kernel in of_experts) == n_blocks * 2 * expert
    assert sum(kernel.weight_bytes for kernel in kernels if kernel.name == "router") == n_blocks * 256 * 8 * 2


@pytest.mark.parametrize("overlap", [False, True])
def test_a_matrix_that_a_block_uses_twice_is_read_once(tmp_path: Path, overlap: bool) -> None:
    """With overlap, own rows and others' go through the same keys and values one after the other."""
    told = {"strategy": {"name": "prism", "segments": 2, "overlap": overlap}}
    simulation = simulate(scenario(tmp_path, count=2, workload={"tokens": 8}, **told))
    kernels = [kernel for one in simulation.plan.computes(0) for kernel in one.kernels]
    head_width = 256 // 8
    block = 256 * (2 * 256 + 2 * 2 * head_width + 3 * 512) * 2
    assert sum(kernel.weight_bytes for kernel in kernels) == MODEL["num_hidden_layers"] * block


def test_memory_says_what_is_held_and_what_is_read(tmp_path: Path) -> None:
    found = run(short(tmp_path, 0.5), numerics=False)
    (device,) = found.to_json()["devices"]
    assert device["peak_memory_bytes"] == device["memory_bytes"]
    need = sum(one.need_bytes for one in demands(found.simulation))
    assert device["peak_memory_bytes"] + device["streamed_bytes"] == need


def test_activations_must_still_fit(tmp_path: Path) -> None:
    ample = simulate(scenario(tmp_path))
    activations = sum(ample.plan.activation_bytes)
    assert simulate(scenario(tmp_path, activations)).fits
    with pytest.raises(ScenarioError, match=r"needs \S+ kB for activations alone, all weights in storage, but has"):
        run(scenario(tmp_path, activations - 100), numerics=False)


def test_explain_says_that_storage_bounds_a_token(tmp_path: Path) -> None:
    found = explain(short(tmp_path, 0.5))
    assert any(sentence.startswith("Storage bounds each later one: ") for sentence in sentences(found))
    assert found.what_ifs[0].resource.name == "storage"
    assert sum(found.breakdown_s.values()) == pytest.approx(found.pass_s, rel=1e-9)
    assert found.token is not None
    assert sum(found.token.breakdown_s.values()) == pytest.approx(found.token.length_s, rel=1e-9)


def test_a_sweep_over_memory_gives_what_single_runs_give(tmp_path: Path) -> None:
    base = short(tmp_path, 0.5, count=2, workload={"tokens": 8}, strategy={"name": "tensor_parallel"})
    memory = base.devices[0].memory_bytes
    assert memory is not None
    rooms = [f"{memory} B", f"{1.2 * memory:.0f} B", f"{10 * memory} B"]
    table = sweep(base.with_overrides({"sweep": {"devices[0].memory": rooms}}), numerics=False)
    singles = [simulate(base.with_overrides({"devices[0].memory": room})) for room in rooms]
    assert table["latency_s"].tolist() == [one.latency_s for one in singles]
    assert table["max_device_streamed_bytes"].tolist() == [max(one.streamed_bytes.values()) for one in singles]
    assert singles[0].latency_s > singles[1].latency_s > singles[2].latency_s


def test_storage_without_memory_makes_no_sense(tmp_path: Path) -> None:
    board = {**BOARD, "storage_bandwidth": "400 MB/s"}
    with pytest.raises(ScenarioError, match=r"devices\[0\]\.storage_bandwidth.*without memory.*memory: 8 GiB"):
        scenario(tmp_path, devices=[board])
    with pytest.raises(ValueError, match="needs memory_bytes"):
        Device("d", 1e9, 1e9, storage_bytes_per_s=1e6)
