"""Machine code of a function, loaded by LLVM alone, as something to call."""

from __future__ import annotations

import ctypes
import pickle
from collections.abc import Callable

import llvmlite.binding as llvm
import numpy as np
from numpy.typing import NDArray

from prism_sim.timing.native.code_file import MachineCode

# (cells, the same cells as floats, once, stream, tie): as `compiled.runs.play_wanted`
Answer = Callable[[NDArray[np.int64], NDArray[np.float64], bool, bool, float], None]

FINE = (0, -2)  # what numba's functions return when they gave a value, or None
_FUNCTION = ctypes.PYFUNCTYPE(
    ctypes.c_int32,  # whether it raised
    *[ctypes.c_void_p] * 4,  # where to put what it gives, and what it raises; integers; floats
    *[ctypes.c_int64] * 2,
    ctypes.c_double,
)


class _Raised(ctypes.Structure):
    """The begin of what numba leaves of an exception: a pickled (class, arguments, place in the source)."""

    _fields_ = (("pickled", ctypes.c_void_p), ("n_bytes", ctypes.c_int32))


def processor() -> str:
    """That of this machine: for another one, code is compiled anew."""
    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


def target_machine() -> llvm.TargetMachine:
    """What compiles for this processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )


class Loaded:
    """The function. engine: LLVM's, in whose memory it lies at `address`."""

    def __init__(self, engine: llvm.ExecutionEngine, address: int) -> None:
        self._engine, self._function = engine, _FUNCTION(address)

    def __call__(self, m: NDArray[np.int64], s: NDArray[np.float64], once: bool, stream: bool, tie: float) -> None:
        given, raised = ctypes.c_int64(), ctypes.POINTER(_Raised)()
        places = ctypes.byref(given), ctypes.byref(raised), m.ctypes.data, s.ctypes.data
        if self._function(*places, once, stream, tie) not in FINE:
            kind, arguments, _ = pickle.loads(ctypes.string_at(raised.contents.pickled, raised.contents.n_bytes))
            raise kind(*arguments)


def loaded(code: MachineCode) -> Loaded | None:
    """None if the code is not what LLVM takes on this machine."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    object_file = llvm.ObjectFileRef.from_data(code.object_code)
    if not object_file._as_parameter_:  # a null pointer, which nothing of LLVM's looks at before it uses it
        return None
    engine.add_object_file(object_file)
    engine.finalize_object()
    address = engine.get_function_address(code.symbol)
    return Loaded(engine, address) if address else None
