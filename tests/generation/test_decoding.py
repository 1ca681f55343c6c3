"""Steps in time, bytes and memory: closed forms, and a few played steps against every one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prism_sim import ScenarioError, load_scenario, run, strategies, timing
from prism_sim.generation.decoding import affine_weights, nodes
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.simulation.simulate import Simulation, simulate
from prism_sim.timing import play_once

MODEL = {
    "model_type": "llama",
    "hidden_size": 256,
    "num_hidden_layers": 6,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "intermediate_size": 512,
    "vocab_size": 1000,
    "max_position_embeddings": 1024,
}
BOARD = {"preset": "raspberry-pi-5", "name": "board", "count": 4}


def scenario(tmp_path: Path, **changes: Any) -> Any:
    folder = tmp_path / "model"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**MODEL, "architectures": ["LlamaForCausalLM"]}))
    told = {
        "name": "text",
        "model": {"hf": str(folder), "dtype": "float16"},
        "workload": {"tokens": 40, "new_tokens": 32},
        "devices": [BOARD],
        "network": {"preset": "gigabit-ethernet"},
        "strategy": {"name": "tensor_parallel"},
    }
    path = tmp_path / "text.yaml"
    path.write_text(json.dumps({**told, **changes}))
    return load_scenario(path)


def every_step_s(simulation: Simulation) -> float:
    """Seconds of all steps, each played."""
    job, where = simulation.job, (simulation.devices, simulation.device_of, simulation.network)
    steps = (job.step(job.n_tokens + number) for number in range(job.new_tokens - 1))
    return sum(play_once(predict(step), *where).latency_s for step in steps)


STRATEGIES: list[dict[str, Any]] = [
    {"name": "single"},
    {"name": "tensor_parallel"},
    {"name": "galaxy"},
    {"name": "pipeline", "chunks": 2},
    {"name": "replicas"},
    {"name": "voltage"},
    {"name": "voltage", "cache": "whole"},
    {"name": "prism", "segments": 3},
]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda one: "-".join(map(str, one.values())))
def test_few_steps_played_stand_for_all(tmp_path: Path, strategy: dict[str, Any]) -> None:
    simulation = simulate(scenario(tmp_path, strategy=strategy, workload={"tokens": 40, "new_tokens": 100}))
    assert simulation.decoding is not None
    assert len(simulation.decoding.moments) <= 9
    assert sum(moment.weight for moment in simulation.decoding.moments) == pytest.approx(99, abs=1e-9)
    assert simulation.decoding.total_s == pytest.approx(every_step_s(simulation), rel=1e-3)
    assert sum(simulation.breakdown_s.values()) == pytest.approx(simulation.latency_s, rel=1e-9)
    generation = simulation.generation
    assert generation is not None
    assert generation.tpot_s is not None
    assert generation.ttft_s + 99 * generation.tpot_s == pytest.approx(simulation.latency_s, rel=1e-12)


def test_128_tokens_over_four_devices_take_few_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the strategy, of one device alone and of Voltage: the prompt and a few steps each, not 128."""
    played: list[Any] = []
    monkeypatch.setattr(timing, "play_once", lambda *asked: played.append(asked[0]) or play_once(*asked))
    run(scenario(tmp_path, workload={"tokens": 43, "new_tokens": 128}), numerics=False)
    assert 1 + 3 <= len(played) <= 3 * (1 + 9)


@pytest.mark.parametrize("value", [lambda n: 3.0 + 2 * n, lambda n: max(50.0, float(n)), lambda n: float(n * n)])
def test_weights_of_nodes_add_up_what_lies_between(value: Any) -> None:
    weights = affine_weights(nodes(10, 500, value))
    assert sum(weight * value(node) for node, weight in weights.items()) == pytest.approx(
        sum(map(value, range(10, 501))), rel=1e-3
    )
    assert affine_weights([7]) == {7: 1}
    assert affine_weights([7, 8]) == {7: 1, 8: 1}


def total_bytes(job: Job, kind: str) -> int:
    return sum(sum(one.bytes_by_rank) for one in predict(job).exchanges if one.kind == kind)


