"""What each rank takes of tokens, heads, blocks or samples: words become numbers, once devices are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from prism_sim import strategies, timing
from prism_sim.plugins import remembered
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.shares.search import Played, Setting, balanced_shares, has_few_splits, least_latency_split
from prism_sim.shares.stages import best_stages, stages_of
from prism_sim.shares.within_memory import within_memory
from prism_sim.strategies.options import SHARE_WORDS

SHOWN_SIZES = 8  # of a split
BALANCED = 2  # rounds
NOTHING = 1e-9  # of a share; a rank still gets one item, where it must have one

Kind = Literal["equal", "proportional", "balanced", "optimal", "within memory", "given"]
Shares = tuple[float, ...] | None  # None: an even split


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
        name = {"given": "shares", "within memory": "shares within memory"}.get(self.kind, f"{self.kind} shares")
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


def resolve_shares(setting: Setting) -> tuple[Job, Kind | None]:
    """The job with numbers in place of a word for its shares, and whose they are; any other job as it is.

    proportional: to the speed of each rank's device alone, as far as its memory allows. optimal: of the splits that fit
    the devices' memory, that with the least simulated latency; never slower than even and proportional ones that fit.
    auto: see `serving_shares`. None: nothing is split.
    Raises ValueError where there are more ranks than items, or for a word that is none.
    """
    word, job = share_word(setting.job), setting.job
    if word is None:
        given = getattr(job.options, "shares", None) is not None
        return job, None if job.n_ranks == 1 or not setting.items else "given" if given else "equal"
    if word not in SHARE_WORDS:
        raise ValueError(f"shares {word!r} are neither numbers nor one of {', '.join(SHARE_WORDS)}")
    if job.n_ranks == 1:
        return without_word(job), None
    kind, shares = _SPLITS[word](setting)
    return setting.with_shares(shares), kind


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


def _proportional(setting: Setting) -> tuple[Kind, Shares]:
    """To speed where that fits the devices' memory, or as near to it as fits; to speed alone if nothing fits."""
    wanted = proportional_shares(setting)
    found = within_memory(setting, wanted) or wanted
    if _is_even(setting, found):
        return "equal", None
    return "proportional" if found == wanted else "within memory", found


def _stated_proportional(setting: Setting) -> tuple[Kind, Shares]:
    """The same by the word's own name, though devices that are alike make it even."""
    kind, shares = _proportional(setting)
    return "proportional" if kind == "equal" else kind, shares


def serving_shares(setting: Setting) -> tuple[Kind, Shares]:
    """What serves a strategy best of even, proportional and balanced shares and, where that is quick, the optimal ones.

    Whatever fits the devices' memory comes before what does not; of equally fast ones the simpler is taken. Ranks on
    devices that are alike share evenly, if that fits. Quick: a split that has a closed form, as a pipeline's, or that
    is one of few.
    """
    even = predict(setting.with_shares(None))  # raises where there are more ranks than items
    if are_alike(setting) and not setting.lacking_bytes(even.held_bytes):
        return "equal", None
    if has_few_splits(setting):
        optimal: Shares = optimal_shares(setting)
        return ("equal", None) if optimal is None else ("optimal", optimal)
    tried = {split: setting.played(split[1]) for split in (("equal", None), _proportional(setting))}
    if _is_pipeline(setting):
        tried |= {("optimal", shares): setting.played(shares) for shares in _by_stages(setting)}
    elif len(tried) == 2:
        tried |= _balanced(setting, list(tried.values()))
    return min(tried, key=lambda split: tried[split].score)


def _balanced(setting: Setting, known: list[Played]) -> dict[tuple[Kind, Shares], Played]:
    """Splits by which all devices should be busy equally long, as two splits, and then two better ones, let expect."""
    found: dict[tuple[Kind, Shares], Played] = {}
    for _ in range(BALANCED):
        one, other = known[-2:]
        shares = within_memory(setting, balanced_shares(setting, one, other))
        if shares is None or ("balanced", shares) in found:
            break
        found["balanced", shares] = played = setting.played(shares)
        known = [min(one, other, key=lambda split: split.score), played]
    return found


