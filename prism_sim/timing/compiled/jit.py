"""How functions are compiled, and where what was compiled is kept."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
T = TypeVar("T")


def entry(function: Callable[P, T]) -> Callable[P, T]:
    """Python calls it; it is kept on disk with all that it calls."""
    compiled: Callable[P, T] = njit(cache=True)(function)
    return compiled


def inner(function: Callable[P, T]) -> Callable[P, T]:
    """Only compiled code calls it."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # nobody else needs them
    compiled: Callable[P, T] = njit(**options)(function)
    return compiled


def source_number() -> int:
    """Of all that is compiled: what is kept of other sources must not be taken for it."""
    texts = [path.read_bytes() for path in sorted(Path(__file__).parent.rglob("*.py"))]
    return int.from_bytes(sha256(b"".join(texts)).digest()[:7])
