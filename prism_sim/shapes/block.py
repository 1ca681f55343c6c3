"""A block in sizes alone: each method enters its kernels and weights in the ledger and gives back a shape."""

from __future__ import annotations

from collections.abc import Sequence

from prism_sim.families.configuration import ROTATION
from prism_sim.families.dimensions import Dimensions
from prism_sim.plan import ATTENTION
from prism_sim.shapes.ledger import Ledger, Shape


class ShapeBlock:
    """One block of one participant; see `strategies.base.Block`."""

    def __init__(self, number: int, sizes: Dimensions, pre_norm: bool, ledger: Ledger) -> None:
        self.number, self.sizes, self.pre_norm, self.ledger = number, sizes, pre_norm, ledger

    def _norm(self, name: str, x: Shape) -> Shape:
        self.ledger.hold(self.sizes.norm_weights * x.shape[-1], self.number, name)
        self._elementwise(name, x, self.sizes.norm)
        return self.ledger.shape(*x.shape)

    def _elementwise(self, name: str, x: Shape, kernels: Sequence[int]) -> None:
        """Kernels that move so many elements for each of x."""
        for moved in kernels:
            self.ledger.kernel(name, 0, moved * x.elements)

    def _product(self, name: str, rows: Sequence[int], n_in: int, n_out: int, bias: int, part: range | None) -> None:
        """A product of (rows, n_in) with a weight of (n_in, n_out), and as many elements of bias."""
        batch, tokens = rows
        weight_bytes = self.ledger.hold_matrix(n_in, n_out, bias, self.number, name, part)
        moved = batch * tokens * (n_in + n_out)
        first = self.ledger.first_used(self.number, name, part)
        self.ledger.kernel(name, 2 * batch * tokens * n_in * n_out, moved, weight_bytes, first)

    def _project(self, name: str, h: Shape, n_heads: int, heads: range | None) -> Shape:
        n_out = n_heads * self.sizes.head_width
        self._product(name, h.shape[:2], self.sizes.width, n_out, self.sizes.qkv_bias * n_out, heads)
        return self.ledger.shape(h.shape[0], n_heads, h.shape[1], self.sizes.head_width)

    def _placed(self, name: str, q: Shape) -> Shape:
        """Queries or keys, normalised and turned by their positions where the family does so."""
        if self.sizes.head_norms:
            q = self._norm(f"{name} norm", q)
        if self.sizes.rotary:
            self._elementwise(f"{name} turned", q, ROTATION)
            q = self.ledger.shape(*q.shape)
        return q

    def attention_norm(self, x: Shape) -> Shape:
        return self._norm("attention norm", x) if self.pre_norm else x

    def queries(self, h: Shape, heads: range | None = None, at: object = None) -> Shape:
        n_heads = self.sizes.n_heads if heads is None else len(heads)
        return self._placed("queries", self._project("queries", h, n_heads, heads))

    def keys(self, h: Shape, heads: range | None = None, at: object = None) -> Shape:
        return self._placed("keys", self._project("keys", h, len(self.sizes.key_value_heads(heads)), heads))

    def values(self, h: Shape, heads: range | None = None) -> Shape:
        return self._project("values", h, len(self.sizes.key_value_heads(heads)), heads)

    def attend(self, q: Shape, k: Shape, v: Shape, bias: object, heads: range | None = None) -> Shape:
        batch, n_heads, n_queries, head_width = q.shape
        moved = 2 * q.elements + k.elements + v.elements  # a fused kernel keeps the weights on chip
        self.ledger.kernel(ATTENTION, 4 * batch * n_heads * n_queries * k.shape[2] * head_width, moved)
        return self.ledger.shape(batch, n_queries, n_heads * head_width)

    def attend_in_part(self, q: Shape, k: Shape, v: Shape, bias: object) -> tuple[Shape, Shape]:
        a = self.attend(q, k, v, bias)
        return a, self.ledger.shape(*q.shape[:3])

    def merged(self, parts: Sequence[tuple[Shape, Shape]]) -> Shape:
        if len(parts) == 1:
            return parts[0][0]
        (a, sums), n_parts = parts[0], len(parts)
        self.ledger.kernel("merge", 0, (n_parts + 1) * a.elements + n_parts * sums.elements)
        return self.ledger.shape(*a.shape)

    def attention_output(self, a: Shape, heads: range | None = None) -> Shape:
        width, (batch, tokens, n_in) = self.sizes.width, a.shape
        self._product("attention output", (batch, tokens), n_in, width, 0, heads)
        return self.ledger.shape(batch, tokens, width)

    def _add(self, name: str, x: Shape, bias: bool) -> Shape:
        if bias:
            self.ledger.hold(self.sizes.width, self.number, name, "bias")
        if self.sizes.layer_scale:
            self.ledger.hold(self.sizes.width, self.number, name, "scale")
            self.ledger.kernel(f"{name} scale", 0, 2 * x.elements)
        self.ledger.kernel(name, 0, 3 * x.elements)
        return self.ledger.shape(*x.shape)

    def after_attention(self, x: Shape, a: Shape) -> Shape:
        y = self._add("attention residual", x, self.sizes.output_bias)
        return y if self.pre_norm else self._norm("attention norm", y)

    def feed_forward_norm(self, x: Shape) -> Shape:
        return self._norm("feed-forward norm", x) if self.pre_norm else x

    def feed_forward(self, h: Shape, columns: range | None = None) -> Shape:
        return self.contract(self.expand(h, columns), columns)

    def expand(self, h: Shape, columns: range | None = None) -> Shape:
        if self.sizes.n_experts:
            h = self._routed(h)
        expanded = self._expanded("expand", h, columns)
        if self.sizes.gated:
            gate = self._expanded("gate", h, columns)
            self._elementwise("activation", gate, self.sizes.activation)
            self._elementwise("gating", expanded, (3,))
            return self.ledger.shape(*gate.shape)
        self._elementwise("activation", expanded, self.sizes.activation)
        return expanded

    def _expanded(self, name: str, h: Shape, columns: range | None) -> Shape:
        inner = self.sizes.feed_forward_width if columns is None else len(columns)
        if self.sizes.n_experts:
            return self._through_experts(name, h, inner, columns)
        bias = self.sizes.feed_forward_bias * inner
        self._product(name, h.shape[:2], self.sizes.width, inner, bias, columns)
        return self.ledger.shape(*h.shape[:2], inner)

    def contract(self, inner: Shape, columns: range | None = None) -> Shape:
        if self.sizes.n_experts:
            return self._combined(self._through_experts("contract", inner, self.sizes.width, columns))
        width, (batch, tokens, n_in) = self.sizes.width, inner.shape
        self._product("contract", (batch, tokens), n_in, width, 0, columns)
        return self.ledger.shape(batch, tokens, width)

    def _routed(self, h: Shape) -> Shape:
        """Each row as often as it goes through an expert: (batch, tokens, k, width).

        Softmax, top k and their norm count as one kernel, which reads a number for each expert and writes k weights and
        k places; so do the products of all experts, as grouped matrix products have it.
        """
        (batch, tokens, width), n_experts, k = h.shape, self.sizes.n_experts, self.sizes.experts_per_token
        rows, ledger = batch * tokens, self.ledger
        router_bytes = ledger.hold(width * n_experts, self.number, "router")  # not quantised with the experts
        logits = ledger.shape(batch, tokens, n_experts)
        first = ledger.first_used(self.number, "router")
        ledger.kernel("router", 2 * rows * width * n_experts, h.elements + logits.elements, router_bytes, first)
        ledger.kernel("routing", 0, logits.elements + 2 * rows * k)
        del logits
        ledger.kernel("rows to experts", 0, 2 * k * h.elements)
        return ledger.shape(batch, tokens, k, width)

    def _through_experts(self, name: str, rows: Shape, n_out: int, columns: range | None) -> Shape:
        """(batch, tokens, k, n_in) to (batch, tokens, k, n_out): reads the weights of the experts that are hit."""
        (batch, tokens, k, n_in), n_experts = rows.shape, self.sizes.n_experts
        held_bytes = self.ledger.hold_matrix(n_in, n_experts * n_out, 0, self.number, name, columns)
        read_bytes = round(held_bytes * self.sizes.experts_hit(batch * tokens) / n_experts)
        found = self.ledger.shape(batch, tokens, k, n_out)
        first = self.ledger.first_used(self.number, name, columns)
        self.ledger.kernel(name, 2 * rows.elements * n_out, rows.elements + found.elements, read_bytes, first)
        return found

    def _combined(self, rows: Shape) -> Shape:
        """The weighed sum of what a row's experts made of it."""
        batch, tokens, k, width = rows.shape
        self.ledger.kernel("combine", 0, rows.elements + batch * tokens * (k + width))
        return self.ledger.shape(batch, tokens, width)

    def after_feed_forward(self, x: Shape, f: Shape) -> Shape:
        y = self._add("feed-forward residual", x, self.sizes.feed_forward_bias)
        return y if self.pre_norm else self._norm("feed-forward norm", y)
