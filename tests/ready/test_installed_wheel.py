"""The wheel, built from the tracked files and installed away from the checkout, has and does what the checkout does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from prism_sim.cli import main
from prism_sim.ready import examples, folders

ROOT = Path(__file__).parents[2]
BUILT_FROM = ("prism_sim", "scenarios", "lessons", "setup.py", "pyproject.toml", "README.md", "LICENSE")
ORIN = "vit-base-orin-nano"


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel, and of the checkout nothing but what it depends on."""

    folder: Path
    wheel: Path

    def run(self, program: str, *arguments: str) -> str:
        """What a program of it prints, in a folder of its own."""
        (self.folder / "work").mkdir(exist_ok=True)
        own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        ended = subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=self.folder / "work",
            env={**own, "COLUMNS": "80"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


def pip(*arguments: str | Path) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-index")
    command = [sys.executable, "-m", "pip", *map(str, arguments), *quiet]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """Those files of the checkout that the wheel is built from."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("what belongs to the project is asked of git, and this is no clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z", *BUILT_FROM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def installed(tracked: list[str], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    for name in tracked:
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / "source" / name)
    # what a run leaves behind, and no part of the project
    for rubbish in ("scenarios/__marimo__/x.json", "scenarios/.one.journal", "prism_sim/__pycache__/x.pyc"):
        (folder / "source" / rubbish).parent.mkdir(exist_ok=True)
        (folder / "source" / rubbish).touch()
    pip("wheel", folder / "source", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=False)
    pip("--python", folder / "env", "install", "--no-deps", "--no-compile", wheel)
    (site,) = (folder / "env").glob("lib/python*/site-packages")
    # what it depends on; .pth files there, as that of an editable installation, are not read
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(folder / "env", wheel)


def test_every_tracked_file_is_in_the_wheel_and_nothing_else(installed: Installed, tracked: list[str]):
    shipped = {name for name in zipfile.ZipFile(installed.wheel).namelist() if ".dist-info/" not in name}
    places = {kind: f"prism_sim/{folders.WITHIN}/{kind}" for kind in folders.KINDS}
    expected = {
        f"{places[name.partition('/')[0]]}/{name.partition('/')[2]}" if name.startswith(folders.KINDS) else name
        for name in tracked
        if name.startswith(("prism_sim/", *folders.KINDS))
    }
    assert shipped == expected


def test_it_is_the_wheels_package_that_runs_and_it_has_all_data(installed: Installed):
    code = """
import prism_sim
from prism_sim.boards.rows import board_rows, cluster_rows
from prism_sim.boards.facts import boards
from prism_sim.calibration.table import ORIN_NANO, read_table
from prism_sim.ready import examples
from prism_sim.scenario import load_scenario
print(prism_sim.__file__)
print(len(board_rows()), len(cluster_rows()), len(boards()), len(read_table(ORIN_NANO).rows), len(examples.catalogue()))
"""
    place, counts = installed.run("python", "-c", code).splitlines()
    assert Path(place).is_relative_to(installed.folder)
    from prism_sim.boards.facts import boards
    from prism_sim.boards.rows import board_rows, cluster_rows

    assert counts.split() == [str(len(one())) for one in (board_rows, cluster_rows, boards)] + [
        "6",
        str(len(examples.catalogue())),
    ]


def test_the_first_command_answers_as_in_the_checkout(installed, monkeypatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("COLUMNS", "80")
    said = installed.run("prism-sim", "example", ORIN, "-o", "scenarios")
    assert f"prism-sim run scenarios/{ORIN}.yaml --no-numerics" in said
    written = installed.folder / "work" / "scenarios" / f"{ORIN}.yaml"
    assert written.read_bytes() == (ROOT / "scenarios" / f"{ORIN}.yaml").read_bytes()
    found = installed.run("prism-sim", "run", f"scenarios/{ORIN}.yaml", "--no-numerics")
    assert main(["run", str(ROOT / "scenarios" / f"{ORIN}.yaml"), "--no-numerics"]) == 0
    assert found == capsys.readouterr().out
    assert "Distribute: prism over 2 devices" in found
