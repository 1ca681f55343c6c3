"""Which engine plays: the plain one, or the compiled one, which gives the same to the bit.

Loading compiled code takes as long as playing a few thousand messages, compiling it (once a machine) half a minute. So
a process begins with the plain engine, and turns to the compiled one when it has played enough to be worth that.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from prism_sim.plan import Plan
from prism_sim.timing.media import Network

WORTH_LOADING = 8_000  # steps and messages
WORTH_COMPILING = 6_000_000

_played = 0  # by this process so far; it decides on speed only


def is_worth_compiled(plan: Plan, network: Network, times: int = 1) -> bool:
    """Whether the compiled engine should play this plan, so many times, counting what was played before."""
    global _played
    _played += _weight(plan) * times
    if _played < WORTH_LOADING or network.slow_start or not _is_installed():
        return False
    return _played >= WORTH_COMPILING or _is_compiled()


def prefer_compiled() -> None:
    """As in a process that has played much already."""
    global _played
    _played = WORTH_COMPILING


def _weight(plan: Plan) -> int:
    """About as many steps and messages."""
    return len(plan.exchanges) * len(plan.programs) ** 2 + sum(map(len, plan.programs))


@cache
def _is_installed() -> bool:
    return find_spec("numba") is not None


@cache
def _is_compiled() -> bool:
    """Whether what was compiled on this machine before lies where numba keeps it, beside the source."""
    folder = Path(__file__).parent / "compiled"
    kept = [path.stat().st_mtime for path in (folder / "__pycache__").glob("runs._made*.nbi")]
    return bool(kept) and max(kept) >= max(path.stat().st_mtime for path in folder.rglob("*.py"))
