"""What a column of results means: its name in words, its unit at a legible scale, and which direction is better."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Steps = tuple[tuple[float, str], ...]  # SI amount of a unit, and its name; the largest first

SECONDS: Steps = ((5.0, "s"), (1e-3, "ms"), (1e-6, "µs"))  # in seconds from 5 s on
BYTES: Steps = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B"))
BIT_RATE: Steps = ((1e11, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1, "bit/s"))
BYTE_RATE: Steps = ((1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"))
FLOP_RATE: Steps = ((1e12, "TFLOP/s"), (1e9, "GFLOP/s"), (1e6, "MFLOP/s"))
JOULES: Steps = ((1, "J"), (1e-3, "mJ"), (1e-6, "µJ"))
WATTS: Steps = ((1, "W"), (1e-3, "mW"))
SHARE: Steps = ((0.01, "%"),)
_FACTORS = {"s": 1.0, "Gbit/s": 1e9}  # where a step is not its unit


@dataclass(frozen=True, slots=True)
class Quantity:
    """label: in words, without the unit. steps: empty for a plain number."""

    label: str
    steps: Steps = ()
    better: Literal["low", "high"] = "low"

    def scale(self, amounts: Iterable[float]) -> tuple[float, str]:
        """SI amount of the unit in which the largest of these reads best, and the unit's name."""
        finite = [abs(amount) for amount in amounts if math.isfinite(amount)]
        largest = max(finite, default=1.0)
        for step, unit in self.steps:
            if largest >= step * 0.9995:
                return _FACTORS.get(unit, step), unit
        return (_FACTORS.get(self.steps[-1][1], self.steps[-1][0]), self.steps[-1][1]) if self.steps else (1.0, "")

    def axis_label(self, unit: str) -> str:
        return f"{self.label} ({unit})" if unit else self.label

    def text(self, amount: float, digits: int = 3) -> str:
        """137401057.0 -> '137 Mbit/s'."""
        factor, unit = self.scale([amount])
        return f"{short(amount / factor, digits)} {unit}".strip()


def short(number: float, digits: int = 3) -> str:
    """Without an exponent up to a million: 1230.0 -> '1230'."""
    return f"{round(number):d}" if 10 ** (digits - 1) <= abs(number) < 1e6 else f"{number:.{digits}g}"


RESULTS = {
    "latency_s": Quantity("latency", SECONDS),
    "ttft_s": Quantity("time to first token", SECONDS),
    "tpot_s": Quantity("time per output token", SECONDS),
    "tokens_per_s": Quantity("generated", ((1, "tokens/s"),), "high"),
    "step_bytes": Quantity("sent by all devices a step", BYTES),
    "compression_rate": Quantity("compression rate CR = ⌈N/P⌉ / L", better="high"),
    "segments": Quantity("segment means per device"),
    "versus_single_speedup": Quantity("speed-up over the terminal alone", better="high"),
    "n_ranks": Quantity("devices that take part"),
    "sent_bytes": Quantity("sent by all devices", BYTES),
    "energy_j": Quantity("energy per inference", JOULES),
    "throughput_per_s": Quantity("throughput", ((1, "requests/s"),), "high"),
    "peak_memory_bytes": Quantity("peak memory of a device", BYTES),
    "gflops_per_device": Quantity("computing per device", ((1, "GFLOP"),)),
    "accuracy": Quantity("accuracy", SHARE, "high"),
    "cloze_accuracy": Quantity("cloze accuracy", SHARE, "high"),
    "f1": Quantity("F1", SHARE, "high"),
    "matthews": Quantity("Matthews correlation", better="high"),
    "pearson": Quantity("Pearson correlation", better="high"),
    "spearman": Quantity("Spearman correlation", better="high"),
    "perplexity": Quantity("perplexity"),
    "bits_per_character": Quantity("bits per character"),
    "fidelity_top1_agreement": Quantity("top-1 agreement", SHARE, "high"),
    "fidelity_cosine": Quantity("cosine similarity of outputs", better="high"),
    "fidelity_kl": Quantity("KL divergence of outputs", ((1, "nats"),)),
    "fidelity_max_abs_error": Quantity("largest error of outputs"),
}
_FIELDS = {  # by the last step of a field's path
    "bandwidth": Quantity("bandwidth", BIT_RATE, "high"),
    "up": Quantity("uplink bandwidth", BIT_RATE, "high"),
    "down": Quantity("downlink bandwidth", BIT_RATE, "high"),
    "broadcast_rate": Quantity("broadcast rate", BIT_RATE, "high"),
    "latency": Quantity("network latency", SECONDS),
    "message_overhead": Quantity("overhead of a message", SECONDS),
    "op_overhead": Quantity("overhead of a kernel", SECONDS),
    "staging_latency": Quantity("staging latency", SECONDS),
    "compute": Quantity("compute rate", FLOP_RATE, "high"),
    "compute_float16": Quantity("compute rate in float16", FLOP_RATE, "high"),
    "compute_int8": Quantity("compute rate in int8", FLOP_RATE, "high"),
    "compute_q8_0": Quantity("compute rate in q8_0", FLOP_RATE, "high"),
    "compute_q4_0": Quantity("compute rate in q4_0", FLOP_RATE, "high"),
    "memory_bandwidth": Quantity("memory bandwidth", BYTE_RATE, "high"),
    "staging_bandwidth": Quantity("staging bandwidth", BYTE_RATE, "high"),
    "memory": Quantity("memory", BYTES),
    "idle_power": Quantity("idle power", WATTS),
    "busy_power": Quantity("busy power", WATTS),
    "radio_power": Quantity("radio power", WATTS),
    "batch": Quantity("batch size"),
    "tokens": Quantity("tokens"),
    "new_tokens": Quantity("new tokens"),
    "count": Quantity("devices"),
    "ranks": Quantity("devices that take part"),
}
_SUFFIXES: dict[str, Steps] = {"_s": SECONDS, "_bytes": BYTES, "_j": JOULES}


def quantity(column: str) -> Quantity:
    """Of any column: known ones by name, fields by the last step of their path, the rest by the unit in their name."""
    if column in RESULTS:
        return RESULTS[column]
    words = re.sub(r"\[\d+\]", "", column)
    last = words.rpartition(".")[2]
    if is_field(column) and last in _FIELDS:
        return _FIELDS[last]
    for suffix, steps in _SUFFIXES.items():
        if column.endswith(suffix) and not column.endswith("_per_s"):
            return Quantity(column.removesuffix(suffix).replace("_", " "), steps)
    return Quantity(last.replace("_", " "))


def with_unit(column: str) -> str | None:
    """'network.bandwidth_bits_per_s' -> 'network.bandwidth': a sweep's numbers stand beside what was written."""
    found = re.fullmatch(r"(.*\.\w+?)_(bits_per_s|bytes_per_s|flops_per_s|s|bytes|w)", column)
    return found[1] if found else None


def is_field(column: str) -> bool:
    """Whether it is a scenario's field, swept, and not a result."""
    return "." in column or column in ("ranks", "terminal", "devices", "seed")
