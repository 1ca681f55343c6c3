"""What is known of a sweep that is still under way, on disk, so that it can go on after any kind of end.

A line a piece: length and CRC-32 of a text, and the text (JSON). The first says which sweep it is. A line that was cut
off or damaged ends what is believed; from there on it is computed again.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

from prism_sim.sweeping.blocks import RowBlock, Timings
from prism_sim.sweeping.work import PieceAnswer
from prism_sim.syntax.errors import Place

SCHEMA = "prism-sim/sweep-journal/2"


class Known:
    """What is known so far: of timing by task, of others by question."""

    def __init__(self) -> None:
        self.timings = Timings()
        self.outputs: dict[str, dict[Any, dict[str, Any]]] = {"numerics": {}, "accuracy": {}}

    def __getitem__(self, kind: str) -> Mapping[Any, dict[str, Any]]:
        return self.timings if kind == "timing" else self.outputs[kind]

    def add(self, kind: str, found: Iterable[tuple[Any, dict[str, Any]]], blocks: Iterable[RowBlock] = ()) -> None:
        """Of timing blocks, else what was found by question."""
        if kind == "timing":
            self.timings.add(blocks)
        else:
            self.outputs[kind].update(found)


def journal_of(table: Path) -> Path:
    """Beside the table, while it is being computed."""
    return table.with_name(f".{table.name}.journal")


def provenance_of(table: Path) -> Path:
    """Beside the table, once it is there."""
    return table.with_name(f"{table.name}.provenance.json")


class Journal:
    """Open for one process at a time; `known` is what it held when it was opened."""

    def __init__(self, path: Path, identity: Mapping[str, str], resume: bool) -> None:
        """started: when the sweep was first begun. resume: go on with what is there, if anything is; else begin anew.

        Raises ScenarioError if `path` belongs to another sweep, OSError if it cannot be written or is in use.
        """
        self.path, self.known, self.started = path, Known(), now()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file: BinaryIO = path.open("r+b" if path.exists() else "w+b", buffering=0)
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent)) from None
        try:
            self._lock()
            end = self._read(identity) if resume else 0
            self._begin_at(end, identity)
        except BaseException:
            self.file.close()
            raise

    def write(self, answer: PieceAnswer) -> None:
        """Returns when it is on disk. Raises OSError that names the file."""
        rows = {"blocks": [block.to_json() for block in answer.blocks]} if answer.kind == "timing" else {}
        self._append({"kind": answer.kind, "found": answer.found, **rows})

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        self.file.close()

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # not on this system
            return
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            text = "another sweep is writing there; wait for it, or choose another --out"
            raise BlockingIOError(errno.EAGAIN, text, str(self.path)) from None

    def _read(self, identity: Mapping[str, str]) -> int:
        """Takes over what is whole; returns where that ends."""
        end, first = 0, True
        for record, end_of_line in _records(self.file.read()):
            if first:
                self._compare(record, identity)
                self.started = record["started"]
                first = False
            else:
                self.known.add(record["kind"], record["found"], map(RowBlock.from_json, record.get("blocks", ())))
            end = end_of_line
        return end

    def _compare(self, header: Mapping[str, Any], identity: Mapping[str, str]) -> None:
        found = header.get("identity", {}) if header.get("schema") == SCHEMA else {}
        other = [what for what, value in identity.items() if found.get(what) != value]
        if other:
            rule = (
                f"belongs to a sweep with another {' and another '.join(other)}, so it cannot be resumed; "
                f"sweep without --resume to begin anew, or choose another --out"
            )
            raise Place(str(self.path)).error(str(self.path), (), rule)

    def _begin_at(self, end: int, identity: Mapping[str, str]) -> None:
        """Cuts off what is not believed."""
        self._attempt(lambda: self.file.truncate(end))
        self.file.seek(end)
        if end == 0:
            self.known = Known()
            self._append({"schema": SCHEMA, "identity": dict(identity), "started": self.started})
            _sync_folder(self.path.parent)

    def _append(self, record: Mapping[str, Any]) -> None:
        text = json.dumps(record, separators=(",", ":")).encode()
        line = memoryview(b"%d %08x %s\n" % (len(text), crc32(text), text))
        while line:
            line = line[self._attempt(lambda line=line: self.file.write(line)) :]
        self._attempt(lambda: os.fsync(self.file.fileno()))

    def _attempt(self, what: Any) -> Any:
        try:
            return what()
        except OSError as error:
            raise OSError(error.errno, error.strerror or str(error), str(self.path)) from error


def now() -> str:
    """In UTC, as ISO 8601 writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _records(content: bytes) -> Iterator[tuple[dict[str, Any], int]]:
    """Whole records and where each ends, up to the first that is not whole."""
    start = 0
    while (end := content.find(b"\n", start)) >= 0:
        length, _, rest = content[start:end].partition(b" ")
        checksum, _, text = rest.partition(b" ")
        if length != b"%d" % len(text) or checksum != b"%08x" % crc32(text):
            return
        start = end + 1
        yield json.loads(text), start


def _sync_folder(folder: Path) -> None:
    """So that the file's name, too, is on disk."""
    with suppress(OSError):  # no such thing on this system
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
