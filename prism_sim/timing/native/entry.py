"""Where Python enters the compiled engine: as it is kept on disk, else compiled now, and kept from now on."""

from __future__ import annotations

import os
import warnings
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from prism_sim.timing.native import code_file
from prism_sim.timing.native.loading import Answer, loaded, processor

ROOM = Path(__file__).parents[1]
NAME = "answer.code"


def places() -> tuple[Path, ...]:
    """Where it may lie: beside the source, or for the user where nobody may write there."""
    cache_folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return ROOM / "compiled" / "__pycache__" / NAME, cache_folder / "prism-sim" / "code" / NAME


def sources() -> list[Path]:
    """Of all that is compiled."""
    return [*sorted((ROOM / "compiled").rglob("*.py")), ROOM / "rhythm.py", ROOM / "media" / "fair.py"]


@cache
def key() -> str:
    """All that compiled code depends on: its source, who compiles, and for which processor."""
    digest = sha256(b"".join(path.read_bytes() for path in sources())).hexdigest()
    return f"{digest} numba {version('numba')} llvmlite {version('llvmlite')} {processor()}"


@cache
def kept() -> Answer | None:
    """What was compiled on this machine before; None if nothing was that is the same as what would be now."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return None
    codes = (code_file.read(path, key()) for path in places())
    return next((found for code in codes if code is not None and (found := loaded(code)) is not None), None)


@cache
def answer() -> Answer:
    """Chooses algorithms, then plays the plan once, adds that up, and plays requests back to back, as asked for.

    FAILURE says why it ended early; the answers lie in the sections ENDS, SEGMENTS, REQUESTS, PARTICIPANTS and DEVICES.
    """
    return kept() or _compiled()


def _compiled() -> Answer:
    from prism_sim.timing.compiled.jit import is_off, machine_code  # loads numba
    from prism_sim.timing.compiled.runs import play_wanted

    if is_off():
        return play_wanted
    code = machine_code(play_wanted)
    keep(code)
    found = loaded(code)
    assert found is not None
    return found


def keep(code: code_file.MachineCode) -> None:
    """For the next process; a warning says if that cannot be."""
    problems = []
    for path in places():
        try:
            code_file.write(path, key(), code)
        except OSError as error:
            problems.append(str(error))
        else:
            return
    warnings.warn(f"compiled code could not be kept for the next time: {'; '.join(problems)}", stacklevel=2)
