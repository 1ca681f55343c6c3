"""Quantities as people read them: three or four digits and a unit."""

from __future__ import annotations

import math

ROUNDING = 1e-6  # relative errors below are shown by their magnitude


def _scaled(value: float, unit: str, steps: tuple[tuple[float, str], ...]) -> str:
    for factor, prefix in steps:
        if abs(value) >= factor * 0.9995:
            scaled = value / factor
            if abs(scaled) >= 1e5:
                return f"{scaled:.3g} {prefix}{unit}"
            digits = max(0, 2 - math.floor(math.log10(abs(scaled)) + 1e-9)) if scaled else 0
            return f"{scaled:.{min(digits, 2)}f} {prefix}{unit}"
    return f"0 {unit}" if value == 0 else f"{value:.3g} {unit}"


def seconds_text(seconds: float) -> str:
    """0.4147 -> '415 ms'."""
    return _scaled(seconds, "s", ((1, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n")))


def interval_text(low_s: float, high_s: float) -> str:
    """'380 to 450 ms'; '950 ms to 1.20 s'."""
    low, high = seconds_text(low_s), seconds_text(high_s)
    number, _, unit = low.partition(" ")
    return f"{number} to {high}" if high.endswith(f" {unit}") else f"{low} to {high}"


def bytes_text(count: float) -> str:
    """5898240 -> '5.90 MB' (10^6)."""
    return _scaled(count, "B", ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")))


def rate_text(bits_per_s: float) -> str:
    return _scaled(bits_per_s, "bit/s", ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")))


def flops_text(flops: float) -> str:
    return _scaled(flops, "FLOP", ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")))


def joules_text(joules: float) -> str:
    return _scaled(joules, "J", ((1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ")))


def speedup_text(ratio: float) -> str:
    """1.299 -> '1.30x'; a small one keeps two digits, and what is not quite 1 is not called 1.00: 0.997 -> '0.997x'."""
    if ratio < 0.1:
        return f"{ratio:.2g}x"
    return f"{ratio:.3f}x" if 0.0005 <= abs(ratio - 1) < 0.005 else f"{ratio:.2f}x"


def times_text(ratio: float) -> str:
    """1.15 -> '1.15 times as fast'; 0.5 -> '2.00 times as slow'; within half a percent: 'as fast'."""
    if abs(ratio - 1) < 0.005:
        return "as fast"
    return f"{ratio:.2f} times as fast" if ratio > 1 else f"{1 / ratio:.2f} times as slow"


def per_second_text(rate: float) -> str:
    """3.628 -> '3.63'; many keep no digits after the point."""
    return f"{rate:.3g}" if rate < 1000 else f"{rate:.0f}"


def error_text(error: float) -> str:
    """0.0123 -> '+1.2 %'; rounding shows as such: '1e-16'."""
    if abs(error) < ROUNDING:
        return f"{error:.0e}" if error else "0"
    return f"{100 * error:+.0f} %" if abs(error) >= 0.0995 else f"{100 * error:+.2g} %"


def size_text(error: float) -> str:
    """-0.0123 -> '1.2 %'."""
    return error_text(abs(error)).removeprefix("+")
