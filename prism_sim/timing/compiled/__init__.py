"""The engine as code that numba compiles, for whoever plays much; the same to the bit as the plain one."""

from prism_sim.timing.compiled.memory import CannotEndError
from prism_sim.timing.compiled.play import algorithms, completions, figures, once

__all__ = ["CannotEndError", "algorithms", "completions", "figures", "once"]
