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

# what numba calls where an array goes that it made; here are none but those of the caller, which are never freed
NO_ARRAYS = "define linkonce_odr void @NRT_MemInfo_call_dtor(ptr %array) { ret void }"


def inner(function: Callable[P, T]) -> Callable[P, T]:
    """Only compiled code calls it."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # nobody else needs them
    compiled: Callable[P, T] = numba.njit(**options)(function)
    return compiled


def is_off() -> bool:
    """Whether functions stay plain Python, for a debugger."""
    return bool(NUMBA.config.DISABLE_JIT)


def machine_code(function: Answer) -> MachineCode:
    """Of this function and all that it calls; it is then called with addresses of arrays and their length."""

    @inner
    def answer(cells: Any, seconds: Any, n_cells: int, once: int, stream: int, tie: float) -> None:
        function(NUMBA.carray(cells, n_cells), NUMBA.carray(seconds, n_cells), once != 0, stream != 0, tie)

    compiled: Any = answer
    integer, number, pointer = NUMBA.int64, NUMBA.float64, NUMBA.types.CPointer
    signature = (pointer(integer), pointer(number), integer, integer, integer, number)
    compiled.compile(signature)
    symbol = compiled.overloads[signature].fndesc.llvm_func_name
    module = llvm.parse_assembly(compiled.inspect_llvm(signature))
    if any(one.name == "NRT_MemInfo_call_dtor" for one in module.functions):
        module.link_in(llvm.parse_assembly(NO_ARRAYS))
    missing = [one.name for one in module.functions if one.is_declaration and not one.name.startswith("llvm.")]
    if missing:
        raise RuntimeError(f"compiled code needs {', '.join(missing)}, which only numba's own process has")
    return MachineCode(symbol, target_machine().emit_object(module))
