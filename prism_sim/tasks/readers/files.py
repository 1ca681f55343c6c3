"""Finding a data set's files, and saying what was found instead."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prism_sim import hub
from prism_sim.tasks.base import DataError, DataSource

SHOWN = 8  # files that an error lists
HASHED_BYTES = 1 << 30  # of data beyond it the digest takes names and sizes, for hashing would take minutes


@dataclass(frozen=True, slots=True)
class DataOrigin:
    """Where a data set can be had: files of a hub's data set, and how to get a local copy.

    pattern: of the files that hold it there. formats: what a local copy may look like.
    """

    name: str
    hub_id: str
    patterns: tuple[str, ...]
    homepage: str
    formats: str


def located(source: DataSource, origin: DataOrigin) -> Path:
    """The data's file or folder: the local copy, else the hub's. Raises DataError if there is none."""
    if source.path is None:
        return _from_hub(origin)
    if not source.path.exists():
        raise DataError(f"{source.path} does not exist; {_remedy(origin)}")
    return source.path


def wrong_format(place: Path, origin: DataOrigin, missing: str = "") -> DataError:
    """For data in which what is needed was not found, or not all of it; lists the files that were seen."""
    wrong = f"{place} lacks {missing}" if missing else f"{place} holds no {origin.name} in a known format"
    return DataError(f"{wrong}; expected {origin.formats}; found {seen(place)}")


def seen(place: Path) -> str:
    """Names of the first files below a folder, for error messages."""
    if place.is_file():
        return f"the file {place.name}"
    found = [str(path.relative_to(place)) for path in _walk(place, SHOWN + 1)]
    if not found:
        return "an empty folder"
    return ", ".join(found[:SHOWN]) + (", and more" if len(found) > SHOWN else "")


def folder_with(place: Path, folders: Sequence[str], names: Iterable[str]) -> Path | None:
    """The first of place and these folders in it that holds one of the files."""
    wanted = list(names)
    for folder in (place, *(place / inner for inner in folders)):
        if any((folder / name).is_file() for name in wanted):
            return folder
    return None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what goes wrong with a file into a DataError that names it."""
    try:
        yield
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no UTF-8 text: {error.reason} at byte {error.start}; save it as UTF-8") from error
    except (OSError, EOFError, ValueError, SyntaxError, MemoryError, OverflowError) as error:
        reason = str(error).strip().split("\n")[0].removesuffix(".") or type(error).__name__
        raise DataError(f"{path} is damaged or cannot be read: {reason}; get it anew") from error


def digest(paths: Iterable[Path], root: Path, *more: str) -> str:
    """SHA-256 of files by their names below root and their content, and of what else determines the examples."""
    files = sorted(set(paths))
    sizes = [path.stat().st_size for path in files]
    whole = sum(sizes) <= HASHED_BYTES
    total = hashlib.sha256("\0".join(more).encode())
    for path, n_bytes in zip(files, sizes, strict=True):
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        total.update(f"\0{name} {n_bytes}".encode())
        if whole:
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _walk(folder: Path, most: int) -> list[Path]:
    """Some files below a folder, each folder in order of names; stops early, as there may be a million."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders.sort()
        found += [Path(parent, name) for name in sorted(names)[: most - len(found)]]
        if len(found) >= most:
            break
    return found


def _from_hub(origin: DataOrigin) -> Path:
    """The folder of the hub's own copy, from its cache or fetched now."""
    try:
        from huggingface_hub import snapshot_download

        wanted: dict[str, Any] = {"repo_type": "dataset", "allow_patterns": list(origin.patterns)}
        with suppress(OSError):  # huggingface_hub's LocalEntryNotFoundError is one
            kept = Path(snapshot_download(origin.hub_id, **wanted, local_files_only=True))
            # other parts of the same data set may have been fetched alone
            if all(next(kept.glob(pattern), None) for pattern in origin.patterns):
                return kept
        if (reason := hub.unreachable()) is not None:
            raise OSError(f"it is not in the local cache, and {reason}")
        return Path(snapshot_download(origin.hub_id, **wanted, local_files_only=False))
    except Exception as error:  # the hub's client raises many kinds, of many libraries
        reason = str(error).strip().split("\n")[0].removesuffix(".") or type(error).__name__
        looked = f"{origin.name} was looked for on the hub as {origin.hub_id}, but cannot be had: {reason}"
        raise DataError(f"{looked}; {_remedy(origin)}") from error


def _remedy(origin: DataOrigin) -> str:
    return f"give a local copy as task: {{data: PATH}}: {origin.formats} (from {origin.homepage})"
