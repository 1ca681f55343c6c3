"""Text token by token on several processes' loops, in threads: tokens and caches are those of the lock step."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from between_threads import Post, Thread
from torch import Tensor, nn

from prism_sim.live.interpreter import MOST_THREADS, LiveDevice
from prism_sim.live.model import Workshop
from prism_sim.live.outline import outlines
from prism_sim.live.records import BETWEEN_PASSES, Records, Waited, Worked
from prism_sim.live.request import Request, cache_deviation, text_deviation
from prism_sim.live.routing import route
from prism_sim.numeric.cache import Cache
from prism_sim.numeric.generate import Generated, continued, padded_before, prompt_inputs
from prism_sim.numeric.infer import job_for, options_of, plain
from prism_sim.numeric.interpreter import programs
from prism_sim.plan import ExchangeId, ParticipantId
from prism_sim.shapes.interpreter import cache_bytes
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import Placement
from prism_sim.timing.collectives import lower

sys.path.append(str(Path(__file__).parents[1] / "numeric"))

from small_models import build, inputs_of, named

LIMIT_S = 20.0
ROUNDING = 1e-12  # relative, of three blocks in float64
NEW_TOKENS = 5
RANKS = 3
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("tensor_parallel", {}),
    ("galaxy", {}),
    ("pipeline", {"micro_batches": 2, "chunks": 2}),
    ("replicas", {}),
    ("voltage", {}),
    ("voltage", {"cache": "whole"}),
    ("prism", {}),
]


def decoder(family: str) -> nn.Module:
    model = build(family, "lm", tie_word_embeddings=False)
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(10)  # else one token is said for ever
    return model


class Spread:
    """A request on as many threads as `home` names processes, each with models and caches of its own."""

    def __init__(self, model: nn.Module, inputs: dict[str, Any], prompt: Job, algorithm: str, home: Sequence[int]):
        self.prompt, self.home, self.post = prompt, home, Post()
        self.jobs = [prompt, *map(prompt.step, prompt.step_pasts)]
        self.routes = [
            [route(one, lower(one.exchange, algorithm), algorithm) for one in outlines(j)] for j in self.jobs
        ]
        given = plain(model, prompt_inputs(padded_before(inputs)))
        self.requests = [
            Request(Workshop(model, given, prompt, n_threads=1), self.jobs, home[-1] == me)
            for me in range(max(home) + 1)
        ]

    def run(self) -> None:
        deadline_s = time.monotonic() + LIMIT_S
        with ThreadPoolExecutor(MOST_THREADS) as pool, ThreadPoolExecutor(len(self.requests)) as processes:
            passes = [self.devices(me, deadline_s, pool) for me in range(len(self.requests))]
            running = [processes.submit(self.process, me, devices) for me, devices in enumerate(passes)]
            for done in running:
                done.result(LIMIT_S)

    def devices(self, me: int, deadline_s: float, pool: ThreadPoolExecutor) -> list[LiveDevice]:
        found: list[LiveDevice] = []
        for routes in self.routes:
            first_tag = found[-1].next_tag if found else 0
            end = Thread(self.post, me)
            found.append(LiveDevice(routes, self.home, me, end, deadline_s, first_tag=first_tag))
            found[-1].prepare(pool)
        return found

    def process(self, me: int, devices: list[LiveDevice]) -> None:
        with torch.no_grad():
            for number, (job, device) in enumerate(zip(self.jobs, devices, strict=True)):
                made = programs(job, self.requests[me].models(number))
                device.run({index: program for index, program in enumerate(made) if self.home[index] == me})

    def caches(self) -> list[Cache]:
        """Of each participant, where it lives."""
        return [self.requests[process].caches[index] for index, process in enumerate(self.home)]

    def generated(self) -> tuple[Tensor, Tensor]:
        return self.requests[self.home[-1]].generated()


def check(
    family: str,
    strategy: str,
    options: dict[str, Any],
    home: list[int],
    algorithm: str = "direct",
    padding: str = "none",
    placement: Placement = Placement(),  # noqa: B008  # frozen
) -> None:
    model, inputs = decoder(family), inputs_of(family, 2, 9, padding=padding)
    kind = options_of(strategy, 2, None, options)
    prompt = job_for(model, padded_before(inputs), RANKS, strategy, kind, placement).prompt(NEW_TOKENS)
    wanted_caches = [Cache() for _ in home]
    wanted = continued(model, inputs, prompt, observe=False, caches=wanted_caches)
    assert len(wanted.tokens.unique()) > 1
    spread = Spread(model, inputs, prompt, algorithm, home)
    spread.run()
    tokens, logits = spread.generated()
    assert torch.equal(tokens, wanted.tokens)
    error, n_equal = text_deviation(tokens, logits, wanted)
    assert error < ROUNDING
    assert n_equal == tokens.numel() == 2 * NEW_TOKENS
    assert cache_deviation(spread.caches(), wanted_caches) < ROUNDING
    assert tuple(cache.nbytes for cache in spread.caches()) == cache_bytes(spread.jobs[-1])
    assert sum(spread.post.sent_bytes.values()) == sum(
        message.payload_bytes
        for routes in spread.routes
        for one in routes
        for message in one.messages
        if home[message.source] != home[message.destination]
    )


@pytest.mark.parametrize("variant", VARIANTS, ids=named)
def test_processes_generate_what_the_lock_step_generates(variant: tuple[str, dict[str, Any]]) -> None:
    check("llama", *variant, home=[0, 1, 2, 0])


@pytest.mark.parametrize("strategy", ["tensor_parallel", "voltage", "prism"])
def test_a_terminal_apart_and_padded_prompts(strategy: str) -> None:
    check("gpt2", strategy, {}, home=[0, 1, 2, 3], padding="left")


@pytest.mark.parametrize("strategy", ["pipeline", "prism"])
def test_a_prompt_that_lies_on_every_rank(strategy: str) -> None:
    check("llama", strategy, {}, home=[0, 1, 2, 3], placement=Placement(input="replicated"))


@pytest.mark.parametrize("algorithm", ["ring", "star", "tree"])
@pytest.mark.parametrize("strategy", ["tensor_parallel", "voltage"])
def test_whichever_way_a_collective_goes(strategy: str, algorithm: str) -> None:
    check("gpt2", strategy, {}, home=[0, 1, 2, 2], algorithm=algorithm)


def generated(tokens: list[list[int]], logits: Tensor) -> Generated:
    return Generated(torch.tensor(tokens), logits, None, (), ())  # type: ignore[arg-type]


def test_logits_are_compared_as_far_as_they_follow_the_same_tokens() -> None:
    """The second sequence leaves the path at its second token: the logits of that count, those after it do not."""
    wanted = generated([[1, 0, 1], [0, 1, 0]], torch.full((2, 3, 2), 4.0))
    logits = wanted.logits.clone()
    logits[1, 2] = 100.0
    logits[1, 1, 0] = 5.0
    assert text_deviation(torch.tensor([[1, 0, 1], [0, 0, 1]]), logits, wanted) == (0.25, 4)


def test_caches_differ_by_their_values_names_and_sizes() -> None:
    def cache(slot: int, tokens: int, value: float) -> Cache:
        heads = torch.full((1, 2, tokens, 3), value)
        return Cache({slot: (heads, 2 * heads)})

    wanted = [cache(0, 4, 1.0), Cache()]
    assert cache_deviation([cache(0, 4, 1.0), Cache()], wanted) == 0
    assert cache_deviation([cache(0, 4, 1.5), Cache()], wanted) == 0.5
    for other in (cache(1, 4, 1.0), cache(0, 5, 1.0), Cache()):
        assert cache_deviation([other, Cache()], wanted) == float("inf")


def test_a_step_begins_with_what_was_still_done_of_the_pass_before():
    """Who is late leaves no hole before its first work; who was early has waited, and that is before the step."""
    late, early = ParticipantId(0), ParticipantId(1)
    worked = [
        Worked(late, "compute", BETWEEN_PASSES, 3.0, 4.0),
        Worked(late, "compute", "block 0", 4.0, 6.0),
        Worked(early, "compute", BETWEEN_PASSES, -2.0, -1.0),
        Worked(early, "compute", "block 0", 5.0, 6.0),
    ]
    found = Records(worked, [Waited(early, ExchangeId(0), -1.0, 5.0)]).from_zero()
    assert [(one.start_s, one.end_s) for one in found.worked] == [(0.0, 4.0), (4.0, 6.0), (5.0, 6.0)]
    assert [(one.start_s, one.end_s) for one in found.waited] == [(0.0, 5.0)]
