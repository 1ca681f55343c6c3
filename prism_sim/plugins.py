"""Plug-ins: strategies, compressors, families, tasks and figures from outside the package.

A file that is named (`--plugin FILE.py`, PRISM_SIM_PLUGINS, `load_plugin`) is run; an installed package offers through
entry points. Nothing else makes code run: a scenario only names what is there.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import traceback
import types
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import find_spec
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

T = TypeVar("T")

VARIABLE = "PRISM_SIM_PLUGINS"
# room -> what a module must define to be in its catalogue; entry points are of the group prism_sim.ROOM
ATTRIBUTES = {
    "strategies": "STRATEGY",
    "compressors": "COMPRESSOR",
    "families": "FAMILY",
    "tasks": "TASK",
    "figures": "PLOT",
}
RESULTS = tuple(room for room in ATTRIBUTES if room != "figures")  # rooms that decide about results
_GROUP = "prism_sim."


class PluginError(ValueError):
    """A plug-in that cannot be used; str() is one message: file and line where there are any, what is wrong, remedy."""


@dataclass(frozen=True, slots=True)
class PluginFile:
    """A file's content as it was run, so that other processes run the same. path: absolute."""

    path: str
    content: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def module(self) -> str:
        """The module's name, by which pickled objects find their class again in any process."""
        return f"prism_sim_plugin_{self.digest}"


@dataclass(frozen=True, slots=True)
class Offer:
    """An entry for a room's catalogue. origin: for humans. digest: of the source that it comes from."""

    room: str
    entry: Any
    origin: str
    digest: str

    @property
    def name(self) -> Any:
        return getattr(self.entry, "model_type" if self.room == "families" else "name", None)


_files: dict[str, PluginFile] = {}  # those that are loaded, by path
_one_at_a_time = RLock()  # threads of a worker may bring the same file at once
_remembered: list[Callable[[], None]] = []  # what empties the caches of `remembered`


def remembered(maxsize: int | None = None) -> Callable[[Callable[..., T]], functools._lru_cache_wrapper[T]]:
    """As functools.lru_cache, for what depends on catalogues: emptied whenever a plug-in is loaded."""

    def decorate(function: Callable[..., T]) -> functools._lru_cache_wrapper[T]:
        cached = functools.lru_cache(maxsize)(function)
        _remembered.append(cached.cache_clear)
        return cached

    return decorate


def load_plugin(path: str | Path) -> None:
    """Runs a file and takes up what it offers; again where its text has changed. Raises PluginError."""
    load([path])


def load(paths: Iterable[str | Path]) -> None:
    """As `load_plugin`, of several files."""
    for path in paths:
        take_up([_read(Path(path))])


def loaded() -> tuple[PluginFile, ...]:
    """The files that are loaded, in their order: for `take_up` in another process."""
    return tuple(_files.values())


def take_up(files: Sequence[PluginFile]) -> None:
    """Runs files whose content is at hand. Raises PluginError, and is then as before, if one cannot be used."""
    with _one_at_a_time:
        for file in files:
            if _files.get(file.path) != file:
                _take_up(file)


def _take_up(file: PluginFile) -> None:
    module, before = _run(file), dict(_files)
    rooms = [room for room, attribute in ATTRIBUTES.items() if hasattr(module, attribute)]
    if not rooms:
        rule = f"offers nothing; define {', '.join(ATTRIBUTES.values())} or several of them (see CONTRIBUTING.md)"
        raise PluginError(f"{file.path}: {rule}")
    _files[file.path] = file
    try:
        _forget()
        _try_out(file, rooms)
    except PluginError:
        _files.clear()
        _files.update(before)
        _forget()
        raise


def in_environment() -> list[str]:
    """The files that PRISM_SIM_PLUGINS names."""
    return [path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]


def environment() -> dict[str, str]:
    """By which another process on this machine finds the files that are loaded here."""
    return {VARIABLE: os.pathsep.join(_files)} if _files else {}


