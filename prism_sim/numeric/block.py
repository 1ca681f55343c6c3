"""A block on tensors, from a Hugging Face layer's parts; see `strategies.base.Block`."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from prism_sim.families.base import Affine, BlockParts
from prism_sim.numeric.equations import scaling_aware_attention


class TensorBlock:
    """Shapes: x, h (batch, tokens, width); q, k, v (batch, heads, tokens, head width); training applies dropout."""

    def __init__(self, parts: BlockParts, training: bool) -> None:
        self.parts, self.training = parts, training

    def _project(self, affine: Affine, h: Tensor, heads: range | None) -> Tensor:
        weight, bias = affine.weight, affine.bias
        if heads is not None:
            chosen = self._columns(heads)
            weight, bias = weight[chosen], None if bias is None else bias[chosen]
        y = F.linear(h, weight, bias)  # (B, T, heads * d)
        return y.view(*y.shape[:2], -1, self.parts.head_width).transpose(1, 2)  # (B, heads, T, d)

    def _columns(self, heads: range) -> slice:
        return slice(heads.start * self.parts.head_width, heads.stop * self.parts.head_width)

    def attention_norm(self, x: Tensor) -> Tensor:
        return self.parts.attention_norm(x) if self.parts.pre_norm else x

    def queries(self, h: Tensor, heads: range | None = None) -> Tensor:
        return self._project(self.parts.query, h, heads)

    def keys(self, h: Tensor, heads: range | None = None) -> Tensor:
        return self._project(self.parts.key, h, heads)

    def values(self, h: Tensor, heads: range | None = None) -> Tensor:
        return self._project(self.parts.value, h, heads)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
        dropout = self.parts.attention_dropout if self.training else 0.0
        a = scaling_aware_attention(q, k, v, bias, self.parts.scaling, dropout)
        return a.transpose(1, 2).flatten(2)  # (B, T, heads * d)

    def attention_output(self, a: Tensor, heads: range | None = None) -> Tensor:
        weight = self.parts.output.weight
        return F.linear(a, weight if heads is None else weight[:, self._columns(heads)])

    def after_attention(self, x: Tensor, a: Tensor) -> Tensor:
        y: Tensor = x + self.parts.output_dropout(_biased(a, self.parts.output))
        return y if self.parts.pre_norm else self.parts.attention_norm(y)

    def feed_forward_norm(self, x: Tensor) -> Tensor:
        return self.parts.feed_forward_norm(x) if self.parts.pre_norm else x

    def feed_forward(self, h: Tensor, columns: range | None = None) -> Tensor:
        return self.contract(self.expand(h, columns), columns)

    def expand(self, h: Tensor, columns: range | None = None) -> Tensor:
        weight, bias = self.parts.expand.weight, self.parts.expand.bias
        if columns is not None:
            chosen = slice(columns.start, columns.stop)
            weight, bias = weight[chosen], None if bias is None else bias[chosen]
        y: Tensor = self.parts.activation(F.linear(h, weight, bias))
        return y

    def contract(self, inner: Tensor, columns: range | None = None) -> Tensor:
        weight = self.parts.contract.weight
        return F.linear(inner, weight if columns is None else weight[:, columns.start : columns.stop])

    def after_feed_forward(self, x: Tensor, f: Tensor) -> Tensor:
        y: Tensor = x + self.parts.feed_forward_dropout(_biased(f, self.parts.contract))
        return y if self.parts.pre_norm else self.parts.feed_forward_norm(y)


def _biased(y: Tensor, affine: Affine) -> Tensor:
    return y if affine.bias is None else y + affine.bias
