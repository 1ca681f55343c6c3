"""Model families: one a file, found by itself. A module that offers `FAMILY` is in the catalogue."""

from __future__ import annotations

from functools import cache

from prism_sim.catalogue import discover, look_up
from prism_sim.families.base import Dimensions, Family, Head

__all__ = ["Dimensions", "Family", "Head", "catalogue", "find"]


@cache
def catalogue() -> dict[str, Family]:
    """All families by Hugging Face's `model_type`, in alphabetical order."""
    return {family.model_type: family for family in discover(__name__, "FAMILY", Family)}  # type: ignore[type-abstract]


def find(model_type: str) -> Family:
    """Raises ValueError with the nearest name, or all names, if there is no such family."""
    return look_up("model family", model_type, catalogue())