def are_alike(setting: Setting) -> bool:
    """Whether the ranks' devices are, but for their names."""
    return len({replace(setting.devices[device], name="") for device in setting.device_of[:-1]}) == 1


def _is_even(setting: Setting, shares: Shares) -> bool:
    return predict(setting.with_shares(shares)) == predict(setting.with_shares(None))


def _is_pipeline(setting: Setting) -> bool:
    return tuple(setting.items) == ("blocks",)


def alone_s(job: Job, device: timing.Device) -> float:
    """Seconds of all kernels of the model on one device: roofline and overhead, without network."""
    single = strategies.find("single")
    plan = predict(replace(job, n_ranks=1, strategy=single.name, options=single.options()))
    return sum(device.compute_s(step.kernels) for one in plan.participants for step in plan.computes(one))


@remembered(maxsize=1024)
def optimal_shares(setting: Setting) -> tuple[float, ...] | None:
    """Numbers that come to the split with the least latency; None if that is an even one."""
    n_ranks = setting.job.n_ranks
    even = predict(setting.with_shares(None))  # raises where there are more ranks than items, before any search
    proportional = proportional_shares(setting)
    starts: list[Sequence[float]] = [(1 / n_ranks,) * n_ranks, proportional, *concentrated(proportional)]
    if (roomy := within_memory(setting, proportional)) is not None:
        starts.append(roomy)
    if _is_pipeline(setting):
        starts += _by_stages(setting)
    sizes = least_latency_split(setting, starts)
    shares = tuple(size / sum(sizes) for size in sizes)
    return None if predict(setting.with_shares(shares)) == even else shares


_SPLITS: Mapping[str, Callable[[Setting], tuple[Kind, Shares]]] = {
    "equal": lambda setting: ("equal", None),
    "proportional": _stated_proportional,
    "optimal": lambda setting: ("optimal", optimal_shares(setting)),
    "auto": serving_shares,
}


def concentrated(shares: Sequence[float]) -> Iterator[tuple[float, ...]]:
    """Next to nothing for all ranks but one, and for all but the first few in the order of their shares.

    Fewer tokens than means, or a single block, can cost a rank so little that it is best left with that.
    """
    by_share = sorted(range(len(shares)), key=lambda rank: -shares[rank])
    for kept in (*([rank] for rank in by_share), *(by_share[:number] for number in range(2, len(shares)))):
        found = [share if rank in kept else NOTHING * share for rank, share in enumerate(shares)]
        yield tuple(share / sum(found) for share in found)


def _by_stages(setting: Setting) -> list[tuple[float, ...]]:
    """The split of a pipeline in closed form, if one fits the devices' memory."""
    even = setting.with_shares(None)
    stages = stages_of(even, setting.devices, setting.device_of, setting.network)
    sizes = best_stages(stages, even.options.micro_batches)
    return [] if sizes is None else [tuple(size / sum(sizes) for size in sizes)]


def share_choice(setting: Setting, kind: Kind | None, latency_s: float) -> ShareChoice | None:
    """Of a played job with numbers; None if there is nothing to split."""
    job = setting.job
    if kind is None:
        return None
    shares = job.options.shares
    return ShareChoice(
        kind=kind,
        shares=shares,
        sizes=setting.sizes(shares),
        latency_s=latency_s,
        even_latency_s=latency_s if shares is None else even_latency_s(setting),
    )


def sizes_text(sizes: Mapping[str, Sequence[int]]) -> str:
    """'410/102 tokens'; of heads and columns, the heads."""
    name, parts = next(iter(sizes.items()))
    return f"{_sizes_text(parts)} {name}"


def even_latency_s(setting: Setting) -> float:
    plan = predict(setting.with_shares(None))
    return timing.play_once(plan, setting.devices, setting.device_of, setting.network).latency_s
