"""The size law turned round: the settings with which a compressor's message is as large as a number of bytes allows.

So that compressors can be compared at equal bytes: at equal L they send different amounts.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from prism_sim import compressors


def settings_for_bytes(
    name: str,
    n_tokens: int,
    width: int,
    budget_bytes: int,
    element_bytes: int | Fraction = 4,
    batch: int = 1,
    **fixed: Any,
) -> dict[str, int] | None:
    """What to set so that the message of a partition of `n_tokens` comes nearest to `budget_bytes` from below.

    Gives the compressor's lever at its largest value that fits, such as {"segments": 12} or {"codebook_groups": 5};
    nothing, {}, where there is no lever and the message fits; None where no message fits. Of a chain the reducer's
    lever is turned, the quantiser's stays as `fixed` says. fixed: other settings, such as codebook_size=256.
    element_bytes: of the wire's element type. budget_bytes: of the whole batch.

    Raises ValueError for an unknown compressor, or for settings that it cannot take.
    """

    def size(settings: dict[str, Any]) -> int:
        found = compressors.create(name, {**fixed, **settings})
        return found.message_bytes(batch, n_tokens, width, element_bytes)

    entries = compressors.parts(name)
    lever = next((entry.lever for entry in entries if entry.lever is not None), None)
    if strange := set(fixed) - {setting for entry in entries for setting in entry.settings}:
        raise ValueError(f"{name} has no setting {', '.join(sorted(strange))}")
    if lever is None:
        return {} if size({}) <= budget_bytes else None
    settings = ({lever.setting: value} for value in range(lever.most(n_tokens, width), 0, -1))
    return next((found for found in settings if size(found) <= budget_bytes), None)
