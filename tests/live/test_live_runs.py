"""`prism-sim live`: what really runs on processes of this machine, and what it says when that fails."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from left_behind import processes_with

from prism_sim.live import namespaces
from prism_sim.live.launcher import ProcessStart, free_port, launch
from prism_sim.live_runs.live import LiveResult, planned
from prism_sim.scenario import load_scenario
from prism_sim.shapes.interpreter import cache_bytes
from prism_sim.timing import to_trace_events

pytestmark = pytest.mark.slow

GPT2 = "model={dims: {model_type: gpt2, n_embd: 24, n_layer: 3, n_head: 3, vocab_size: 300, n_positions: 64}}"
VIT = (
    "model={dims: {model_type: vit, hidden_size: 24, num_hidden_layers: 3, num_attention_heads: 3, "
    "intermediate_size: 35, image_size: 32, patch_size: 8, num_labels: 5}}"
)
TWO, THREE = "ranks=[0, 1]", "ranks=[0, 1, 2]"
CASES: dict[str, list[str]] = {
    "single": ["strategy={name: single}"],
    "prism, terminal beside a rank": [TWO],
    "prism, terminal apart": [TWO, "terminal=2"],
    "prism over three": [THREE],
    "voltage over three": [THREE, "strategy={name: voltage}"],
    "voltage, overlapped": [TWO, "strategy={name: voltage, overlap: true}", "terminal=2"],
    "tensor parallel round a ring": [THREE, "strategy={name: tensor_parallel}", "network.collective=ring"],
    "tensor parallel through a star": [TWO, "strategy={name: tensor_parallel}", "network.collective=star"],
    "tensor parallel by the quickest ways": [THREE, "strategy={name: tensor_parallel}"],
    "pipeline": [THREE, "strategy={name: pipeline, micro_batches: 2}"],
    "replicas, one of them idle": [THREE, "strategy={name: replicas}"],
    "replicas, in place": [TWO, "strategy={name: replicas}", "placement={input: replicated, output: in_place}"],
    "galaxy": [THREE, "strategy={name: galaxy}"],
    "gpt2": [THREE, GPT2, "strategy={name: prism, segments: 2, overlap: true}"],
    "vit, in place": [TWO, VIT, "workload={batch: 2}", "placement={input: replicated, output: in_place}"],
    "vit, to the terminal": [TWO, VIT, "workload={batch: 2}", "placement={input: replicated}", "terminal=2"],
    "clusters in four bits": [THREE, "strategy={name: prism, segments: 3, compressor: cluster_means+int4}"],
    "codes": [TWO, "strategy={name: prism, compressor: vector_quantisation, codebook_size: 16}", "terminal=2"],
    "half precision on the wire": [THREE, "model.wire_dtype=float16", "strategy={name: voltage}"],
}
NEW = "workload={tokens: 13, batch: 2, new_tokens: 6}"
LLAMA = (
    "model={dims: {model_type: llama, hidden_size: 24, num_hidden_layers: 3, num_attention_heads: 6, "
    "num_key_value_heads: 3, intermediate_size: 35, vocab_size: 300, max_position_embeddings: 64}}"
)
TEXT_CASES: dict[str, list[str]] = {
    "text by prism": [TWO, GPT2, NEW, "terminal=2"],
    "text by voltage": [THREE, LLAMA, NEW, "strategy={name: voltage}"],
    "text by tensor parallel": [TWO, LLAMA, NEW, "strategy={name: tensor_parallel}"],
    "text by a pipeline": [THREE, GPT2, NEW, "strategy={name: pipeline}"],
}


@pytest.fixture(scope="module")
def measured(tiny: Path) -> dict[str, LiveResult]:
    """Every case, run."""
    every = CASES | TEXT_CASES
    orders = json.dumps([[str(tiny), overrides, free_port()] for overrides in every.values()])
    environment = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    script = str(Path(__file__).with_name("several.py"))
    starts = [
        ProcessStart(f"process {rank}", [script, orders], {**environment, "RANK": str(rank)}) for rank in range(3)
    ]
    found = launch(starts, 100)
    scenarios = [load_scenario(tiny, overrides) for overrides in every.values()]
    results = [LiveResult.of(one, planned(one), report) for one, report in zip(scenarios, found, strict=True)]
    return dict(zip(every, results, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_processes_compute_what_one_process_does(measured: dict[str, LiveResult], name: str):
    found = measured[name]
    assert found.output_error < (5e-3 if "half" in name else 1e-5)
    assert found.output_agrees


@pytest.mark.parametrize("name", CASES)
def test_what_was_measured_explains_itself_like_a_simulated_run(measured: dict[str, LiveResult], name: str):
    found = measured[name]
    timeline, predicted = found.timeline, found.predicted.timeline
    assert sum(timeline.breakdown_s.values()) == pytest.approx(timeline.latency_s, rel=1e-9)
    assert timeline.latency_s == pytest.approx(found.latencies_s[0], rel=1e-9) or len(found.latencies_s) > 1
    assert timeline.latency_s in [pytest.approx(latency_s, rel=1e-9) for latency_s in found.latencies_s]
    assert 0 < timeline.latency_s < 30
    assert to_trace_events(timeline)["traceEvents"]
    assert found.to_json()["output"]["agrees"]
    assert timeline.received_bytes == predicted.received_bytes
    assert timeline.sent_bytes == predicted.sent_bytes
    crossed = [(m.exchange, m.source, m.destination, m.payload_bytes) for m in timeline.messages]
    assert sorted(crossed) == sorted((m.exchange, m.source, m.destination, m.payload_bytes) for m in predicted.messages)
    assert all(m.arrival_s >= m.posted_s >= 0 for m in timeline.messages)


@pytest.mark.parametrize("name", TEXT_CASES)
def test_processes_generate_what_one_process_does(measured: dict[str, LiveResult], name: str):
    """Tokens one by one, logits and caches; each step by its own plan's messages, and explained part by part."""
    found, job = measured[name], measured[name].predicted.job
    text, n_steps = found.text, job.new_tokens - 1
    assert text is not None
    assert text.n_equal == text.n_tokens == 2 * 6
    assert found.output_error < 1e-5
    assert text.cache_error is not None
    assert text.cache_error < 1e-5
    assert text.cache_bytes == cache_bytes(job.step(13 + n_steps - 1))
    assert found.output_agrees
    assert len(found.timelines) == 1 + n_steps
    assert found.predicted.decoding is not None
    for step in text.steps:
        crossed, expected = (
            sorted((m.exchange, m.source, m.destination, m.payload_bytes) for m in timeline.messages)
            for timeline in (step, found.predicted.decoding.moments[0].timeline)
        )
        assert crossed == expected
        assert sum(step.breakdown_s.values()) == pytest.approx(step.latency_s, rel=1e-9)
    assert found.sent_bytes == found.predicted.sent_bytes


