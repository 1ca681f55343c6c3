"""The timing of many points at once: those that ask the same on one kind of hardware are played, and told, together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from prism_sim.choice.result import RunResult
from prism_sim.shares.choice import Split
from prism_sim.simulation.back_to_back import ThroughputMode, in_turn_is_faster
from prism_sim.simulation.many import Asked, Hardware, Plays, Rows
from prism_sim.sweeping.blocks import RowBlock
from prism_sim.sweeping.parts import PartialJob, Resolved
from prism_sim.sweeping.rows import flat


class PointGroup(NamedTuple):
    """Points of one job on one kind of hardware, and what is to be played for them. alone: by device."""

    job: PartialJob
    points: list[Resolved]
    own: Asked
    alone: dict[int, Asked]
    voltage: Asked | None

    @staticmethod
    def of(job: PartialJob, points: list[Resolved], plays: Plays) -> PointGroup:
        """Of points with the same kinds of devices. Raises ValueError where a network's numbers do not fit together."""
        compared = job.compared
        assert compared is not None
        hardware = Hardware([point.played.boards for point in points], [point.network.network for point in points])

        def beside(split: Split) -> Asked:
            return Asked.of(split, hardware, plays, beside=True)

        return PointGroup(
            job,
            points,
            Asked.of(compared.own, hardware, plays),
            {index: beside(job.alone(index)) for index in sorted({job.kind.terminal, *points[0].played.kinds})},
            None if compared.voltage is None else beside(compared.voltage),
        )

    def blocks(self, questions: dict[str, str]) -> Iterator[RowBlock]:
        """Rows that differ in numbers alone, side by side. Raises ValueError where one of them cannot be played."""
        fastest, in_turn = self._fastest(), self._in_turn()
        for rows in alike(self.own.algorithms, fastest, in_turn):
            mode: ThroughputMode | None = None
            if self.own.may_choose:
                mode = "in turn" if in_turn[rows[0]] else "split"
            columns = flat(self._result(rows, int(fastest[rows[0]]), mode).to_json())
            points = [self.points[row] for row in rows]
            columns["scenario_hash"] = np.array([point.hash for point in points], dtype=object)
            yield RowBlock(tuple(point.key for point in points), columns, questions)

    def _result(self, rows: Rows, fastest: int, mode: ThroughputMode | None) -> RunResult:
        """As `run` gives it, with an array for each number in which these rows differ."""
        alone = {index: asked.taken(rows).played() for index, asked in self.alone.items()}
        return RunResult(
            scenario=self.job.scenario,
            simulation=self.own.taken(rows).played(mode),
            single=alone[self.job.kind.terminal],
            fastest_single=alone.get(fastest),
            voltage=None if self.voltage is None else self.voltage.taken(rows).played(),
            fidelity=None,
        )

    def _fastest(self) -> NDArray[np.int64]:
        """On each row's hardware, the device that is fastest alone of those that can hold the model; -1: none can."""
        able = [index for index, asked in self.alone.items() if asked.played().fits]
        if not able:
            return np.full(len(self.points), -1)
        latencies = np.stack([self.alone[index].latency_s for index in able])
        found: NDArray[np.int64] = np.array(able)[np.argmin(latencies, axis=0)]  # of equally fast ones the first
        return found

    def _in_turn(self) -> NDArray[np.bool_]:
        split, *dealt = self.own.paces_per_s
        return np.asarray(in_turn_is_faster(dealt[0], split)) if dealt else np.zeros(len(self.points), dtype=bool)


def alike(*columns: NDArray[Any]) -> list[Rows]:
    """Rows that are the same in all columns, together, in the order of their first."""
    table = np.column_stack([column.astype(np.int64) for column in columns])
    if (table == table[0]).all():
        return [np.arange(len(table))]
    _, first, which = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return [np.flatnonzero(which.ravel() == kind) for kind in np.argsort(first)]
