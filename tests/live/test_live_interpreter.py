"""Every strategy on several processes' loops, in threads of this process and over queues: the law is the lock step's.

What the processes give must be what the tensors interpreter gives, whichever algorithm makes messages of an exchange;
to float64 rounding, since rows that have crossed lie otherwise in memory, and sums may be added in another order.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from between_threads import Post, Thread
from torch import Tensor

from prism_sim import families, strategies
from prism_sim.live.interpreter import MOST_THREADS, LiveDevice
from prism_sim.live.model import Workshop
from prism_sim.live.outline import nbytes, outlines
from prism_sim.live.routing import route
from prism_sim.numeric.infer import job_for, main_output
from prism_sim.numeric.interpreter import execute, programs
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import Placement
from prism_sim.timing.collectives import lower

sys.path.append(str(Path(__file__).parents[1] / "numeric"))

from small_models import FAMILIES, build, inputs_of, model_of, named, relative_error, variants, without_cache

ALGORITHMS = ("direct", "ring", "star", "tree")
LIMIT_S = 20.0
ROUNDING = 1e-12  # relative, of three blocks in float64


def live(
    model: Any, inputs: dict[str, Any], job: Job, algorithm: str, home: Sequence[int]
) -> tuple[Tensor, Post, list[LiveDevice]]:
    """The output of a run on as many threads as `home` names processes."""
    found = outlines(job)
    routes = [route(one, lower(one.exchange, algorithm), algorithm) for one in found]
    post, deadline_s = Post(), time.monotonic() + LIMIT_S
    workshop = Workshop(model, inputs, job, n_threads=1)
    forward = workshop.held_forward()
    results: dict[int, Any] = {}
    devices = [LiveDevice(routes, home, me, Thread(post, me), deadline_s) for me in range(max(home) + 1)]

    def process(device: LiveDevice) -> None:
        with torch.no_grad():
            made = programs(job, workshop.models(forward))
            own = {index: program for index, program in enumerate(made) if home[index] == device.me}
            results.update(device.run(own))

    with ThreadPoolExecutor(MOST_THREADS) as pool, ThreadPoolExecutor(len(devices)) as processes:
        for device in devices:
            device.prepare(pool)
        for done in [processes.submit(process, device) for device in devices]:
            done.result(LIMIT_S)
    if job.placement.output == "in_place":
        forward = workshop.forward()
        forward.embed()
        forward.head_on_all([results[index] for index in range(job.n_ranks + 1)])
    return forward.output, post, devices


def homes(n_ranks: int) -> Iterator[list[int]]:
    """Processes of the ranks and the terminal: on a device of its own, or beside the last rank."""
    yield list(range(n_ranks + 1))
    yield [*range(n_ranks), n_ranks - 1]


def case(family: str, strategy: str, ranks: int, options: dict[str, Any], **fields: Any) -> tuple[Any, Any, Job]:
    padding = fields.pop("padding", "none")
    model, inputs = model_of(family), inputs_of(family, padding=padding)
    inputs |= without_cache(model)
    given = strategies.find(strategy).options(**options)
    job = job_for(model, inputs, ranks, strategy, given, fields.pop("placement", Placement()))
    return model, inputs, dataclasses.replace(job, **fields)


STRATEGIES = [
    (name, options)
    for name, strategy in strategies.catalogue().items()
    for options in variants(strategy)
    if not isinstance(options.get("shares"), str)  # a word is for a scenario's devices
]


SERVED = [
    (family, *one)
    for family in FAMILIES
    for one in STRATEGIES
    if families.find(family).causal or "chunks" not in one[1]
]


@pytest.mark.parametrize(("family", "strategy", "options"), SERVED, ids=named)
def test_processes_give_what_the_lock_step_gives(family: str, strategy: str, options: dict[str, Any]):
    ranks = 1 if strategies.find(strategy).one_rank else 3
    model, inputs, job = case(family, strategy, ranks, options)
    with torch.no_grad():
        wanted = main_output(execute(model, inputs, job).output)
    for home in homes(ranks):
        found, post, _ = live(model, inputs, job, "direct", home)
        assert relative_error(found, wanted) < ROUNDING
        crossed = sum(
            message.payload_bytes
            for exchange in predict(job).exchanges
            for message in lower(exchange)
            if home[message.source] != home[message.destination]
        )
        assert sum(post.sent_bytes.values()) == crossed


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("strategy", ["prism", "voltage", "tensor_parallel", "galaxy", "pipeline", "replicas"])
@pytest.mark.parametrize("ranks", [2, 3])
def test_every_collective_gives_the_same(algorithm: str, strategy: str, ranks: int):
    model, inputs, job = case("bert", strategy, ranks, {}, padding="holes")
    with torch.no_grad():
        wanted = main_output(execute(model, inputs, job).output)
    for home in homes(ranks):
        found, post, _ = live(model, inputs, job, algorithm, home)
        assert relative_error(found, wanted) < ROUNDING
        assert post.sent_bytes


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_collective_carries_packed_bytes_and_counts(algorithm: str):
    options = {"compressor": "token_merging+int4", "segments": 2}
    model, inputs, job = case("bert", "prism", 3, options, padding="holes", wire_dtype="float32")
    with torch.no_grad():
        wanted = main_output(execute(model, inputs, job).output)
    found, _, _ = live(model, inputs, job, algorithm, [0, 1, 2, 2])
    assert relative_error(found, wanted) < 1e-6  # of the embedded rows in float32


@pytest.mark.parametrize(
    "placement", [Placement(i, o) for i in ("terminal", "replicated") for o in ("terminal", "in_place")]
)
@pytest.mark.parametrize("strategy", ["prism", "tensor_parallel", "pipeline", "galaxy", "replicas"])
def test_wherever_input_and_output_are(strategy: str, placement: Placement):
    model, inputs, job = case("vit", strategy, 2, {}, placement=placement)
    with torch.no_grad():
        wanted = main_output(execute(model, inputs, job).output)
    for home in homes(2):
        found, _, _ = live(model, inputs, job, "direct", home)
        assert relative_error(found, wanted) < ROUNDING


def test_rows_cross_in_the_type_of_the_wire():
    model, inputs, job = case("bert", "voltage", 2, {}, wire_dtype="float32")
    with torch.no_grad():
        wanted = main_output(execute(model, inputs, job).output)
    found, post, _ = live(model, inputs, job, "direct", [0, 1, 0])
    assert relative_error(found, wanted) < 1e-6  # of float32, which may round the other way
    _, full, _ = live(model, inputs, dataclasses.replace(job, wire_dtype=None), "direct", [0, 1, 0])
    assert 2 * sum(post.sent_bytes.values()) == sum(full.sent_bytes.values())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("strategy", ["prism", "voltage", "tensor_parallel", "galaxy", "pipeline", "replicas"])
def test_rows_cross_in_groups_of_32(algorithm: str, strategy: str):
    model = build("bert", hidden_size=96, num_attention_heads=3)
    inputs = inputs_of("bert", padding="holes")
    options = strategies.find(strategy).options()
    job = dataclasses.replace(job_for(model, inputs, 3, strategy, options, Placement()), wire_dtype="q8_0")
    with torch.no_grad():
        wanted = main_output(execute(model, inputs, job).output)
        exact = main_output(execute(model, inputs, dataclasses.replace(job, wire_dtype=None)).output)
    found, post, _ = live(model, inputs, job, algorithm, [0, 1, 2, 3])
    # sums are rounded whenever a term is added: in another order, other halves fall the other way
    assert relative_error(found, wanted) < (0.05 if strategy == "tensor_parallel" else ROUNDING)
    assert 1e-4 < relative_error(wanted, exact) < 0.1
    crossed = sum(message.payload_bytes for one in predict(job).exchanges for message in lower(one, algorithm))
    assert sum(post.sent_bytes.values()) == crossed


def test_logits_of_a_split_head_cross_as_they_are_where_rows_do_not():
    model, inputs = (
        build("llama", "lm", hidden_size=96, num_attention_heads=3, num_key_value_heads=3),
        inputs_of("llama"),
    )
    options = strategies.find("galaxy").options(head="split")
    job = dataclasses.replace(job_for(model, inputs, 3, "galaxy", options, Placement()), wire_dtype="q8_0")
    with torch.no_grad():
        wanted = main_output(execute(model, inputs, job).output)
    found, post, _ = live(model, inputs, job, "direct", [0, 1, 2, 3])
    assert relative_error(found, wanted) < ROUNDING
    logits = next(one for one in predict(job).exchanges if one.label == "logits")
    assert sum(logits.bytes_by_rank) == wanted.nbytes
    crossed = sum(message.payload_bytes for one in predict(job).exchanges for message in lower(one, "direct"))
    assert sum(post.sent_bytes.values()) == crossed


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("strategy", sorted(strategies.catalogue()))
@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_a_message_carries_the_parts_that_its_bytes_say(algorithm: str, strategy: str, ranks: int):
    if strategies.find(strategy).one_rank:
        ranks = 1
    _, _, job = case("bert", strategy, min(ranks, 3), {}, padding="right")
    for one in outlines(job):
        assert tuple(map(nbytes, one.parts)) == one.exchange.bytes_by_rank
        found = route(one, lower(one.exchange, algorithm), algorithm)
        for number, message in enumerate(found.messages):
            assert abs(found.message_bytes(number) - message.payload_bytes) < job.element_bytes
        assert sum(map(found.message_bytes, range(len(found.messages)))) == sum(m.payload_bytes for m in found.messages)


def test_what_only_a_radio_can_do_is_refused():
    _, _, job = case("bert", "prism", 3, {})
    gathering = next(one for one in outlines(job) if one.exchange.kind == "all_gather")
    with pytest.raises(ValueError, match=r"'broadcast'.*'block 0'.*network\.collective=direct"):
        route(gathering, lower(gathering.exchange, "broadcast"), "broadcast")


def test_the_record_of_a_run_has_no_two_things_at_once_on_one_processor():
    model, inputs, job = case("bert", "prism", 2, {})
    _, _, devices = live(model, inputs, job, "ring", [0, 1, 0])
    for device in devices:
        worked = device.recorder.records.worked
        assert all(one.start_s < one.end_s for one in worked)
        assert all(one.end_s <= after.start_s for one, after in pairwise(worked))
        assert {one.kind for one in worked} <= {"compute", "staging", "overhead"}
        assert len(device.recorder.records.ends) == len(device.participants)
    posted = sum(len(device.recorder.records.posted) for device in devices)
    assert posted == sum(len(device.recorder.records.arrived) for device in devices)


def test_a_process_that_waits_too_long_says_for_whom():
    _, _, job = case("bert", "prism", 2, {})
    routes = [route(one, lower(one.exchange), "direct") for one in outlines(job)]
    model, inputs, _ = case("bert", "prism", 2, {})
    device = LiveDevice(routes, [0, 1, 2], 0, Thread(Post(), 0), time.monotonic() + 0.3, lambda peer: f"board {peer}")
    pool = ThreadPoolExecutor(MOST_THREADS)
    device.prepare(pool)
    made = programs(job, Workshop(model, inputs, job, n_threads=1).models(None))
    with pytest.raises(TimeoutError, match=r"waited 0\.\d s in exchange 'input' for board 2"):
        device.run({0: made[0]})
    pool.shutdown()
