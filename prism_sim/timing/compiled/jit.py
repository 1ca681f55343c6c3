"""How functions are compiled, and what comes of it: machine code that needs nothing of numba when it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import llvmlite.binding as llvm
import numba

from prism_sim.timing.native.code_file import MachineCode
from prism_sim.timing.native.loading import Answer, target_machine

P = ParamSpec("P")
T = TypeVar("T")

NUMBA: Any = numba  # whose types are declared in part


def inner(function: Callable[P, T]) -> Callable[P, T]:
    """Only compiled code calls it."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # nobody else needs them
    compiled: Callable[P, T] = numba.njit(**options)(function)
    return compiled


def is_off() -> bool:
    """Whether functions stay plain Python, for a debugger."""
    return bool(NUMBA.config.DISABLE_JIT)


def machine_code(function: Answer) -> MachineCode:
    """Of this function and all that it calls, which take addresses of cells.

    Not arrays, of which each call would hand on seven words, count who holds them, and look for negative indices.
    """

    @inner
    def answer(cells: Any, seconds: Any, once: int, stream: int, tie: float) -> None:
        function(cells, seconds, once != 0, stream != 0, tie)

    compiled: Any = answer
    integer, number, pointer = NUMBA.int64, NUMBA.float64, NUMBA.types.CPointer
    signature = (pointer(integer), pointer(number), integer, integer, number)
    compiled.compile(signature)
    symbol = compiled.overloads[signature].fndesc.llvm_func_name
    module = llvm.parse_assembly(compiled.inspect_llvm(signature))
    missing = [one.name for one in module.functions if one.is_declaration and not one.name.startswith("llvm.")]
    if missing:
        raise RuntimeError(f"compiled code needs {', '.join(missing)}, which only numba's own process has")
    return MachineCode(symbol, target_machine().emit_object(module))
