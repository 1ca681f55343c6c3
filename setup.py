"""Puts the folders `scenarios/` and `lessons/` into the wheel, where `prism_sim.ready.folders` looks for them.

All else that is built is said in pyproject.toml. An editable installation reads both folders where they lie.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS = ("scenarios", "lessons")
WITHIN = "prism_sim/ready/files"  # as prism_sim.ready.folders.WITHIN, which cannot be imported while it is built


def shipped() -> list[str]:
    """The files of both folders, less what running them leaves behind."""
    found = (path for folder in FOLDERS for path in sorted(Path(folder).rglob("*")) if path.is_file())
    return [path.as_posix() for path in found if not any(part.startswith(("__", ".")) for part in path.parts)]


class BuildWithFolders(build_py):
    """As setuptools builds packages, and both folders as data."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for source, built in self._built().items():
                self.mkpath(str(Path(built).parent))
                self.copy_file(source, built, preserve_mode=False)

    def get_source_files(self) -> list[str]:
        """What a source distribution needs too."""
        return [*super().get_source_files(), *shipped()]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """What is built."""
        own = [] if self.editable_mode else self._built().values()
        return [*super().get_outputs(include_bytecode), *own]

    def _built(self) -> dict[str, str]:
        return {source: f"{self.build_lib}/{WITHIN}/{source}" for source in shipped()}


options: dict[str, Any] = {"cmdclass": {"build_py": BuildWithFolders}}
setup(**options)
