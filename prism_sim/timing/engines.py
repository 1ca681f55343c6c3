"""Which engine plays: the plain one, or the compiled one, which gives the same to the bit.

Loading compiled code takes as long as playing a few hundred messages, compiling it (once a machine) half a minute. So
a process begins with the plain engine, and turns to the compiled one when it has played enough to be worth that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec

from prism_sim.plan import Plan
from prism_sim.timing.media import Network

WORTH_LOADING = 10_000  # steps and messages
WORTH_COMPILING = 6_000_000

_played = 0  # by this process so far; it decides on speed only


def is_worth_compiled(plan: Plan, network: Network, times: int = 1) -> bool:
    """Whether the compiled engine should play this plan, so many times, counting what was played before."""
    global _played
    _played += weight_of(plan) * times
    if _played < WORTH_LOADING or not may_be_compiled(network):
        return False
    return _played >= WORTH_COMPILING or _is_compiled()


def are_worth_compiled(plan: Plan, networks: Sequence[Network], times: int = 1) -> bool:
    """Whether it should on each of them, so many times each; never where it cannot on one."""
    is_worth = is_worth_compiled(plan, networks[0], times * len(networks))
    return is_worth and all(map(may_be_compiled, networks))


def may_be_compiled(network: Network) -> bool:
    """Whether the compiled engine can play on this network at all."""
    return not network.slow_start and _is_installed()


def prefer_compiled() -> None:
    """As in a process that has played much already."""
    global _played
    _played = WORTH_COMPILING


def weight_of(plan: Plan) -> int:
    """About as many steps and messages."""
    return len(plan.exchanges) * len(plan.programs) ** 2 + sum(map(len, plan.programs))


@cache
def _is_installed() -> bool:
    return find_spec("numba") is not None


def _is_compiled() -> bool:
    """Whether it was on this machine before; it is then loaded."""
    from prism_sim.timing.native.entry import kept  # loads LLVM

    return kept() is not None
