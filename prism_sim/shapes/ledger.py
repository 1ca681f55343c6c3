"""Shapes in place of tensors, and the ledger of one participant's kernels, weights and live memory."""

from __future__ import annotations

from math import prod
from typing import Any

from prism_sim.element_types import FLOAT32_BYTES, ElementType
from prism_sim.plan import Kernel


class KnownKernels:
    """Each kernel once, and each run of kernels once: most blocks and many ranks do the same work, and so share it."""

    def __init__(self) -> None:
        self.ones: dict[tuple[str, int, int, int], Kernel] = {}
        self.runs: dict[tuple[int, ...], tuple[Kernel, ...]] = {}  # by the ids of kernels that `ones` keeps alive

    def run(self, kernels: list[Kernel]) -> tuple[Kernel, ...]:
        key = tuple(map(id, kernels))
        found = self.runs.get(key)
        if found is None:
            found = self.runs[key] = tuple(kernels)
        return found


class Ledger:
    """What one participant computes and holds. Meets the driver's `Meter`."""

    def __init__(
        self,
        element_bytes: int,
        matrices: ElementType | None = None,
        wire: ElementType | None = None,
        known: KnownKernels | None = None,
    ) -> None:
        """Bytes of an element of an activation; the type of blocks' weight matrices, and of rows on the wire.

        None: as activations. known: shared by those whose equal kernels shall be the same.
        """
        self.element_bytes = element_bytes
        plain = ElementType("activations", element_bytes)
        self.matrices, self.wire = matrices or plain, wire or plain
        self.crosses_as_it_is = (self.wire.group_bytes, self.wire.group) == (element_bytes, 1)
        # beside matrices in groups all other weights stay in float32, as in files of the GGUF format (llama.cpp,
        # convert_hf_to_gguf.py): norms, biases, routers, positions; whatever the type of activations
        self.vector_bytes = FLOAT32_BYTES if self.matrices.is_grouped else element_bytes
        self.known = KnownKernels() if known is None else known
        self._ones = self.known.ones
        self.kernels: list[Kernel] = []
        self.weights: dict[tuple[object, ...], int] = {}  # bytes by what they are: a slice is held once
        self.in_use: list[tuple[object, ...]] = []  # weights since the pass came to their block, or step outside blocks
        self.live_bytes = 0
        self.peak_bytes = 0

    def resume(self) -> None:
        self.kernels.clear()

    def drain(self) -> tuple[Kernel, ...]:
        if not self.kernels:
            return ()
        found = self.known.run(self.kernels)
        self.kernels.clear()
        return found

    def hold(self, parameters: int, *what: object) -> int:
        """Enters weights that are no matrix of a block and that this participant needs, once for each `what`."""
        return self.hold_bytes(parameters * self.vector_bytes, *what)

    def hold_matrix(self, n_in: int, n_out: int, bias: int, *what: object) -> int:
        """Enters a block's weight matrix and bias; their bytes. Raises ValueError where it parts a group of weights."""
        if n_in % (group := self.matrices.group):
            rule = f"weights in {self.matrices.name} are kept {group} together, but a rank has rows of {n_in}"
            raise ValueError(f"{' '.join(map(str, what[1:2]))}: {rule}; fewer ranks or other shares would do, or int8")
        return self.hold_bytes(self.matrices.matrix_bytes(n_in, n_out) + bias * self.vector_bytes, *what)

    def hold_bytes(self, held_bytes: int, *what: object) -> int:
        self.weights[what] = held_bytes
        return held_bytes

    def first_used(self, *what: object) -> bool:
        """Whether this is the first use of these weights since the pass came to their block, `what[0]`."""
        if self.in_use and self.in_use[0][0] != what[0]:
            self.in_use.clear()
        if what in self.in_use:
            return False
        self.in_use.append(what)
        return True

    def kernel(self, name: str, flops: int, moved: int, read_bytes: int = 0, first: bool = True) -> None:
        """Enters a kernel; moved: activation elements read and written; read_bytes: of weights besides.

        first: whether it is the first to use these, see `first_used`.
        """
        key = name, flops, moved * self.element_bytes + read_bytes, read_bytes if first else 0
        found = self._ones.get(key)
        if found is None:
            found = self._ones[key] = Kernel(*key)
        self.kernels.append(found)

    def shape(self, *shape: int) -> Shape:
        """A new activation of this participant, in its memory for as long as the program refers to it."""
        return Shape(shape, self)

    def packed(self, *shape: int) -> Packed:
        """New bytes of this participant, as `shape`."""
        return Packed(shape, self)

    def send(self, value: Any) -> Any:
        """What goes out, in the element type of the wire; bytes as they are."""
        if self.crosses_as_it_is or not isinstance(value, Shape) or isinstance(value, Unrounded):
            return value
        self.kernel("to wire type", 0, 2 * value.elements)
        return Shape(value.shape, self, self.wire.nbytes(value.elements))

    def receive(self, value: Any) -> Any:
        """What has arrived, in this participant's memory and element type."""
        if not isinstance(value, Shape):
            return value
        if value.owner is self and self.crosses_as_it_is:
            return value
        if isinstance(value, Unrounded):
            return type(value)(value.shape, self) if value.owner is not self else value
        if not self.crosses_as_it_is:
            self.kernel("from wire type", 0, 2 * value.elements)
            return Shape(value.shape, self)
        return Shape(value.shape, self)

    @property
    def weight_bytes(self) -> int:
        return sum(self.weights.values())


class Shape:
    """Stands for a tensor: its shape, and its bytes in its owner's memory while it lives (as torch would free it)."""

    __slots__ = ("elements", "nbytes", "owner", "shape")

    def __init__(self, shape: tuple[int, ...], owner: Ledger, nbytes: int | None = None) -> None:
        """nbytes: None for elements as its owner computes with them."""
        self.shape = shape
        self.owner = owner
        self.elements = prod(shape)
        self.nbytes = self.elements * owner.element_bytes if nbytes is None else nbytes
        live_bytes = owner.live_bytes = owner.live_bytes + self.nbytes
        if live_bytes > owner.peak_bytes:
            owner.peak_bytes = live_bytes

    def __del__(self) -> None:
        self.owner.live_bytes -= self.nbytes

    def __add__(self, other: Shape) -> Shape:
        """A sum of partial results: a participant's own kernel, or a reduction under way, in nobody's memory."""
        if self.shape != other.shape:
            raise ValueError(f"shapes {self.shape} and {other.shape} cannot be added")
        if self.owner is not other.owner:
            return Shape(self.shape, Ledger(self.owner.element_bytes), self.nbytes)
        self.owner.kernel("sum", 0, 3 * self.elements)
        return Shape(self.shape, self.owner)


class Unrounded(Shape):
    """Stands for a tensor that crosses in the element type of its owner, whatever the wire's."""

    __slots__ = ()


class Packed(Unrounded):
    """Stands for a tensor of bytes."""

    __slots__ = ()

    def __init__(self, shape: tuple[int, ...], owner: Ledger) -> None:
        super().__init__(shape, owner, prod(shape))


class Mask:
    """Stands for the padding mask: one byte a token."""

    __slots__ = ("batch", "nbytes")

    def __init__(self, batch: int, n_tokens: int) -> None:
        self.batch, self.nbytes = batch, batch * n_tokens