def test_bytes_of_a_token_are_the_closed_forms(tmp_path: Path) -> None:
    """Tensor parallel: two sums a block of one row of D, from each rank, and V logits, or one row to a whole head.

    Pipeline: a row of D at each border.
    """
    n_blocks, width, n_ranks, vocabulary = 6, 256, 4, 1000
    row_bytes = 2 * width  # float16
    tensor = simulate(scenario(tmp_path)).job
    assert total_bytes(tensor.step(55), "all_reduce") == 2 * n_blocks * n_ranks * row_bytes
    assert total_bytes(tensor.step(55), "broadcast") == row_bytes
    assert total_bytes(tensor.step(55), "gather") == 2 * vocabulary
    assert total_bytes(tensor.step(55), "send") == 0
    whole = simulate(scenario(tmp_path, strategy={"name": "tensor_parallel", "head": "terminal"})).job
    assert total_bytes(whole.step(55), "all_reduce") == total_bytes(tensor.step(55), "all_reduce")
    assert total_bytes(whole.step(55), "broadcast") == total_bytes(whole.step(55), "send") == row_bytes
    pipeline = simulate(scenario(tmp_path, strategy={"name": "pipeline"})).job
    assert total_bytes(pipeline.step(55), "send") == (n_ranks + 1) * row_bytes  # to the first and from the last, too
    # the query goes to all, and a row with a number a head comes back from each
    voltage = simulate(scenario(tmp_path, strategy={"name": "voltage"})).job
    assert total_bytes(voltage.step(55), "broadcast") == n_blocks * row_bytes
    assert total_bytes(voltage.step(55), "gather") == n_blocks * n_ranks * (row_bytes + 2 * 8)
    prism = simulate(scenario(tmp_path, strategy={"name": "prism"})).job
    assert [one.group for one in predict(prism.step(55)).exchanges] == [(4, 3), (3, 4)]


def test_bytes_of_a_token_on_a_wire_of_eight_bits(tmp_path: Path) -> None:
    """Llama 3 8B over two nodes: 2 B D 34/32 bytes a direction, 544 KiB in both, as distributed-llama logs them."""
    model = {"preset": "llama-3-8b", "dtype": "float16", "weight_dtype": "q4_0", "wire_dtype": "q8_0"}
    told = {"model": model, "devices": [{**BOARD, "count": 2, "memory": "64 GiB"}]}
    job = simulate(scenario(tmp_path, **told, workload={"tokens": 8, "new_tokens": 2})).job
    each_way = 2 * 32 * 4096 * 34 // 32
    assert total_bytes(job.step(8), "all_reduce") == 2 * each_way == 544 * 1024


