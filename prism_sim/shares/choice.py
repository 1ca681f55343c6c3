"""What each rank takes of tokens, heads, blocks or samples: words become numbers, once devices are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from prism_sim import timing
from prism_sim.devices import kinds_of
from prism_sim.plugins import remembered
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.shares.search import balanced_shares, has_few_splits, least_latency_split
from prism_sim.shares.setting import Played, Setting, Shares
from prism_sim.shares.stages import best_stages, stages_of
from prism_sim.shares.within_memory import within_memory
from prism_sim.strategies.options import SHARE_WORDS

SHOWN_SIZES = 8  # of a split
BALANCED = 2  # rounds
NOTHING = 1e-9  # of a share; a rank still gets one item, where it must have one

Kind = Literal["equal", "proportional", "balanced", "optimal", "within memory", "given"]


@dataclass(frozen=True)
class Split:
    """A setting with numbers for its shares, and whose they are; None: nothing is split."""

    setting: Setting
    kind: Kind | None

    @cached_property
    def played(self) -> Played:
        """Once, whether it was in choosing these shares or is now that they are chosen."""
        return self.setting.played()


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


def resolve_shares(setting: Setting, keep_word: bool = True) -> Split:
    """The setting with numbers in place of a word for its shares; any other as it is.

    proportional: to the speed of each rank's device alone, as far as its memory allows. optimal: of the splits that fit
    the devices' memory, that with the least simulated latency; never slower than even and proportional ones that fit.
    auto: see `serving_shares`. keep_word: a split that proportional or optimal shares make an even one has their name.
    Raises ValueError where there are more ranks than items, or for a word that is none.
    """
    word, job = share_word(setting.job), setting.job
    if word is None:
        given = getattr(job.options, "shares", None) is not None
        return Split(setting, None if job.n_ranks == 1 or not setting.items else "given" if given else "equal")
    if job.n_ranks == 1 and word in SHARE_WORDS:
        return Split(setting.shared(None), None)
    match word:
        case "equal":
            return Split(setting.shared(None), "equal")
        case "proportional":
            found = _proportional(setting)
        case "optimal":
            found = _optimal(setting)
        case "auto":
            return serving_shares(setting)
        case _:
            raise ValueError(f"shares {word!r} are neither numbers nor one of {', '.join(SHARE_WORDS)}")
    return replace(found, kind=word) if keep_word and found.kind == "equal" else found


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


def _split(setting: Setting, kind: Kind, shares: Shares) -> Split:
    """Even, if there are no shares."""
    return Split(setting.shared(shares), "equal" if shares is None else kind)


def _proportional(setting: Setting) -> Split:
    """To speed where that fits the devices' memory, or as near to it as fits; to speed alone if nothing fits."""
    wanted = proportional_shares(setting)
    found = within_memory(setting, wanted) or wanted
    return _split(setting, "proportional" if found == wanted else "within memory", _unless_even(setting, found))


def _optimal(setting: Setting) -> Split:
    return _split(setting, "optimal", optimal_shares(setting))


def serving_shares(setting: Setting) -> Split:
    """What serves a strategy best of even, proportional and balanced shares and, where that is quick, the optimal ones.

    Whatever fits the devices' memory comes before what does not; of equally fast ones the simpler is taken. Ranks on
    devices that are alike share evenly, if that fits. Quick: a split that has a closed form, as a pipeline's, or that
    is one of few.
    """
    even = _split(setting, "equal", None)
    plan = even.setting.plan  # raises where there are more ranks than items
    if are_alike(setting) and not setting.beyond(plan.held_bytes):
        return even
    if has_few_splits(setting):
        return _optimal(setting)
    tried = [even]
    if (proportional := _proportional(setting)).kind != "equal":
        tried.append(proportional)
    if _is_pipeline(setting):
        tried += [_split(setting, "optimal", shares) for shares in _by_stages(setting)]
    elif len(tried) == 2:
        tried += _balanced(even, proportional)
    return min(tried, key=lambda split: split.played.score)


def _balanced(one: Split, other: Split) -> list[Split]:
    """Splits by which all devices should be busy equally long, as two splits, and then two better ones, let expect."""
    found: list[Split] = []
    for _ in range(BALANCED):
        shares = within_memory(one.setting, balanced_shares(one.played, other.played))
        if shares is None or (split := _split(one.setting, "balanced", shares)) in found:
            break
        found.append(split)
        one, other = min(one, other, key=lambda split: split.played.score), split
    return found


def are_alike(setting: Setting) -> bool:
    """Whether the ranks' devices are, but for their names."""
    return len(kinds_of({device: setting.devices[device] for device in setting.device_of[:-1]})) == 1


def _unless_even(setting: Setting, shares: Shares) -> Shares:
    return None if setting.shared(shares).plan == setting.shared(None).plan else shares


def _is_pipeline(setting: Setting) -> bool:
    return tuple(setting.items) == ("blocks",)


def alone_s(job: Job, device: timing.Device) -> float:
    """Seconds of all kernels of the model on one device: roofline and overhead, without network."""
    return _alone_s(job.alone(), replace(device, name=""))


@remembered(maxsize=256)
def _alone_s(job: Job, device: timing.Device) -> float:
    plan = predict(job)
    return sum(device.compute_s(step.kernels) for one in plan.participants for step in plan.computes(one))


@remembered(maxsize=1024)
def optimal_shares(setting: Setting) -> tuple[float, ...] | None:
    """Numbers that come to the split with the least latency; None if that is an even one."""
    n_ranks = setting.job.n_ranks
    _ = setting.shared(None).plan  # raises where there are more ranks than items, before any search
    proportional = proportional_shares(setting)
    starts: list[Sequence[float]] = [(1 / n_ranks,) * n_ranks, proportional, *concentrated(proportional)]
    if (roomy := within_memory(setting, proportional)) is not None:
        starts.append(roomy)
    if _is_pipeline(setting):
        starts += _by_stages(setting)
    sizes = least_latency_split(setting, starts)
    return _unless_even(setting, tuple(size / sum(sizes) for size in sizes))


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
    even = setting.shared(None)
    sizes = best_stages(stages_of(even), even.job.options.micro_batches)
    return [] if sizes is None else [tuple(size / sum(sizes) for size in sizes)]


def share_choice(setting: Setting, kind: Kind | None, latency_s: float) -> ShareChoice | None:
    """Of a played job with numbers; None if there is nothing to split."""
    if kind is None:
        return None
    shares = setting.job.options.shares
    return ShareChoice(
        kind=kind,
        shares=shares,
        sizes=setting.sizes(shares),
        latency_s=latency_s,
        even_latency_s=latency_s if shares is None else setting.shared(None).played().timeline.latency_s,
    )


def sizes_text(sizes: Mapping[str, Sequence[int]]) -> str:
    """'410/102 tokens'; of heads and columns, the heads."""
    name, parts = next(iter(sizes.items()))
    return f"{_sizes_text(parts)} {name}"
