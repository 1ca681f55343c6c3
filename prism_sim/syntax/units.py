"""Quantities with units, as text at the scenario's edge and in SI inside: `100 Mbit/s` -> 1e8 bit/s.

k, M, G, T are powers of 1000; Ki, Mi, Gi, Ti powers of 1024. Upper and lower case matter: b, B, m and M differ.
`Mbps` and `TFLOPS` are refused with the spelling that is meant, since files disagree on what they stand for.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

from prism_sim.catalogue import nearest
from prism_sim.syntax.errors import shown

_DECIMAL = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER}|[-+]?(?:\.?inf|\.?nan|infinity)(?![a-z]))\s*(.*?)\s*", re.IGNORECASE)
_MICRO = str.maketrans({"\u00b5": "u", "\u03bc": "u"})  # the micro sign and the Greek letter


@dataclasses.dataclass(frozen=True, eq=False)
class Unit:
    """A kind of quantity, as the annotation of a scenario's field.

    base: the SI unit that values are kept in. factors: text of a unit -> what one of it is in base units.
    zero: zero makes sense. none: the word `none` is allowed, and means infinity (no such limit).
    bounds: in base units; beyond them lies no device and no network.
    """

    quantity: str
    base: str
    example: str
    factors: Mapping[str, float]
    zero: bool = False
    none: bool = False
    bounds: tuple[float, float] = (1e-15, 1e21)

    def parse(self, value: Any) -> float:
        """The value in base units; raises ValueError with value, rule and remedy."""
        due = f"{self.quantity} with its unit is due, such as '{self.example}'"
        if self.none and value == "none":
            return math.inf
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise ValueError(f"{shown(value)} is a bare number, but {due}")
        if not isinstance(value, str) or not (match := _QUANTITY.fullmatch(value)):
            remedy = " (or none)" if self.none else ""
            raise ValueError(f"{shown(value)} is not a number with a unit: {due}{remedy}")
        number, unit = match[1], match[2].translate(_MICRO)
        if not unit:
            raise ValueError(f"{shown(value)} is a bare number, but {due}")
        if unit not in self.factors:
            raise ValueError(f"{shown(value)} has the unit {shown(match[2])}, but {due}{self._hint(unit)}")
        return self._checked(value, _product(number, self.factors[unit]))

    def _checked(self, value: str, amount: float) -> float:
        if not math.isfinite(amount):
            raise ValueError(f"{shown(value)} must be finite; write a number such as '{self.example}'")
        if amount < 0 or (amount == 0 and not self.zero):
            rule = ">= 0" if self.zero else "> 0"
            raise ValueError(f"{shown(value)} must be {rule}; write {self.quantity} such as '{self.example}'")
        least, most = self.bounds
        if amount and not least <= amount <= most:
            rule = f"between {least:g} and {most:g} {self.base}"
            raise ValueError(f"{shown(value)} must be {rule}; write {self.quantity} such as '{self.example}'")
        return amount

    def _hint(self, unit: str) -> str:
        meant = re.sub(r"(?<=[kMGT])bps$|(?<=[kMGT])b/s$", "bit/s", unit)
        meant = re.sub(r"(?<=[kMGT])Bps$", "B/s", meant)
        meant = re.sub(r"(?<=[kKMGT])FLOPS$", "FLOP/s", meant, flags=re.IGNORECASE)
        if meant in self.factors:
            return f"; did you mean {meant!r}?"
        spelt = {meant.lower(), re.sub(r"bps$|b/s$", "bit/s", unit.lower()), re.sub(r"bps$", "b/s", unit.lower())}
        same = [known for known in self.factors if known.lower() in spelt]
        if same:
            return f"; did you mean {' or '.join(map(repr, same))}?"
        return nearest(meant, self.factors) or f" (units: {', '.join(self.factors)})"

    def text(self, amount: float) -> str:
        """Text that parses to exactly `amount`."""
        return "none" if math.isinf(amount) else f"{amount!r} {self.base}"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(value: Any) -> float:
            try:
                return self.parse(value)
            except ValueError as problem:
                raise PydanticCustomError("rule", "{rule}", {"rule": str(problem)}) from None

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        units = "|".join(re.escape(unit).replace("/", r"\/").replace("u", "[u\u00b5\u03bc]") for unit in self.factors)
        pattern = rf"^\s*{_NUMBER.replace('(?:', '(')}\s*({units})\s*$"
        pattern = f"{pattern}|^none$" if self.none else pattern
        return {"type": "string", "pattern": pattern, "examples": [self.example]}


def _product(number: str, factor: float) -> float:
    """The number times the factor, rounded once, so that 0.45 ms is the float 0.00045."""
    amount = float(number.replace(".", "") if "n" in number.lower() else number)
    if not 1e-300 < abs(amount) < 1e300:
        return amount * factor
    return float(Decimal(number) * Decimal(repr(factor)))


def _scaled(base: str, prefixes: Mapping[str, float], per_base: float = 1.0) -> dict[str, float]:
    return {f"{prefix}{base}": factor * per_base for prefix, factor in prefixes.items()}


_BYTES_PER_S = _scaled("B/s", _DECIMAL | _BINARY)
BIT_RATE = Unit(
    "a bit rate",
    "bit/s",
    "100 Mbit/s",
    _scaled("bit/s", _DECIMAL) | {unit: 8 * factor for unit, factor in _BYTES_PER_S.items()},
)
COMPUTE = Unit("a compute rate", "FLOP/s", "1.28 TFLOP/s", _scaled("FLOP/s", {**_DECIMAL, "P": 1e15}))
MEMORY_RATE = Unit("a memory rate in bytes", "B/s", "68 GB/s", _BYTES_PER_S)
STORAGE_RATE = dataclasses.replace(MEMORY_RATE, example="400 MB/s")
MEMORY = Unit("an amount of memory", "B", "8 GiB", _scaled("B", _DECIMAL | _BINARY))
TIME = Unit("a time", "s", "5 ms", {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}, zero=True)
POWER = Unit("a power", "W", "7 W", {"uW": 1e-6, "mW": 1e-3, "W": 1.0, "kW": 1e3}, zero=True)
BUSY_POWER = dataclasses.replace(POWER, zero=False)
STAGING_RATE = dataclasses.replace(MEMORY_RATE, example="500 MB/s", none=True)
