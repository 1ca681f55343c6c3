"""How functions are compiled: kept on disk once they are; wrappers for Python only where that calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
T = TypeVar("T")


def entry(function: Callable[P, T]) -> Callable[P, T]:
    """Python calls it."""
    compiled: Callable[P, T] = njit(cache=True, nogil=True)(function)
    return compiled


def inner(function: Callable[P, T]) -> Callable[P, T]:
    """Only compiled code calls it: a wrapper that takes fifty arrays apart costs as much to make as all else."""
    compiled: Callable[P, T] = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return compiled
