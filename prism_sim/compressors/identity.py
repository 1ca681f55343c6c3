"""No compression: every row crosses (Voltage)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from prism_sim.compressors.base import CompressorStep, Entry


@dataclass(frozen=True, slots=True)
class Identity:
    by_content: ClassVar[bool] = False

    def n_rows(self, n_tokens: int) -> int:
        return n_tokens

    def work(self, batch: int, n_tokens: int, width: int) -> tuple[CompressorStep, ...]:
        return ()

    def reduce(self, x: Any, real: Any) -> NoReturn:
        raise AssertionError("there are as many rows as tokens, so nothing is to be reduced")


COMPRESSOR = Entry(
    name="identity",
    summary="all rows as they are; exact",
    source="Hu, Li (2024), Voltage, ICDCS",
    create=Identity,
    kind="reducer",
    lossless=True,
)