@pytest.mark.parametrize("name", TEXT_CASES)
def test_the_first_token_and_the_later_ones_make_up_the_latency(measured: dict[str, LiveResult], name: str):
    found = measured[name]
    assert found.text is not None
    for latency_s, ttft_s, tpot_s in zip(found.latencies_s, found.text.ttfts_s, found.text.tpots_s, strict=True):
        assert ttft_s > 0 < tpot_s
        assert ttft_s + 5 * tpot_s == pytest.approx(latency_s, rel=1e-9)
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))["generation"]
    assert told["predicted"]["ttft_s"] == found.predicted.timeline.latency_s
    assert told["caches"]["agree"]
    assert [len(one) for one in told["measured"]["token_s"]] == [6, 6]


@pytest.mark.parametrize("name", ["prism over three", "pipeline", "gpt2"])
def test_a_participant_computes_under_the_labels_of_its_program(measured: dict[str, LiveResult], name: str):
    found = measured[name]
    for participant in range(len(found.predicted.device_of)):
        seen = {s.label for s in found.timeline.spans if s.participant == participant and s.kind == "compute"}
        assert {step.label for step in found.predicted.plan.computes(participant) if step.flops} <= seen


def command(tiny: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "prism_sim.cli", "live", str(tiny), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200", **environment},
    )


def ranks_when_running(run: subprocess.Popen[str], tiny: Path) -> list[int]:
    """The processes of a live run, once it has said that they have met."""
    assert run.stderr is not None
    for line in run.stderr:
        if line.startswith("all processes have met"):
            return sorted(processes_with(f"-m prism_sim.live {tiny}"))
    raise AssertionError("it has ended")


