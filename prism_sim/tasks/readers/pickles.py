"""Pickled arrays, as CIFAR's authors give them away: nothing but numpy's own constructors is ever called."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, NoReturn

from prism_sim.tasks.readers.files import reading

# what numpy, of either name, writes for an array, and Python 3 for bytes that Python 2 can read
ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    ("__builtin__", "bytes"),
}


def load(path: Path) -> dict[str, Any]:
    """A pickled dictionary; strings of Python 2, its keys apart, stay bytes. Raises DataError for anything else."""
    with reading(path), path.open("rb") as file:
        try:
            found = _Restricted(file, encoding="bytes").load()
        except (pickle.UnpicklingError, AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"no pickle of plain arrays ({str(error) or type(error).__name__})") from error
        if not isinstance(found, dict):
            raise ValueError(f"it holds no dictionary but a {type(found).__name__}")
        return {key.decode() if isinstance(key, bytes) else str(key): value for key, value in found.items()}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is never run")
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError("it refers to objects outside of it")