def test_bytes_of_a_token_of_a_mixture_over_four_nodes(tmp_path: Path) -> None:
    """Qwen3-30B-A3B: 2 B D 34/32 bytes to and from each of three workers, 612 KiB a direction through the root.

    distributed-llama logs 636 KiB sent, since it sends the embedded row in float32 besides, and 1057 KiB received: the
    logits of three quarters of the vocabulary come in float32. Of a block's 128 experts a node reads its quarter of 8.
    """
    model = {"preset": "qwen3-30b-a3b", "dtype": "float32", "weight_dtype": "q4_0", "wire_dtype": "q8_0"}
    told = {"model": model, "devices": [{**BOARD, "memory": "16 GiB"}]}
    network = {"preset": "gigabit-ethernet", "collective": "star"}
    simulation = simulate(scenario(tmp_path, **told, network=network, workload={"tokens": 8, "new_tokens": 2}))
    plan = predict(simulation.job.step(8))
    played = play_once(plan, simulation.devices, simulation.device_of, simulation.network)
    sums = played.sent_bytes[0]
    assert sums == played.received_bytes[0] == 3 * 2 * 48 * 2048 * 34 // 32
    assert (sums + 3 * 4 * 2048) // 1024 == 636
    assert (sums + played.received_bytes[-1]) // 1024 == 1057
    experts = [kernel for one in plan.computes(0) for kernel in one.kernels if kernel.name in ("gate", "expand")]
    assert sum(kernel.weight_bytes for kernel in experts) == 48 * 2 * 8 * 2048 * (768 // 4) * 18 // 32


def test_cache_bytes_are_the_closed_forms(tmp_path: Path) -> None:
    """2 x blocks x key/value width x tokens x bytes, of 40 + 31 tokens: the last new one is never read again."""
    whole = 2 * 6 * (256 * 2 // 8) * (40 + 31) * 2
    told: dict[str, dict[str, Any]] = {"tensor_parallel": {}, "pipeline": {}, "voltage": {}, "prism": {"segments": 3}}
    found = {name: simulate(scenario(tmp_path, strategy={"name": name, **more})) for name, more in told.items()}
    caches = {name: one.generation.cache_bytes for name, one in found.items() if one.generation is not None}
    assert caches["tensor_parallel"] == (whole // 2,) * 4 + (0,)  # each of the two key/value heads on two ranks
    assert caches["pipeline"] == (whole // 3, whole // 3, whole // 6, whole // 6, 0)
    assert caches["voltage"] == tuple(whole // 71 * n for n in (10, 10, 10, 10 + 31, 0))
    assert caches["prism"] == (0, 0, 0, whole // 71 * (10 + 3 * 3 + 31), 0)
    held = [
        simulate(
            scenario(tmp_path, strategy={"name": "single"}, workload={"tokens": 40, "new_tokens": new})
        ).held_bytes[0]
        for new in (900, 901)
    ]
    assert held[1] - held[0] == whole // 71  # where steps need more than the prompt


def test_what_does_not_fit_says_how_many_tokens_would(tmp_path: Path) -> None:
    told = {"strategy": {"name": "single"}, "workload": {"batch": 8, "tokens": 40, "new_tokens": 900}}
    roomy = simulate(scenario(tmp_path, **told))
    room = roomy.held_bytes[0] + roomy.held_bytes[1] - 5_000_000
    small = scenario(tmp_path, **told, devices=[{**BOARD, "memory": f"{room} B"}])
    with pytest.raises(ScenarioError, match=r"workload\.new_tokens (\d+) \(as many as fit\)") as refused:
        run(small, numerics=False)
    fitting = int(str(refused.value).split("workload.new_tokens ")[1].split()[0])
    assert simulate(small.with_overrides({"workload.new_tokens": fitting})).fits
    assert not simulate(small.with_overrides({"workload.new_tokens": fitting + 1})).fits


def test_one_new_token_is_the_prompt_alone(tmp_path: Path) -> None:
    one = run(scenario(tmp_path, workload={"tokens": 40, "new_tokens": 1}), numerics=False).to_json()
    assert one["generation"]["tpot_s"] is None
    assert one["generation"]["ttft_s"] == one["latency_s"]
    assert run(scenario(tmp_path, workload={"tokens": 40}), numerics=False).to_json()["generation"] is None


@pytest.mark.parametrize("new_tokens", [2, 3, 4])
def test_few_new_tokens_are_played_each(tmp_path: Path, new_tokens: int) -> None:
    simulation = simulate(scenario(tmp_path, workload={"tokens": 40, "new_tokens": new_tokens}))
    assert simulation.decoding is not None
    assert simulation.decoding.n_steps == new_tokens - 1
    assert simulation.decoding.total_s == pytest.approx(every_step_s(simulation), rel=1e-3)


ENCODER = {"model_type": "bert", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (
        {"strategy": {"name": "prism", "compressor": "cluster_means"}},
        "strategy.compressor",
        "cluster_means has no",
    ),
    ({"placement": {"output": "in_place"}}, "placement.output", "in_place cannot generate"),
    ({"workload": {"tokens": 40, "new_tokens": 985}}, "workload.new_tokens", "1025 tokens exceed the model's 1024"),
    ({"model": {"dims": {**MODEL, "vocab_size": 99}, "head": "none"}}, "model.head", "none cannot generate"),
    ({"model": {"dims": {**ENCODER, "intermediate_size": 64}}}, "model", "bert is an encoder"),
]


@pytest.mark.parametrize(("told", "field", "reason"), REFUSED, ids=lambda value: value if "." in value else "")
def test_what_cannot_be_generated_is_told_where_its_cause_is(
    tmp_path: Path, told: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(ScenarioError, match=reason) as refused:
        simulate(scenario(tmp_path, **told))
    assert refused.value.field == field
    assert f": {field}: " in str(refused.value)


def test_a_strategy_without_a_step_is_told_at_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    able = strategies.catalogue()
    monkeypatch.setattr(strategies, "find", lambda name: replace(able[name], steps=None))
    with pytest.raises(ScenarioError, match=r"tensor_parallel has no step.*those that can: galaxy, ") as refused:
        simulate(scenario(tmp_path))
    assert refused.value.field == "strategy.name"


SLOW_BOARD = {"name": "slow", "compute": "1 GFLOP/s", "memory_bandwidth": "1 TB/s", "count": 4}


@pytest.mark.parametrize("blocks", [[3, 3, 3, 3], [6, 2, 2, 2]])
def test_several_sequences_keep_the_stages_busy(tmp_path: Path, blocks: list[int]) -> None:
    """One a stage: as fast as the slowest stage, which is all that limits them where messages cost nothing.

    The terminal, on a device of its own, runs the head, a stage as any other; one sequence alone goes through all.
    """
    told: dict[str, Any] = {
        "model": {"dims": {**MODEL, "num_hidden_layers": 12, "vocab_size": 40}},
        "devices": [SLOW_BOARD, {**SLOW_BOARD, "name": "ask", "count": 1}],
        "terminal": "ask",
        "ranks": [0, 1, 2, 3],
        "network": {"bandwidth": "100 Gbit/s"},
        "strategy": {"name": "pipeline", "shares": [one / 12 for one in blocks]},
    }
    simulation = simulate(scenario(tmp_path, **told))
    assert simulation.decoding is not None
    step = simulation.decoding.middle
    stages_s = [sum(map(simulation.devices[0].compute_s, (c.kernels for c in step.plan.computes(r)))) for r in range(5)]
    several = simulation.back_to_back.in_flight
    assert several is not None
    assert several.sequences == 4
    assert 1 / several.tokens_per_s == pytest.approx(max(max(stages_s), sum(stages_s) / 4), rel=2e-2)
    if blocks[0] > 3:  # then the first stage is always busy, with the prompts of some or the steps of others
        prompt_s = simulation.devices[0].compute_s([k for c in simulation.plan.computes(0) for k in c.kernels])
        assert 1 / simulation.throughput_per_s == pytest.approx(prompt_s + 31 * stages_s[0], rel=2e-2)
    assert 31 * simulation.throughput_per_s < several.tokens_per_s
    assert 2 < simulation.throughput_per_s * simulation.latency_s <= 4


def test_sequences_in_flight_are_as_many_as_find_room(tmp_path: Path) -> None:
    told = {"strategy": {"name": "pipeline"}, "workload": {"tokens": 900, "new_tokens": 5}}
    ample = simulate(scenario(tmp_path, **told))
    caches = ample.generation.cache_bytes if ample.generation is not None else ()
    room = max(ample.device_bytes.values()) + 2 * max(caches)
    tight = simulate(scenario(tmp_path, **told, devices=[{**BOARD, "memory": f"{room} B"}]))
    found = tight.back_to_back.in_flight
    assert found is not None
    assert found.sequences == 3
    assert simulate(scenario(tmp_path)).back_to_back.in_flight is None  # no stages
    one = {**BOARD, "memory": f"{max(ample.device_bytes.values())} B"}
    alone = simulate(scenario(tmp_path, **told, devices=[one]))
    assert alone.throughput_per_s == pytest.approx(1 / alone.latency_s, rel=1e-12)
    assert alone.throughput_per_s < tight.throughput_per_s < ample.throughput_per_s


def test_replicas_serve_each_its_own_text_as_far_as_their_terminal_can(tmp_path: Path) -> None:
    """Apart and without a head to speak of, as many times one's pace; a head that takes long is run for all in turn."""
    told: dict[str, Any] = {
        "devices": [SLOW_BOARD, {**SLOW_BOARD, "name": "ask", "count": 1}],
        "terminal": "ask",
        "ranks": [0, 1, 2, 3],
        "network": {"bandwidth": "100 Gbit/s"},
        "strategy": {"name": "replicas"},
    }
    few, many = (
        simulate(scenario(tmp_path, **told, model={"dims": {**MODEL, "vocab_size": words}})) for words in (40, 40_000)
    )
    assert few.throughput_mode == many.throughput_mode == "in turn"
    assert few.throughput_per_s == pytest.approx(4 / few.latency_s, rel=1e-9)
    at_terminal_s = many.busy_s[-1]
    assert many.latency_s < 4 * at_terminal_s
    assert many.throughput_per_s == pytest.approx(1 / at_terminal_s, rel=1e-6)