def test_the_command_shows_and_writes_what_it_measured(tiny: Path, tmp_path: Path, no_orphans: None):
    done = command(
        tiny, "--repeats", "3", "--timeout", "90", "--json", str(tmp_path / "l.json"), "--out", str(tmp_path)
    )
    out, err = done.communicate(timeout=100)
    assert done.returncode == 0, err
    assert "measured, median" in out
    assert "output: as computed in one process" in out
    found = json.loads((tmp_path / "l.json").read_text())
    assert found["schema"] == "prism-sim/live/1"
    assert len(found["measured"]["latencies_s"]) == 3
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert (tmp_path / "timeline.png").stat().st_size > 1000


@pytest.mark.parametrize(("blow", "said"), [(signal.SIGKILL, "killed by SIGKILL"), (signal.SIGSTOP, "last said")])
def test_a_process_that_dies_or_hangs_ends_the_run(tiny: Path, no_orphans: None, blow: signal.Signals, said: str):
    limit_s = 90.0 if blow == signal.SIGKILL else 25.0
    begun_s = time.monotonic()
    # a message a millisecond for minutes, one of both while text is generated
    text = ["--set", GPT2, "--set", NEW] if blow == signal.SIGKILL else []
    run = command(tiny, "--repeats", "100000", "--timeout", str(limit_s), "--set", "strategy={name: voltage}", *text)
    try:
        os.kill(ranks_when_running(run, tiny)[1], blow)
        _, err = run.communicate(timeout=limit_s + 20)
    finally:
        run.kill()
    assert time.monotonic() - begun_s < limit_s + 10
    assert run.returncode == 1
    assert "Traceback" not in err
    message = next(line for line in err.splitlines() if line.startswith("prism-sim: "))
    assert re.search(rf"failed after \d+\.\d s: .*{said}", message)
    assert "board-1" in message


def test_ctrl_c_ends_all(tiny: Path, no_orphans: None):
    run = command(tiny, "--repeats", "100000", "--set", LLAMA, "--set", NEW)
    try:
        ranks_when_running(run, tiny)
        os.kill(run.pid, signal.SIGINT)
        run.communicate(timeout=20)
    finally:
        run.kill()
    assert run.returncode == 130


def test_an_occupied_port_is_a_clear_error(tiny: Path, no_orphans: None):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = command(tiny, "--port", str(taken.getsockname()[1]))
        _, err = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "cannot be used: Address already in use" in err


