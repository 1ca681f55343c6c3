"""Shapes in place of tensors, and the ledger of one participant's kernels, weights and live memory."""

from __future__ import annotations

from math import prod
from typing import Any

from prism_sim.plan import Kernel


class Ledger:
    """What one participant computes and holds. Meets the driver's `Meter`."""

    def __init__(self, element_bytes: int) -> None:
        self.element_bytes = element_bytes
        self.kernels: list[Kernel] = []
        self.weights: dict[tuple[object, ...], int] = {}  # parameters by what they are: a slice is held once
        self.live_bytes = 0
        self.peak_bytes = 0

    def resume(self) -> None:
        self.kernels.clear()

    def drain(self) -> tuple[Kernel, ...]:
        found = tuple(self.kernels)
        self.kernels.clear()
        return found

    def hold(self, parameters: int, *what: object) -> None:
        """Enters weights that this participant needs, once for each `what`."""
        self.weights[what] = parameters

    def kernel(self, name: str, flops: int, moved: int) -> None:
        """Enters a kernel; moved: elements read and written."""
        self.kernels.append(Kernel(name, flops, moved * self.element_bytes))

    def shape(self, *shape: int) -> Shape:
        """A new activation of this participant, in its memory for as long as the program refers to it."""
        return Shape(shape, self)

    def receive(self, value: Any) -> Any:
        """What has arrived, in this participant's memory."""
        if isinstance(value, tuple):
            return tuple(map(self.receive, value))
        return Shape(value.shape, self) if isinstance(value, Shape) and value.owner is not self else value

    @property
    def weight_bytes(self) -> int:
        return sum(self.weights.values()) * self.element_bytes


class Shape:
    """Stands for a tensor: its shape, and its bytes in its owner's memory while it lives (as torch would free it)."""

    __slots__ = ("nbytes", "owner", "shape")

    def __init__(self, shape: tuple[int, ...], owner: Ledger) -> None:
        self.shape = shape
        self.owner = owner
        self.nbytes = prod(shape) * owner.element_bytes
        owner.live_bytes += self.nbytes
        owner.peak_bytes = max(owner.peak_bytes, owner.live_bytes)

    def __del__(self) -> None:
        self.owner.live_bytes -= self.nbytes

    def __add__(self, other: Shape) -> Shape:
        """A sum of partial results: a participant's own kernel, or a reduction under way, in nobody's memory."""
        if self.shape != other.shape:
            raise ValueError(f"shapes {self.shape} and {other.shape} cannot be added")
        if self.owner is not other.owner:
            return Shape(self.shape, Ledger(self.owner.element_bytes))
        self.owner.kernel("sum", 0, 3 * self.elements)
        return Shape(self.shape, self.owner)

    @property
    def elements(self) -> int:
        return prod(self.shape)


class Mask:
    """Stands for the padding mask: one byte a token."""

    __slots__ = ("nbytes",)

    def __init__(self, batch: int, n_tokens: int) -> None:
        self.nbytes = batch * n_tokens
