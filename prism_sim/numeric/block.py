"""A block on tensors, from a Hugging Face layer's parts; see `strategies.base.Block`."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from prism_sim.families.base import Affine, BlockParts
from prism_sim.families.dimensions import key_value_heads
from prism_sim.numeric import experts
from prism_sim.numeric.equations import (
    Turn,
    attention_in_part,
    merged_attention,
    scaling_aware_attention,
    turned,
)
from prism_sim.numeric.experts import Routed


class TensorBlock:
    """Shapes: x, h (batch, tokens, width); q, k, v (batch, heads, tokens, head width); training applies dropout."""

    def __init__(self, parts: BlockParts, training: bool) -> None:
        self.parts, self.training = parts, training
        self.group = len(parts.query.weight) // len(parts.key.weight)  # query heads to a key/value head

    def _project(self, affine: Affine, h: Tensor, heads: range | None) -> Tensor:
        d = self.parts.head_width
        y = _rows_of(affine, h, None if heads is None else range(heads.start * d, heads.stop * d))  # (B, T, heads * d)
        return y.view(*y.shape[:2], -1, d).transpose(1, 2)  # (B, heads, T, d)

    def attention_norm(self, x: Tensor) -> Tensor:
        return self.parts.attention_norm(x) if self.parts.pre_norm else x

    def queries(self, h: Tensor, heads: range | None = None, at: Turn | None = None) -> Tensor:
        q = self._project(self.parts.query, h, heads)
        return self._placed(q if self.parts.query_norm is None else self.parts.query_norm(q), at)

    def keys(self, h: Tensor, heads: range | None = None, at: Turn | None = None) -> Tensor:
        k = self._project(self.parts.key, h, self._shared(heads))
        return self._placed(k if self.parts.key_norm is None else self.parts.key_norm(k), at)

    def values(self, h: Tensor, heads: range | None = None) -> Tensor:
        return self._project(self.parts.value, h, self._shared(heads))

    def _shared(self, heads: range | None) -> range | None:
        return None if heads is None else key_value_heads(heads, self.group)

    def _placed(self, q: Tensor, at: Turn | None) -> Tensor:
        if not self.parts.rotary:
            return q
        if at is None:
            rule = "this model's queries and keys are turned by their positions, which the strategy does not give"
            raise ValueError(f"{rule}; write block.keys(h, at=model.places(keys, padding)), and queries likewise")
        return turned(q, at)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, heads: range | None = None) -> Tensor:
        if self.group > 1:
            k, v = self._for_each(q, k, heads), self._for_each(q, v, heads)
        dropout = self.parts.attention_dropout if self.training else 0.0
        a = scaling_aware_attention(q, k, v, bias, self.parts.scaling, dropout)
        return a.transpose(1, 2).flatten(2)  # (B, T, heads * d)

    def attend_in_part(self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        if self.group > 1:
            k, v = self._for_each(q, k, None), self._for_each(q, v, None)
        a, sums = attention_in_part(q, k, v, bias, self.parts.scaling)
        return a.transpose(1, 2).flatten(2), sums

    def merged(self, parts: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        d = self.parts.head_width
        return merged_attention([(rows.view(*rows.shape[:2], -1, d), sums) for rows, sums in parts]).flatten(2)

    def _for_each(self, q: Tensor, k: Tensor, heads: range | None) -> Tensor:
        """Keys or values for each query head: (B, key/value heads, K, d) -> (B, heads, K, d)."""
        n_heads, first = q.shape[1], 0 if heads is None else heads.start
        if heads is None and n_heads != k.shape[1] * self.group:
            raise ValueError(f"which are the {n_heads} query heads? write block.attend(q, k, v, bias, heads)")
        return k[:, [(first + head) // self.group - first // self.group for head in range(n_heads)]]

    def attention_output(self, a: Tensor, heads: range | None = None) -> Tensor:
        weight, d = self.parts.output.weight, self.parts.head_width
        return F.linear(a, weight if heads is None else weight[:, heads.start * d : heads.stop * d])

    def after_attention(self, x: Tensor, a: Tensor) -> Tensor:
        y: Tensor = x + self.parts.output_dropout(_biased(a, self.parts.output))
        return y if self.parts.pre_norm else self.parts.attention_norm(y)

    def feed_forward_norm(self, x: Tensor) -> Tensor:
        return self.parts.feed_forward_norm(x) if self.parts.pre_norm else x

    def feed_forward(self, h: Tensor, columns: range | None = None) -> Tensor:
        return self.contract(self.expand(h, columns), columns)

    def expand(self, h: Tensor, columns: range | None = None) -> Tensor | Routed:
        if self.parts.route is not None:
            return experts.expand(self.parts, h, columns)
        y = _rows_of(self.parts.expand, h, columns)
        if self.parts.gate is not None:
            return y * self.parts.activation(_rows_of(self.parts.gate, h, columns))  # type: ignore[no-any-return]
        return self.parts.activation(y)  # type: ignore[no-any-return]

    def contract(self, inner: Tensor | Routed, columns: range | None = None) -> Tensor:
        if isinstance(inner, Routed):
            return experts.contract(self.parts, inner, columns)
        weight = self.parts.contract.weight
        return F.linear(inner, weight if columns is None else weight[:, columns.start : columns.stop])

    def after_feed_forward(self, x: Tensor, f: Tensor) -> Tensor:
        y: Tensor = x + self.parts.feed_forward_dropout(_biased(f, self.parts.contract))
        return y if self.parts.pre_norm else self.parts.feed_forward_norm(y)


def _rows_of(affine: Affine, h: Tensor, chosen: range | None) -> Tensor:
    """The product with these rows of the weight (None: all), and their bias."""
    weight, bias = affine.weight, affine.bias
    if chosen is not None:
        weight, bias = weight[chosen.start : chosen.stop], None if bias is None else bias[chosen.start : chosen.stop]
    return F.linear(h, weight, bias)


def _biased(y: Tensor, affine: Affine) -> Tensor:
    return y if affine.bias is None else y + affine.bias
