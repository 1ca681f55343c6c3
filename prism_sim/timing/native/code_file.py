"""A file of machine code: read back whole and for the same key, or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

SCHEMA = "prism-sim/machine-code/1"


@dataclass(frozen=True, slots=True)
class MachineCode:
    """An object file's content, and the symbol of the function in it that is called."""

    symbol: str
    object_code: bytes


def write(path: Path, key: str, code: MachineCode) -> None:
    """Whole or not at all. key: all that must be the same for whoever reads it. Raises OSError."""
    head = {"schema": SCHEMA, "key": key, "symbol": code.symbol, "sha256": sha256(code.object_code).hexdigest()}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(json.dumps(head).encode() + b"\n" + code.object_code)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read(path: Path, key: str) -> MachineCode | None:
    """What is kept there under this key; None if there is nothing, nothing whole, or something else."""
    try:
        head, _, object_code = path.read_bytes().partition(b"\n")
        found = json.loads(head)
    except (OSError, ValueError):
        return None
    wanted = {"schema": SCHEMA, "key": key, "sha256": sha256(object_code).hexdigest()}
    if not (isinstance(found, dict) and wanted.items() <= found.items() and isinstance(found.get("symbol"), str)):
        return None
    return MachineCode(found["symbol"], object_code)
