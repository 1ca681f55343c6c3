"""What an installed package offers through entry points is in the catalogues without being asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LISTED = "from prism_sim import compressors, plugins; print('int2' in compressors.catalogue(), plugins.digest())"
COMMAND = "import sys; from prism_sim.cli import main; sys.exit(main(['list', 'compressors']))"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A package with one entry point, as an installer leaves it; returns its module."""
    (tmp_path / "two_bits").mkdir()
    module = tmp_path / "two_bits" / "__init__.py"
    module.write_text((Path(__file__).parents[2] / "extensions" / "int2.py").read_text())
    described = tmp_path / "two_bits-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: two-bits\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[prism_sim.compressors]\nint2 = two_bits:COMPRESSOR\n")
    return module


def with_package(module: Path, code: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(module.parents[1]), *(path for path in sys.path if path)])
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )


def test_what_it_offers_is_there_and_its_text_is_in_the_digest(installed: Path) -> None:
    first, again = (with_package(installed, LISTED).stdout for _ in range(2))
    assert first.startswith("True ")
    assert len(first.split()) == 2
    assert again == first
    installed.write_text(installed.read_text() + "# another text\n")
    assert with_package(installed, LISTED).stdout != first


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1 / 0\n", "cannot be loaded: ZeroDivisionError"), ("COMPRESSOR = 3\n", "COMPRESSOR is of the type int")],
)
def test_a_broken_one_is_one_message_that_names_it(text: str, expected: str, installed: Path) -> None:
    installed.write_text(text)
    done = with_package(installed, COMMAND)
    assert done.returncode == 2
    assert "the installed package two-bits (prism_sim.compressors: int2 = two_bits:COMPRESSOR)" in done.stderr
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
