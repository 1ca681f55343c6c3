"""Writes the presets of devices anew."""

from __future__ import annotations

from prism_sim.boards.presets import PRESETS, text
from prism_sim.kept.files import write_whole

if __name__ == "__main__":
    write_whole(PRESETS, text())
    print(f"wrote {PRESETS}")
