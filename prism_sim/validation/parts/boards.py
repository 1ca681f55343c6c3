"""Boards as others measured them, beside fits that have not seen these measurements, and clusters of such boards.

Single devices: each model is left out of its board's fit in turn. Clusters: predicted with the presets, which are
fitted to single devices only; nothing is fitted to what several devices took.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from prism_sim.boards.clusters import predicted_s
from prism_sim.boards.left_out import Unseen, unseen_rows
from prism_sim.boards.rows import ClusterRow, board_rows, cluster_rows
from prism_sim.progress import Progress
from prism_sim.syntax import presets
from prism_sim.validation.base import (
    JudgedRow,
    Judgement,
    PartOutcome,
    ValidationPart,
    ValidationSettings,
    rank_agreement,
    summary,
)

MEDIAN, FAR_WITH_REASON = 0.15, 0.5  # of models left out
CLUSTER_MEDIAN, RANKED = 0.20, 0.95
ALONE = "alone"  # no other model was measured in this runtime


def run(settings: ValidationSettings, progress: Progress) -> PartOutcome:
    """As quick as it is: no measurement is taken, and a quick run is the same."""
    progress.line("boards: each model left out in turn")
    unseen = list(unseen_rows())
    progress.line("boards: clusters")
    usable = [row for row in cluster_rows() if row.left_out is None]
    singles, clusters = [_single(one) for one in unseen], _numbered([_cluster(row) for row in usable])
    judgements = (*_of_singles(singles, unseen), *_of_clusters(clusters))
    return PartOutcome((*_numbered(singles), *clusters), judgements, tuple(_remarks(unseen)), grouped_by="board")


def _single(one: Unseen) -> JudgedRow:
    """Its error is of the fit that has not seen its model."""
    row = one.row
    predicted = one.fitted_s if one.unseen_s is None else one.unseen_s
    tags = {"board": f"{row.device}, {row.runtime}", "model": row.model, "phase": row.phase}
    return JudgedRow(row.name, predicted, row.seconds, tags=tags, not_judged=ALONE if one.unseen_s is None else None)


def _cluster(row: ClusterRow) -> JudgedRow:
    """One device of a study is there to be ranked beside several; the fit may have seen it."""
    tags = {
        "board": f"clusters: {row.study.split(',')[0]}",
        "study": row.study,
        "device": row.device,
        "model": row.model,
        "phase": row.phase,
        "strategy": row.how,
        "ranks": str(row.n_devices),
    }
    alone = "one" if row.n_devices == 1 else None
    return JudgedRow(row.name, predicted_s(row), row.seconds, tags=tags, not_judged=alone)


def _numbered(rows: Sequence[JudgedRow]) -> list[JudgedRow]:
    """What was measured several times, alike, has names of its own."""
    seen = Counter[str]()
    found = []
    for row in rows:
        seen[row.case] += 1
        found.append(replace(row, case=f"{row.case} ({seen[row.case]})") if seen[row.case] > 1 else row)
    return found


def _of_singles(rows: Sequence[JudgedRow], unseen: Sequence[Unseen]) -> Iterator[Judgement]:
    yield _half_within("models left out", rows, MEDIAN)
    far = [one.row for row, one in zip(rows, unseen, strict=True) if _is_far(row)]
    unexplained = [row.name for row in far if row.far_because is None]
    named = f": {'; '.join(unexplained)}" if unexplained else ""
    law = f"models left out: none over {100 * FAR_WITH_REASON:.0f} % without its reason ({len(far)} with one{named})"
    yield Judgement(law, not unexplained)


def _half_within(what: str, rows: Sequence[JudgedRow], most: float) -> Judgement:
    found = summary(rows)
    assert found is not None  # some rows are judged
    told = f"of {found.n_rows} rows, {100 * found.median_abs_error:.2g} %"
    return Judgement(f"{what}: half within {100 * most:.0f} % ({told})", found.median_abs_error <= most)


def _is_far(row: JudgedRow) -> bool:
    return row.not_judged is None and abs(row.error) > FAR_WITH_REASON


def _of_clusters(rows: Sequence[JudgedRow]) -> Iterator[Judgement]:
    yield _half_within("clusters", rows, CLUSTER_MEDIAN)
    right, ranked = rank_agreement(rows)
    yield Judgement(
        f"clusters: the faster strategy or number of devices named in {100 * RANKED:.0f} % of pairs "
        f"({right} of {ranked})",
        right >= RANKED * ranked,
    )


def _remarks(unseen: Sequence[Unseen]) -> Iterator[str]:
    yield "Alone: no other model in this runtime, so as fitted to it. One: of a study, to rank beside several devices."
    reasons: dict[str, list[str]] = {}
    for one in unseen:
        if one.row.far_because is not None and _is_far(_single(one)):
            reasons.setdefault(one.row.far_because, []).append(one.row.name)
    for reason, names in reasons.items():
        yield f"{'; '.join(dict.fromkeys(names))}: {reason}."
    left = Counter(row.left_out for row in board_rows() if row.left_out is not None)
    left.update(row.left_out for row in cluster_rows() if row.left_out is not None)
    told = "; ".join(f"{reason} ({count})" for reason, count in left.most_common())
    yield f"Published rows that are not used, and why: {told}."
    yield _counted_numbers()


def _counted_numbers() -> str:
    """How many of the devices' preset numbers are fitted, sourced or assumed."""
    kinds = Counter[str]()
    for preset in presets.devices():
        for figure in (*preset.figures, *(one for own in preset.by_runtime.values() for one in own)):
            known = next((kind for kind in ("fitted", "assumption") if figure.source.startswith(kind)), "sourced")
            kinds[known] += 1
    return (
        f"Of {kinds.total()} numbers of {len(presets.devices())} devices, {kinds['fitted']} are fitted to rows, "
        f"{kinds['sourced']} have another source, {kinds['assumption']} are assumptions: see prism-sim list devices."
    )


PART = ValidationPart(
    "boards", "Do boards, and clusters of them, take as long as others measured?", "measured", run, order=4
)
