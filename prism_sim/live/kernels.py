"""Times the kernels of Transformer blocks on this machine, over sizes.

The same calls go to a block of shapes, which says what kernels a plan counts for each, and to a block of tensors, which
takes its time. Weights are those of several blocks, in turn, as a model's are: they come from memory, not from a cache.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

import torch

from prism_sim import families
from prism_sim.families.configuration import DEPTHS
from prism_sim.live.timed import COPIED_BYTES, WHOLE_PASS, Copy, Pass, TimedStep, are_calm, mean_s
from prism_sim.numeric.block import TensorBlock
from prism_sim.numeric.equations import Turn
from prism_sim.numeric.loading import ModelSource, load
from prism_sim.plan import Kernel
from prism_sim.shapes.block import ShapeBlock
from prism_sim.shapes.ledger import Ledger, Shape

ENOUGH_WEIGHTS_BYTES = 1 << 27  # of blocks used in turn: several times any cache
BLOCKS_A_TURN = 2


class Stack:
    """Blocks of one model, with tensors and with shapes."""

    def __init__(self, config: Mapping[str, Any], where: str) -> None:
        """where: a torch device's name."""
        family = self.family = families.find(str(config["model_type"]))
        self.sizes = family.dimensions(config)
        block_bytes = 4 * self.sizes.width * (4 * self.sizes.width + 2 * self.sizes.feed_forward_width)
        n_blocks = min(self.sizes.n_blocks, max(2, -(-ENOUGH_WEIGHTS_BYTES // block_bytes)))
        depth = next(key for key in DEPTHS if key in config)
        model = load(ModelSource({**config, depth: n_blocks}, None, "none", "float32", seed=0)).to(where)
        self.trunk = getattr(model, family.trunk, model)
        self.blocks = [TensorBlock(family.parts(layer), training=False) for layer in family.layers(self.trunk)]
        self.pre_norm, self.where = family.pre_norm, torch.device(where)
        self.name = str(config["model_type"])

    def rows(self, one: Pass, tokens: int) -> torch.Tensor:
        return torch.randn(one.batch, tokens, self.sizes.width, device=self.where)

    def turn(self, x: torch.Tensor) -> Turn | None:
        """What turns queries or keys of these rows, as if they were the first ones; None where nothing does."""
        positions = torch.arange(x.shape[1], device=self.where)[None]
        found: Turn | None = self.family.rotation(self.trunk, x, positions)
        return found

    def shapes(self) -> tuple[ShapeBlock, Ledger]:
        ledger = Ledger(element_bytes=4)
        return ShapeBlock(0, self.sizes, self.pre_norm, ledger), ledger


def calls(
    block: Any,
    x: Any,
    context: Any,
    heads: range | None,
    columns: range | None,
    turns: tuple[Turn | None, Turn | None] = (None, None),
) -> Iterator[str]:
    """One block of one rank, call by call; names each as it has been made. turns: of the rows, and of the context."""
    h = block.attention_norm(x)
    yield "attention norm"
    c = block.attention_norm(context)
    yield "attention norm of the context"
    q = block.queries(h, heads, turns[0])
    yield "queries"
    k = block.keys(c, heads, turns[1])
    yield "keys"
    v = block.values(c, heads)
    yield "values"
    a = block.attend(q, k, v, None, heads)
    yield "attention"
    a = block.attention_output(a, heads)
    yield "attention output"
    x = block.after_attention(x, a)
    yield "after attention"
    h = block.feed_forward_norm(x)
    yield "feed-forward norm"
    h = block.expand(h, columns)
    yield "expand"
    h = block.contract(h, columns)
    yield "contract"
    block.after_feed_forward(x, h)
    yield "after feed-forward"


def parts_of(stack: Stack, one: Pass) -> tuple[range | None, range | None]:
    """Heads and columns of the pass; None for all."""
    if one.part == 1:
        return None, None
    return range(round(stack.sizes.n_heads * one.part)), range(round(stack.sizes.feed_forward_width * one.part))


def kernels_of(stack: Stack, one: Pass) -> dict[str, tuple[Kernel, ...]]:
    """What a plan counts for each call."""
    block, ledger = stack.shapes()
    x = Shape((one.batch, one.tokens, stack.sizes.width), ledger)
    context = Shape((one.batch, one.context, stack.sizes.width), ledger)
    return {name: ledger.drain() for name in calls(block, x, context, *parts_of(stack, one))}


class _Timer:
    """One pass of one model: the times of each call, over blocks and rounds."""

    def __init__(self, stack: Stack, one: Pass) -> None:
        self.stack, self.one = stack, one
        self.x, self.context = stack.rows(one, one.tokens), stack.rows(one, one.context)
        self.parts = parts_of(stack, one)
        self.turns = stack.turn(self.x), stack.turn(self.context)
        self.seconds: dict[str, list[float]] = {}
        self.wholes: list[float] = []
        self.begun_s: list[float] = []
        self.away_s: list[float] = []

    def block(self, block: TensorBlock) -> None:
        self.begun_s.append(time.monotonic())
        own_s, begun_s = time.thread_time(), time.perf_counter()
        since_s = begun_s
        for name in calls(block, self.x, self.context, *self.parts, self.turns):
            if self.stack.where.type != "cpu":
                torch.accelerator.synchronize()
            now_s = time.perf_counter()
            self.seconds.setdefault(name, []).append(now_s - since_s)
            since_s = time.perf_counter()
        whole_s = time.perf_counter() - begun_s
        self.wholes.append(whole_s)
        on_cpu = self.stack.where.type == "cpu"  # else waiting for an accelerator is no work of a processor
        self.away_s.append(whole_s - (time.thread_time() - own_s) if on_cpu else 0.0)

    def forget(self) -> None:
        """What was timed so far."""
        for times in (self.wholes, self.begun_s, self.away_s):
            times.clear()
        self.seconds.clear()

    def steps(self) -> list[TimedStep]:
        """Means are of the times when nobody else had the processor, if there are any."""
        kernels = kernels_of(self.stack, self.one)
        label = f"{self.stack.name}, {self.one}"
        calm = are_calm(self.wholes, self.away_s)
        kept = calm if any(calm) else (True,) * len(calm)

        def kept_mean_s(times: Sequence[float]) -> float:
            return mean_s(list(compress(times, kept)))

        found = [
            TimedStep(label, name, kernels[name], kept_mean_s(times))
            for name, times in self.seconds.items()
            if kernels[name]
        ]
        everything = sum(kernels.values(), ())
        samples = tuple(self.wholes), tuple(self.begun_s), tuple(self.away_s)
        return [*found, TimedStep(label, WHOLE_PASS, everything, kept_mean_s(self.wholes), *samples)]


def time_copies(where: str, repeats: int = 9) -> list[Copy]:
    """Between an accelerator and the host, both ways alike: the mean of there and back, over sizes."""
    found = []
    for payload_bytes in COPIED_BYTES:
        here = torch.zeros(payload_bytes, dtype=torch.uint8)
        there = torch.zeros_like(here, device=where)
        times = []
        for _ in range(repeats + 1):
            since_s = time.perf_counter()
            here.copy_(there)
            there.copy_(here)
            if there.device.type != "cpu":
                torch.accelerator.synchronize()
            times.append((time.perf_counter() - since_s) / 2)
        found.append(Copy(payload_bytes, statistics.median(times[1:])))
    return found


class KernelTimer:
    """All passes through all stacks, in turn, some at a time."""

    def __init__(self, stacks: Sequence[Stack], passes: Sequence[Pass]) -> None:
        self.timers = [_Timer(stack, one) for stack in stacks for one in passes]
        self.number = 0

    @torch.no_grad()
    def go_on(self, n: int) -> None:
        """The next n passes, each through two blocks, others than the last time; their first time only warms up."""
        for number in range(self.number, self.number + n):
            turn, place = divmod(number, len(self.timers))
            timer = self.timers[place]
            blocks = timer.stack.blocks
            for offset in range(BLOCKS_A_TURN):
                timer.block(blocks[(turn * BLOCKS_A_TURN + offset) % len(blocks)])
            if not turn:
                timer.forget()
        self.number += n

    def steps(self) -> list[TimedStep]:
        """Raises ValueError before each pass had two turns."""
        turns = self.number // len(self.timers)
        if turns < 2:
            raise ValueError(f"{turns} turn(s) of kernels: at least 2 are needed")
        return [step for timer in self.timers for step in timer.steps()]
