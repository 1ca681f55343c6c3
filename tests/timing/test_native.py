"""Compiled code is kept as it is, loaded without numba, and refused where it is not what it must be."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from prism_sim.timing.compiled.jit import inner, machine_code
from prism_sim.timing.native import code_file, entry
from prism_sim.timing.native.code_file import MachineCode
from prism_sim.timing.native.loading import Answer, loaded

CODE = MachineCode("answer", b"line\nanother line\x00")

PLAYED_BY_COMPILED_CODE = """
import sys
from prism_sim.devices import Device
from prism_sim.plan import Plan
from prism_sim.timing import Switch, compiled
from prism_sim.timing.rig import Rig
rig = Rig.of([Device("any", 1.0, 1.0)], (0, 0), Switch(1.0, 1.0))
assert compiled.once(Plan(1, ((), ()), (), (0, 0), (0, 0)), rig).latency_s == 0
assert "llvmlite" in sys.modules
assert not {"numba", "scipy"} & set(sys.modules)
"""


def test_what_is_kept_is_played_without_numba() -> None:
    entry.answer()  # compiles and keeps, if that is not done yet
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    subprocess.run([sys.executable, "-c", PLAYED_BY_COMPILED_CODE], check=True, env=environment)


def test_code_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "code"
    code_file.write(path, "key", CODE)
    assert code_file.read(path, "key") == CODE
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content + b"more",
        lambda content: content.replace(b"another", b"a nother"),
        lambda content: content.replace(b"machine-code/1", b"machine-code/0"),
        lambda content: content.replace(b"symbol", b"simbol"),
        lambda content: b"[]\n" + content,
        lambda content: b"\xff\xfe" + content,
    ],
)
def test_what_is_not_whole_is_refused(tmp_path: Path, spoiled: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "code"
    code_file.write(path, "key", CODE)
    path.write_bytes(spoiled(path.read_bytes()))
    assert code_file.read(path, "key") is None


def test_what_was_kept_under_another_key_is_refused(tmp_path: Path) -> None:
    code_file.write(tmp_path / "code", "other sources", CODE)
    assert code_file.read(tmp_path / "code", "key") is None
    assert code_file.read(tmp_path / "nothing", "key") is None


@inner
def divide(m: np.ndarray, s: np.ndarray, once: bool, stream: bool, tie: float) -> None:
    m[2] = 3
    s[0] = s[0] / s[1] if once and not stream else tie


@pytest.fixture(scope="module")
def division() -> MachineCode:
    return machine_code(divide)


def memory(*numbers: float) -> tuple[np.ndarray, np.ndarray]:
    cells = np.zeros(3, np.int64)
    seconds = cells.view(np.float64)
    seconds[: len(numbers)] = numbers
    return cells, seconds


def called(code: MachineCode) -> Answer:
    found = loaded(code)
    assert found is not None
    return found


def test_machine_code_computes_in_the_memory_that_it_is_given(division: MachineCode) -> None:
    cells, seconds = memory(3.0, 4.0)
    called(division)(cells, seconds, True, False, 0.5)
    assert (seconds[0], seconds[1], cells[2]) == (0.75, 4.0, 3)
    called(division)(cells, seconds, True, True, 0.5)
    assert seconds[0] == 0.5


def test_an_error_of_machine_code_is_raised_as_it_would_be_in_python(division: MachineCode) -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        called(division)(*memory(3.0, 0.0), True, False, 0.5)


def test_what_llvm_does_not_take_is_refused(division: MachineCode) -> None:
    assert loaded(MachineCode(division.symbol, b"no object file")) is None
    assert loaded(MachineCode("another", division.object_code)) is None


def test_for_a_debugger_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    entry.answer()
    assert entry.kept.__wrapped__() is not None
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert entry.kept.__wrapped__() is None


def test_the_next_place_is_taken_where_the_first_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, division: MachineCode
) -> None:
    (tmp_path / "file").write_text("")
    places = tmp_path / "file" / "code", tmp_path / "code"
    monkeypatch.setattr(entry, "places", lambda: places)
    entry.keep(division)
    assert code_file.read(places[1], entry.key()) == division
    monkeypatch.setattr(entry, "places", lambda: places[:1])
    with pytest.warns(UserWarning, match="could not be kept"):
        entry.keep(division)


def test_all_that_is_compiled_is_in_the_key() -> None:
    room = Path(entry.__file__).parents[1]
    compiled = [path for path in (room / "compiled").glob("*.py") if "jit import" in path.read_text()]
    assert len(compiled) > 10
    for path in compiled:
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        own = {str(node.module) for node in nodes if str(node.module).startswith("prism_sim.")}
        outside = {name for name in own if not name.startswith("prism_sim.timing.compiled")}
        assert {room.parent.parent / f"{name.replace('.', '/')}.py" for name in outside} <= set(entry.sources())
