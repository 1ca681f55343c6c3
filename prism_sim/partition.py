"""Who owns which tokens, heads, columns, blocks or samples: contiguous runs, as `numpy.array_split` or by shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


def even_split(n_items: int, n_parts: int) -> tuple[int, ...]:
    """Sizes of `n_parts` contiguous parts as `numpy.array_split` cuts them: the first ones are one larger."""
    if n_parts < 1:
        raise ValueError(f"n_parts(={n_parts}) must be >= 1")
    size, larger = divmod(n_items, n_parts)
    return tuple(size + (part < larger) for part in range(n_parts))


def shared_split(n_items: int, shares: Sequence[float], least: int = 1) -> tuple[int, ...]:
    """Sizes in proportion to `shares` (largest remainder), at least `least` (1 or 0) items a part.

    Raises ValueError unless shares are positive (or, where a part may be empty, 0), finite, sum to one (1e-6), and are
    no more than the items.
    """
    if any(not (math.isfinite(share) and (share > 0 or share == 0 == least)) for share in shares):
        raise ValueError(f"shares {list(shares)} must be {'positive' if least else '0 or more'} and finite")
    if abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"shares {list(shares)} sum to {sum(shares):.6g}, but must sum to 1")
    if least * len(shares) > n_items:
        raise ValueError(f"{len(shares)} shares need at least as many items, but there are {n_items}")
    exact = [n_items * share for share in shares]
    sizes = [max(least, math.floor(part)) for part in exact]
    by_remainder = sorted(range(len(shares)), key=lambda part: (sizes[part] - exact[part], part))
    while (missing := n_items - sum(sizes)) > 0:
        for part in by_remainder[:missing]:
            sizes[part] += 1
    while sum(sizes) > n_items:  # parts lifted to one item: those pay that have more, and most above their share
        payers = (part for part, size in enumerate(sizes) if size > 1)
        sizes[max(payers, key=lambda part: (sizes[part] - exact[part], sizes[part], -part))] -= 1
    return tuple(sizes)


def ranges(sizes: Sequence[int]) -> tuple[range, ...]:
    """Contiguous ranges of the given sizes, from 0 on."""
    found, start = [], 0
    for size in sizes:
        found.append(range(start, start + size))
        start += size
    return tuple(found)


def split(
    n_items: int,
    n_parts: int,
    shares: Sequence[float] | str | None = None,
    what: str = "tokens",
    least: int = 1,
    together: int = 1,
) -> tuple[range, ...]:
    """The contiguous range that each of `n_parts` owns, even unless `shares` are given.

    what: the name of the items. least: how many of them a part has at least, 1 or 0. together: so many neighbours are
    never parted; they divide the items.
    Raises ValueError if there are more parts than items, or if the shares do not fit the parts or are a word still.
    """
    if isinstance(shares, str):
        raise ValueError(f"shares {shares!r} are no numbers: only a scenario's devices tell what a word comes to")
    if together > 1:
        if n_items < n_parts * together:
            rule = f"{n_parts} ranks cannot share {n_items} {what}: each needs {together}, whose weights share scales"
            raise ValueError(f"{rule}; name fewer ranks, or write weight_dtype: int8")
        groups = split(n_items // together, n_parts, shares, f"groups of {what}", least)
        return tuple(range(together * group.start, together * group.stop) for group in groups)
    if least * n_parts > n_items:
        raise ValueError(f"{n_parts} ranks cannot share {n_items} {what}: each needs at least one")
    if shares is None:
        return ranges(even_split(n_items, n_parts))
    if len(shares) != n_parts:
        raise ValueError(f"{len(shares)} shares are given for {n_parts} ranks")
    return ranges(shared_split(n_items, shares, least))


@dataclass(frozen=True, slots=True)
class Keys:
    """`n_keys` attention keys for contiguous, even runs of `tokens`; as many as tokens: the rows themselves.

    by_content: each stands for whichever of `tokens` are alike, so that their counts are only known with the rows.
    """

    tokens: range
    n_keys: int
    by_content: bool = False

    @property
    def counts(self) -> tuple[int, ...]:
        """Tokens behind each key, of contiguous runs."""
        return even_split(len(self.tokens), self.n_keys)

    @property
    def last_tokens(self) -> tuple[int, ...]:
        """The last token that each key may stand for: a causal query before it must not see the key."""
        if self.by_content:
            return (self.tokens.stop - 1,) * self.n_keys
        return tuple(self.tokens.start + run.stop - 1 for run in ranges(self.counts))
