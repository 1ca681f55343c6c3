"""Counts the FLOPs that really run, by torch's own counter."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from prism_sim.plan import Kernel


def flop_counter() -> FlopCounterMode:
    """The counter of torch, taught the CPU's fused attention kernel, which it does not know (torch 2.13)."""

    def attention(q: Any, k: Any, v: Any, *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
        return int(sdpa_flop_count(q, k, v))  # type: ignore[no-untyped-call]

    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    return FlopCounterMode(display=False, custom_mapping={fused: attention})


class FlopMeter:
    """One participant's share of a counter that all share, read at its turns. Meets the driver's `Meter`."""

    def __init__(self, counter: FlopCounterMode) -> None:
        self.counter = counter
        self.credit = 0
        self.seen = counter.get_total_flops()

    def resume(self) -> None:
        self.seen = self.counter.get_total_flops()

    def drain(self) -> tuple[Kernel, ...]:
        total = self.counter.get_total_flops()
        flops, self.seen, self.credit = total - self.seen + self.credit, total, 0
        return (Kernel("observed", flops, 0),) if flops else ()


class SilentMeter:
    """Counts nothing, at no cost."""

    credit = 0

    def resume(self) -> None: ...
    def drain(self) -> tuple[Kernel, ...]:
        return ()