def offers(room: str) -> Iterator[Offer]:
    """What plug-ins offer to a room's catalogue, installed packages first. Raises PluginError."""
    yield from _installed(room)
    for file in _files.values():
        module = sys.modules[file.module]
        if hasattr(module, ATTRIBUTES[room]):
            yield Offer(room, getattr(module, ATTRIBUTES[room]), file.path, file.digest)


def digest(rooms: Iterable[str] = RESULTS, names: Container[Any] | None = None) -> str:
    """Of the source of all that plug-ins offer to these rooms, under these names if some are given; "": nothing."""
    found = {
        offer.digest
        for room in ATTRIBUTES.keys() & set(rooms)
        for offer in offers(room)
        if names is None or offer.name in names
    }
    return hashlib.sha256(" ".join(sorted(found)).encode()).hexdigest() if found else ""


def described() -> Mapping[str, str]:
    """Where results come from, beside our own source: each plug-in and its digest."""
    return {offer.origin: offer.digest for room in RESULTS for offer in offers(room)}


def _read(path: Path) -> PluginFile:
    absolute = str(path.resolve())
    if os.pathsep in absolute:  # which keeps files apart in PRISM_SIM_PLUGINS
        raise PluginError(f"{path}: a plug-in's path must not hold {os.pathsep!r}; rename it")
    try:
        return PluginFile(absolute, path.read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise PluginError(f"{path}: cannot be read: {reason}; give the path of a plug-in's Python file") from None


def _run(file: PluginFile) -> types.ModuleType:
    """As a module of its own. Raises PluginError at the line of the file where it fails."""
    module = types.ModuleType(file.module)
    module.__file__ = file.path
    sys.modules[file.module] = module  # where dataclasses, type hints and pickle look for it
    try:
        exec(compile(file.content, file.path, "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[file.module]
        if isinstance(error, SyntaxError) and error.filename == file.path:
            raise PluginError(f"{file.path}:{error.lineno}: {error.msg}; mend it, or leave the plug-in out") from None
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file.path]
        place = f"{file.path}:{lines[-1]}" if lines else file.path
        raise PluginError(f"{place}: {_told(error)}; mend it, or leave the plug-in out") from error
    return module


def _try_out(file: PluginFile, rooms: Iterable[str]) -> None:
    """Builds the catalogues, and what a scenario can say, with what the file offers. Raises PluginError."""
    try:
        for room in rooms:
            import_module(f"{_GROUP}{room}").catalogue()
        import_module("prism_sim.syntax.schema").scenario_model()
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(f"{file.path}: what it offers cannot be used: {_told(error)}") from error


def _forget() -> None:
    for forget in _remembered:
        forget()


def _told(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@functools.cache
def _installed(room: str) -> tuple[Offer, ...]:
    return tuple(
        _loaded(point, package, room) for point, package in _entry_points() if point.group == f"{_GROUP}{room}"
    )


@functools.cache
def _entry_points() -> tuple[tuple[EntryPoint, Distribution], ...]:
    """Of all installed packages. Only texts that name us are parsed: `entry_points()` parses all, ten times slower."""
    named = [package for package in distributions() if f"[{_GROUP}" in (package.read_text("entry_points.txt") or "")]
    found = [(point, package) for package in named for point in package.entry_points]
    return tuple(sorted(found, key=lambda one: (one[0].group, one[0].name, one[0].value)))


def _loaded(point: EntryPoint, package: Distribution, room: str) -> Offer:
    origin = f"the installed package {package.name} ({point.group}: {point.name} = {point.value})"
    try:
        return Offer(room, point.load(), origin, _source_of(point.module))
    except Exception as error:
        raise PluginError(f"{origin} cannot be loaded: {_told(error)}; mend it, or uninstall it") from error


def _source_of(module: str) -> str:
    """Digest of all Python files of the package that a module is in."""
    top = find_spec(module.partition(".")[0])
    assert top is not None  # it was imported
    folders = [Path(folder) for folder in top.submodule_search_locations or ()]
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))] or [Path(str(top.origin))]
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()