def process(tiny: Path, rank: int, world: int, port: int, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """One process alone, as torchrun would start it."""
    seat = {"RANK": str(rank), "WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return subprocess.run(
        [sys.executable, "-m", "prism_sim.live", str(tiny), f"--timeout={timeout_s}"],
        capture_output=True,
        text=True,
        timeout=timeout_s + 40,
        check=False,
        env={**os.environ, **seat, "GLOO_SOCKET_IFNAME": "lo"},
    )


def test_the_wrong_number_of_processes_is_a_clear_error(tiny: Path):
    done = process(tiny, 1, 3, free_port(), 20)
    assert done.returncode == 1
    assert "2 device(s) take part (board-0, board-1)" in done.stderr
    assert "this is process 1 of 3" in done.stderr


def test_a_process_whom_nobody_answers_says_so_in_time(tiny: Path):
    done = process(tiny, 1, 2, free_port(), 8)
    assert done.returncode == 1
    assert "nobody answers at 127.0.0.1:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_first_process_that_cannot_listen_says_so(tiny: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = process(tiny, 0, 2, taken.getsockname()[1], 20)
    assert done.returncode == 1
    assert "cannot listen at 127.0.0.1:" in done.stderr


def test_torchrun_starts_the_processes_too(tiny: Path, no_orphans: None):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", f"--master-port={free_port()}"]
    done = subprocess.run(
        [*torchrun, "-m", "prism_sim.live", str(tiny), "--repeats=2", "--timeout=60"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo", "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "measured, median" in done.stdout
    assert "output: as computed in one process" in done.stdout


@pytest.fixture
def shaping() -> None:
    if reason := namespaces.why_not():
        pytest.skip(reason)


def leftovers(pid: int) -> list[str]:
    """Namespaces that this process has made; other tests may run beside this one."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    return re.findall(rf"^{namespaces.NAME}-{pid}-\S+", listed, re.MULTILINE)


def test_shaped_links_carry_the_plans_bytes_at_the_networks_rate(
    tiny: Path, tmp_path: Path, shaping: None, no_orphans: None
):
    """Headers are all that is added: 54 to 66 of 1514 bytes at most, fewer in what the kernel hands down at once."""
    large = ["workload={tokens: 64, batch: 256}", "strategy={name: voltage}", "network={bandwidth: 200 Mbit/s}"]
    overrides = [part for override in large for part in ("--set", override)]
    run = command(tiny, "--shape", "--repeats", "3", "--timeout", "90", "--json", str(tmp_path / "l.json"), *overrides)
    _, err = run.communicate(timeout=100)
    assert run.returncode == 0, err
    found = json.loads((tmp_path / "l.json").read_text())
    assert found["output"]["agrees"]
    for payload_bytes, sent in zip(found["payload_bytes"], found["interface_bytes"], strict=True):
        assert payload_bytes > 1e6
        assert all(payload_bytes < sent_bytes < 1.05 * payload_bytes for sent_bytes in sent)
    # what the network alone takes: no run may be faster
    assert found["measured"]["latency_s"] > 0.9 * 8 * max(found["payload_bytes"]) / 200e6
    assert not leftovers(run.pid)


def test_namespaces_go_also_after_an_error_and_those_of_the_dead_later(shaping: None):
    shape = namespaces.LinkShape(1e6, 1e6)

    def failing() -> None:
        with namespaces.shaped(2, shape) as made:
            assert len(leftovers(os.getpid())) == len(made.places) == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing()
    assert not leftovers(os.getpid())
    dies = (
        "import os, signal\nfrom prism_sim.live import namespaces\n"
        "with namespaces.shaped(1, namespaces.LinkShape(1e6, 1e6)):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    dead = subprocess.Popen([sys.executable, "-c", dies])
    assert dead.wait(60) == -signal.SIGKILL
    namespaces.remove_leftovers()  # or another run beside this one, which does so first
    assert not leftovers(dead.pid)


def test_shaping_is_refused_with_the_reason_where_it_cannot_be(tiny: Path):
    run = command(tiny, "--shape", PATH="/nowhere")
    _, err = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "ip and tc not found: install iproute2" in err


def test_processes_send_what_was_predicted_by_the_ways_that_the_prediction_found_quickest(
    measured: dict[str, LiveResult],
):
    found = measured["tensor parallel by the quickest ways"]
    # without latency or overhead: direct takes 2 transfers of the whole, a ring 4 of a third
    assert found.predicted.collectives["all_reduce"] == ["ring"]
    ways = [
        sorted((one.exchange, one.source, one.destination, one.payload_bytes) for one in timeline.messages)
        for timeline in (found.timeline, found.predicted.timeline)
    ]
    assert ways[0] == ways[1]


def test_what_only_a_radio_can_send_is_refused_before_anything_starts(tiny: Path):
    run = command(tiny, "--set", "network.collective=broadcast", "--set", "ranks=[0, 1, 2]")
    _, err = run.communicate(timeout=60)
    assert run.returncode == 2
    assert "processes cannot do; choose another, as with --set network.collective=direct" in err


def test_a_radio_cannot_be_shaped(tiny: Path):
    run = command(tiny, "--shape", "--set", "network={medium: shared, bandwidth: 10 Mbit/s}")
    _, err = run.communicate(timeout=60)
    assert run.returncode == 2
    assert "--shape makes a switch, but the medium is shared" in err


def test_a_measured_run_is_json_all_through(measured: dict[str, LiveResult]):
    found: Any = json.loads(json.dumps(measured["prism over three"].to_json(), allow_nan=False))
    parts = found["measured"]["breakdown_s"]
    assert set(parts) == {"compute", "staging", "overhead", "network"}
    assert len(found["participants"]) == 4
    assert dataclasses.is_dataclass(measured["prism over three"])
