"""A plug-in that cannot be used is one message with exit status 2, and leaves everything as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_sim import PluginError, load_plugin, plugins, strategies
from prism_sim.cli import main

OWN = "from dataclasses import replace\nfrom prism_sim.strategies.prism import STRATEGY as PRISM\n"
WRONG = {
    "a syntax error": ("x = 1\ny = = 2\n", "plug.py:2: invalid syntax"),
    "an exception": ("x = 1\n\n1 / 0\n", "plug.py:3: ZeroDivisionError: division by zero"),
    "an exit": ("raise SystemExit(0)\n", "plug.py:1: SystemExit"),
    "a module that is missing": ("import no_such_module\n", "plug.py:1: ModuleNotFoundError"),
    "nothing to offer": ("x = 1\n", "plug.py: offers nothing; define STRATEGY, COMPRESSOR"),
    "a name that exists": (OWN + "STRATEGY = PRISM\n", "STRATEGY has the name 'prism', which exists"),
    "the name of the choice": (OWN + "STRATEGY = replace(PRISM, name='auto')\n", "'auto', which exists"),
    "a name that nobody can write": (OWN + "STRATEGY = replace(PRISM, name='a+b')\n", "has the name 'a+b'"),
    "another kind of thing": ("STRATEGY = 3\n", "is of the type int, but must be a prism_sim.strategies.base.Strategy"),
    "a class for an instance": ("from prism_sim.families.bert import Bert as FAMILY\n", "is of the type ABCMeta"),
    "options that are none": (
        OWN + "STRATEGY = replace(PRISM, name='x', options=int)\n",
        "what it offers cannot be used",
    ),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_plugin_is_one_message(
    text: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plug.py"
    path.write_text(text)
    before = list(strategies.catalogue())
    assert main(["list", "devices", "--plugin", str(path)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert str(path) in said.err
    assert expected in said.err
    assert list(strategies.catalogue()) == before
    assert plugins.loaded() == ()


def test_a_file_that_is_not_there_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "devices", "--plugin", str(tmp_path / "none.py")]) == 2
    assert "none.py: cannot be read: no such file" in capsys.readouterr().err


def test_the_environments_files_are_checked_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(plugins.VARIABLE, str(tmp_path / "none.py"))
    assert main(["list", "devices"]) == 2
    assert "none.py: cannot be read" in capsys.readouterr().err


def test_a_text_that_got_worse_leaves_the_former_one(tmp_path: Path) -> None:
    path = tmp_path / "plug.py"
    path.write_text(OWN + "STRATEGY = replace(PRISM, name='again')\n")
    load_plugin(path)
    path.write_text(OWN + "STRATEGY = PRISM\n")
    with pytest.raises(PluginError, match="which exists"):
        load_plugin(path)
    assert "again" in strategies.catalogue()
