"""PRISM's equations (arXiv 2507.12145 and 2605.25682), on tensors of any dtype and device; all differentiable.

Symbols: N_p own rows of width D, L segments, g tokens behind a key, Q queries, K keys.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Turn = tuple[Tensor, Tensor]  # cosines and sines (batch or 1, tokens, d) of the positions of rows


def turned(q: Tensor, at: Turn) -> Tensor:
    """Queries or keys turned by their positions (RoFormer, arXiv 2104.09864, eq. 34), in Hugging Face's order of d.

    q: (batch, heads, tokens, d), whose element i belongs with i + d/2. The product of a query and a key then depends on
    how far apart they stand, wherever that is.
    """
    cos, sin = at[0][:, None], at[1][:, None]
    one, other = q.chunk(2, dim=-1)
    return q * cos + torch.cat([-other, one], dim=-1) * sin


def segment_means(x: Tensor, n_segments: int, real: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean of each of `n_segments` contiguous runs of tokens, cut as `numpy.array_split` (arXiv 2605.25682, eq. 1).

    x: (batch, tokens, width). real: (batch, tokens), true at real tokens; a padded token enters no mean and no count.
    Returns means (batch, n_segments, width), 0 where a segment is all padding, and counts (batch, n_segments).
    Raises ValueError unless 1 <= n_segments <= tokens.
    """
    batch, n_tokens, _ = x.shape
    if not 1 <= n_segments <= n_tokens:
        raise ValueError(f"n_segments(={n_segments}) must be between 1 and the {n_tokens} tokens")
    length, n_longer = divmod(n_tokens, n_segments)
    border = n_longer * (length + 1)  # the first runs are one token longer
    # a sum of c rows may leave float16's range, c its exact integers
    precise = torch.promote_types(x.dtype, torch.float32)
    weights = x.new_ones(batch, n_tokens, dtype=precise) if real is None else real.to(precise)
    weighted = x if real is None else x * weights.unsqueeze(-1)

    def run_sums(rows: Tensor) -> Tensor:  # (batch, tokens, ...) -> (batch, n_segments, ...)
        longer = rows[:, :border].reshape(batch, n_longer, length + 1, *rows.shape[2:]).sum(2, dtype=precise)
        others = rows[:, border:].reshape(batch, n_segments - n_longer, length, *rows.shape[2:]).sum(2, dtype=precise)
        return torch.cat([longer, others], dim=1)

    counts = run_sums(weights)
    means = run_sums(weighted) / counts.clamp(min=1).unsqueeze(-1)
    return means.to(x.dtype), counts


def attention_bias(counts: Tensor, visible: Tensor | None = None, dtype: torch.dtype | None = None) -> Tensor:
    """The bias log g_j of each key; minus infinity in all but name for keys of count 0 and for those not visible.

    counts: (batch or 1, K). visible: (Q, K), see `partition_aware_causal_mask`; None: all. dtype: of the attention.
    Returns (batch or 1, 1, Q or 1, K), to be added to q.k / sqrt(d): a mean of c tokens then weighs like c copies of
    itself, A_ij = g_j exp(q_i.k_j / sqrt(d)) / sum_m g_m exp(q_i.k_m / sqrt(d)). The floor is finite, so that a query
    that sees nothing (a padded one) gives no NaN; beside any visible key it underflows to exactly 0.
    """
    dtype = counts.dtype if dtype is None else dtype
    floor = torch.finfo(dtype).min / 2
    bias = counts.clamp(min=1).log().to(dtype).masked_fill(counts == 0, floor)[:, None, None, :]
    return bias if visible is None else bias.masked_fill(~visible, floor)


def partition_aware_causal_mask(queries: Tensor, last_tokens: Tensor) -> Tensor:
    """True where a query may see a key: iff the last token that the key stands for is not after the query.

    queries: (Q,) token numbers. last_tokens: (K,) the last token behind each key. Returns (Q, K). For own rows this is
    lower-triangular; it shows every mean of an earlier rank and hides every mean of a later one.
    """
    return last_tokens[None, :] <= queries[:, None]


def attention_in_part(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, scale: float) -> tuple[Tensor, Tensor]:
    """Attention over some of the keys alone, (batch, heads, Q, d), and log sum exp(q k^T scale + bias) over them.

    The sums are (batch, heads, Q). Shapes as `scaling_aware_attention`.
    """
    logits = q @ k.transpose(-1, -2) * scale
    if bias is not None:
        logits = logits + bias
    sums = logits.logsumexp(-1)
    return (logits - sums.unsqueeze(-1)).exp() @ v, sums


def merged_attention(parts: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Attention over all keys from `attention_in_part` over each part of them (as in flash decoding).

    Rows (batch, Q, heads, d), sums (batch, heads, Q); a part weighs as the sum of its exponentials.
    """
    weights = torch.stack([sums for _, sums in parts]).softmax(0).transpose(2, 3).unsqueeze(-1)
    return (torch.stack([rows for rows, _ in parts]) * weights).sum(0)


def scaling_aware_attention(
    q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, scale: float, dropout: float = 0.0
) -> Tensor:
    """softmax(q k^T scale + bias) v. q: (batch, heads, Q, d); k, v: (batch, heads, K, d); bias: `attention_bias`.

    Returns (batch, heads, Q, d).
    """
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout, scale=scale)
