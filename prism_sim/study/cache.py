"""Where results that took long are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """The folder for results of this kind: in `$PRISM_SIM_CACHE`, or in `prism-sim` in the user's cache folder."""
    if stated := os.environ.get("PRISM_SIM_CACHE"):
        return Path(stated) / kind
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prism-sim" / kind
