"""What each rank takes of tokens, heads, blocks or samples: words become numbers, once devices are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from prism_sim import strategies, timing
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import SHARE_WORDS
from prism_sim.study.pipeline_split import best_stages, stages_of
from prism_sim.study.share_search import Setting, least_latency_split

SHOWN_SIZES = 8  # of a split
NOTHING = 1e-9  # of a share; a rank still gets one item, where it must have one

Kind = Literal["equal", "proportional", "optimal", "given"]


@dataclass(frozen=True, slots=True)
class ShareChoice:
    """How a simulated job is split. shares: None for an even split. sizes: of each rank, by what is split.

    even_latency_s: of the same job under an even split.
    """

    kind: Kind
    shares: tuple[float, ...] | None
    sizes: dict[str, tuple[int, ...]]
    latency_s: float
    even_latency_s: float

    @property
    def gain(self) -> float:
        """How many times as fast as an even split."""
        return self.even_latency_s / self.latency_s

    def __str__(self) -> str:
        """'optimal shares 12/500 tokens: 1.23 times as fast as an even split'."""
        name = "shares" if self.kind == "given" else f"{self.kind} shares"
        split = ", ".join(f"{_sizes_text(sizes)} {items}" for items, sizes in self.sizes.items())
        gain = "as fast" if abs(self.gain - 1) < 0.005 else f"{self.gain:.2f} times as fast"
        return f"{name} {split}: {gain} as an even split"

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "sizes": {name: list(sizes) for name, sizes in self.sizes.items()},
            "even_latency_s": self.even_latency_s,
        }


def _sizes_text(sizes: Sequence[int]) -> str:
    shown = [str(size) for size in sizes[:SHOWN_SIZES]]
    return "/".join(shown if len(sizes) <= SHOWN_SIZES else [*shown[:-1], "...", str(sizes[-1])])


def resolve_shares(setting: Setting) -> Job:
    """The job with numbers in place of a word for its shares; any other job as it is.

    proportional: to the speed of each rank's device alone. optimal: of the splits that fit the devices' memory, that
    with the least simulated latency; never slower than even and proportional ones that fit.
    Raises ValueError where there are more ranks than items, or for a word that is none.
    """
    word = share_word(setting.job)
    if word is None:
        return setting.job
    if word not in SHARE_WORDS:
        raise ValueError(f"shares {word!r} are neither numbers nor one of {', '.join(SHARE_WORDS)}")
    if word == "equal" or setting.job.n_ranks == 1:
        return without_word(setting.job)
    return setting.with_shares((proportional_shares if word == "proportional" else optimal_shares)(setting))


def share_word(job: Job) -> str | None:
    """What stands in place of numbers; None if there are numbers, or nothing to share."""
    shares = getattr(job.options, "shares", None)
    return shares if isinstance(shares, str) else None


def without_word(job: Job) -> Job:
    """The job evenly split, if its shares are still a word: whether it can be spread at all does not depend on them."""
    return job if share_word(job) is None else replace(job, options=replace(job.options, shares=None))


def proportional_shares(setting: Setting) -> tuple[float, ...]:
    """1 / the seconds that each rank's device needs for the whole model, of their sum."""
    speeds = [1 / alone_s(setting.job, setting.devices[device]) for device in setting.device_of[:-1]]
    return tuple(speed / sum(speeds) for speed in speeds)


def alone_s(job: Job, device: timing.Device) -> float:
    """Seconds of all kernels of the model on one device: roofline and overhead, without network."""
    single = strategies.find("single")
    plan = predict(replace(job, n_ranks=1, strategy=single.name, options=single.options()))
    return sum(device.compute_s(step.kernels) for one in range(len(plan.programs)) for step in plan.computes(one))


@lru_cache(maxsize=1024)
def optimal_shares(setting: Setting) -> tuple[float, ...] | None:
    """Numbers that come to the split with the least latency; None if that is an even one."""
    n_ranks, items = setting.job.n_ranks, setting.items
    even = predict(setting.with_shares(None))  # raises where there are more ranks than items, before any search
    proportional = proportional_shares(setting)
    starts: list[Sequence[float]] = [(1 / n_ranks,) * n_ranks, proportional, *concentrated(proportional)]
    if tuple(items) == ("blocks",):
        starts += _by_stages(setting)
    sizes = least_latency_split(setting, starts)
    shares = tuple(size / sum(sizes) for size in sizes)
    return None if predict(setting.with_shares(shares)) == even else shares


def concentrated(shares: Sequence[float]) -> Iterator[tuple[float, ...]]:
    """Next to nothing for all ranks but one, and for all but the first few in the order of their shares.

    Fewer tokens than means, or a single block, can cost a rank so little that it is best left with that.
    """
    by_share = sorted(range(len(shares)), key=lambda rank: -shares[rank])
    for kept in (*([rank] for rank in by_share), *(by_share[:number] for number in range(2, len(shares)))):
        found = [share if rank in kept else NOTHING * share for rank, share in enumerate(shares)]
        yield tuple(share / sum(found) for share in found)


def _by_stages(setting: Setting) -> list[Sequence[float]]:
    """The split of a pipeline in closed form, if one fits the devices' memory."""
    even = setting.with_shares(None)
    stages = stages_of(even, setting.devices, setting.device_of, setting.network)
    sizes = best_stages(stages, even.options.micro_batches)
    return [] if sizes is None else [[size / sum(sizes) for size in sizes]]


def share_choice(setting: Setting, written: object, latency_s: float) -> ShareChoice | None:
    """Of a played job with numbers, whose scenario says `written`; None if there is nothing to split."""
    job = setting.job
    if job.n_ranks == 1 or not setting.items:
        return None
    shares = job.options.shares
    kind: Any = written if isinstance(written, str) else "equal" if written is None else "given"
    return ShareChoice(
        kind=kind,
        shares=shares,
        sizes=setting.sizes(shares),
        latency_s=latency_s,
        even_latency_s=latency_s if shares is None else even_latency_s(setting),
    )


def even_latency_s(setting: Setting) -> float:
    plan = predict(setting.with_shares(None))
    return timing.simulate(plan, setting.devices, setting.device_of, setting.network).latency_s
