"""Pickled arrays, read without running anything: what a pickle asks to be built is noted, never called.

A pickle can name any function of any module and have it called. Here it can only name what numpy writes for an array,
and gets inert records in its place; the array is made of its bytes afterwards.
"""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from prism_sim.tasks.examples import Array
from prism_sim.tasks.readers.files import reading


def load(path: Path) -> dict[Any, Any]:
    """A pickled dictionary of byte arrays, and of lists of numbers or strings; strings of Python 2 stay bytes.

    Raises DataError for anything else, and for what is damaged.
    """
    with reading(path), path.open("rb") as file:
        try:
            return _plain(_Inert(file, encoding="bytes").load())
        except (pickle.UnpicklingError, AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"no pickle of plain arrays ({str(error) or type(error).__name__})") from error


class _Array:
    """What numpy's pickle says of an array."""

    state: tuple[Any, ...] = ()

    def __init__(self, *made_of: Any) -> None:
        pass

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def array(self) -> Array:
        _, shape, kind, fortran, content = self.state
        if not (isinstance(kind, _Kind) and kind.name in ("u1", b"u1") and isinstance(content, bytes)):
            raise ValueError("an array in it holds no unsigned bytes")
        if not all(isinstance(side, int) and side >= 0 for side in shape) or math.prod(shape) != len(content):
            raise ValueError(f"an array in it should be {shape}, but has {len(content)} bytes")
        return np.frombuffer(content, np.uint8).reshape(shape, order="F" if fortran else "C")


class _Kind:
    """What numpy's pickle says of an array's elements."""

    def __init__(self, name: Any = None, *how: Any) -> None:
        self.name = name

    def __setstate__(self, state: Any) -> None:
        pass


def _array_named(*made_of: Any) -> _Array:
    return _Array()


def _latin(text: Any, encoding: Any) -> bytes:
    """How Python 3 writes bytes into a pickle that Python 2 can read."""
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError("bytes in an unknown encoding")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """How Python 3 writes an empty byte string into a pickle that Python 2 can read."""
    return b""


_KNOWN = {
    ("numpy.core.multiarray", "_reconstruct"): _array_named,
    ("numpy._core.multiarray", "_reconstruct"): _array_named,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
    ("_codecs", "encode"): _latin,
    ("__builtin__", "bytes"): _no_bytes,
}


class _Inert(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is never run")
        return _KNOWN[module, name]

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError("it refers to objects outside of it")


def _plain(found: Any) -> dict[Any, Any]:
    """The dictionary with its arrays made. ValueError for anything but arrays and lists of numbers or strings."""
    if not isinstance(found, dict):
        raise ValueError(f"it holds no dictionary but a {type(found).__name__}")
    made = {key: value.array() if isinstance(value, _Array) else value for key, value in found.items()}
    for key, value in made.items():
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, (int, float, str, bytes, np.ndarray, type(None))):
                raise ValueError(f"{key!r} in it is or holds a {type(item).__name__}")
    return made
