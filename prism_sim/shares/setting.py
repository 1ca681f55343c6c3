"""A job on its hardware, and what a split of it comes to: who has how much, in which memory, how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from prism_sim import timing
from prism_sim.generation.decoding import Decoding, decoding, over_request, request_plan
from prism_sim.partition import split
from prism_sim.plan import Plan
from prism_sim.plugins import remembered
from prism_sim.progress import SILENT, Progress
from prism_sim.shapes.job import Job
from prism_sim.shares.bounds import least_latency_s
from prism_sim.strategies.options import Divides, marks

DIGITS = 12  # of seconds; what differs less is rounding

Sizes = tuple[int, ...]
Shares = tuple[float, ...] | None  # None: an even split


@dataclass(frozen=True, slots=True)
class Setting:
    """A job and the hardware that it is played on. progress: told of a search that takes long.

    device_of: index in devices of each participant's device, the terminal's last.
    """

    job: Job
    devices: tuple[timing.Device, ...]
    device_of: Sizes
    network: timing.Network
    progress: Progress = field(default=SILENT, compare=False, repr=False)

    def shared(self, shares: Sequence[float] | None) -> Setting:
        numbers = None if shares is None else tuple(shares)
        return replace(self, job=replace(self.job, options=replace(self.job.options, shares=numbers)))

    def split(self, sizes: Sizes) -> Setting:
        """With shares that come to these sizes."""
        return self.shared([size / sum(sizes) for size in sizes])

    @property
    def plan(self) -> Plan:
        """Raises ValueError where the strategy cannot serve the job."""
        return request_plan(self._job)

    @property
    def decoding(self) -> Decoding | None:
        """The steps that follow the pass over a prompt; None: nothing follows."""
        return _decoding(self) if self.job.step_pasts else None

    @property
    def _job(self) -> Job:
        return self.shared(None).job if self._is_even else self.job

    @property
    def _is_even(self) -> bool:
        """Whether shares in numbers come to an even split, which has one Plan in whatever numbers it is said."""
        shares = getattr(self.job.options, "shares", None)
        if not isinstance(shares, tuple) or not self.items:
            return False
        try:
            return self.sizes(shares) == self.sizes(None)
        except ValueError:  # the strategy's own words say why
            return False

    @property
    def _divides(self) -> Divides:
        """What the strategy's shares are of; nothing if it has none."""
        return marks(type(self.job.options), Divides).get("shares", Divides(()))

    @property
    def least(self) -> int:
        """How many of what is split a rank takes at least."""
        return self._divides.least

    @property
    def items(self) -> dict[str, int]:
        """What shares split, and how many there are of it; empty if the strategy has no shares."""
        counts = {
            "tokens": self.job.n_tokens,
            "heads": self.job.sizes.n_heads,
            "columns": self.job.sizes.feed_forward_width,
            "blocks": self.job.sizes.n_blocks,
            "samples": self.job.batch,
        }
        return {name: counts[name] for name in self._divides.items}

    @property
    def n_items(self) -> int:
        """Of the finest of what is split."""
        return max(self.items.values())

    def sizes(self, shares: Sequence[float] | None) -> dict[str, Sizes]:
        """What each rank takes of each of them. Raises ValueError where shares and ranks do not fit it."""
        job, together = self.job, self.job.together
        return {
            name: tuple(map(len, split(n_items, job.n_ranks, shares, name, self.least, together.get(name, 1))))
            for name, n_items in self.items.items()
        }

    def device_bytes(self, held_bytes: Sizes) -> dict[int, int]:
        """What all participants on a device hold together, by device, in the order of devices."""
        found = dict.fromkeys(sorted(set(self.device_of)), 0)
        for device, n_bytes in zip(self.device_of, held_bytes, strict=True):
            found[device] += n_bytes
        return found

    def beyond(self, held_bytes: Sizes) -> dict[int, int]:
        """The devices whose memory has no room for all that the participants hold, and how many bytes have none."""
        need = self.device_bytes(held_bytes)
        rooms = {device: self.devices[device].memory_bytes for device in need}
        return {one: need[one] - room for one, room in rooms.items() if room is not None and need[one] > room}

    def streamed_bytes(self, held_bytes: Sizes, weight_bytes: Sizes) -> dict[int, int]:
        """What has no room and is read from storage for each pass, by device; weights alone can be."""
        weights = self.device_bytes(weight_bytes)
        over = self.beyond(held_bytes).items()
        return {one: min(n, weights[one]) for one, n in over if self.devices[one].storage_bytes_per_s is not None}

    def lacking(self, held_bytes: Sizes, weight_bytes: Sizes) -> dict[int, int]:
        """The devices that cannot serve the participants, and how many bytes they lack, storage used where it is."""
        streamed = self.streamed_bytes(held_bytes, weight_bytes)
        left = {one: n - streamed.get(one, 0) for one, n in self.beyond(held_bytes).items()}
        return {one: n for one, n in left.items() if n}

    @property
    def playing(self) -> tuple[timing.Device, ...]:
        """The devices as they serve the request: each reads the same part of all its weights from storage.

        Which part is settled for the whole request, by what is held at its peak.
        """
        if all(device.storage_bytes_per_s is None for device in self.devices):
            return self.devices
        plan = self.plan
        weights, found = self.device_bytes(plan.weight_bytes), list(self.devices)
        for one, n_bytes in self.streamed_bytes(plan.held_bytes, plan.weight_bytes).items():
            if weights[one]:
                found[one] = replace(found[one], streamed=n_bytes / weights[one])
        return tuple(found)

    def least_latency_s(self, plan: Plan | None = None) -> float:
        """No run is faster. plan: in place of the job's own."""
        return least_latency_s(self.plan if plan is None else plan, self.devices, self.device_of, self.network)

    def least_score(self, plan: Plan) -> tuple[int, float]:
        """Not more than the score of the plan, once it is played."""
        return self.lacking_bytes(plan), rounded(self.least_latency_s(plan))

    def lacking_bytes(self, plan: Plan) -> int:
        """Of all devices."""
        return sum(self.lacking(plan.held_bytes, plan.weight_bytes).values())

    def played(self, plan: Plan | None = None) -> Played:
        """plan: in place of the job's own, which is not played again for the next who asks."""
        return _played(self) if plan is None else _played.__wrapped__(self, plan)


@dataclass(frozen=True)
class Played:
    """A setting, the Plan that its strategy makes of the job, and what became of that on the devices."""

    setting: Setting
    plan: Plan
    timeline: timing.Timeline

    @property
    def sizes(self) -> Sizes:
        """Of each rank, of the finest of what is split."""
        return max(self.setting.sizes(self.setting.job.options.shares).values(), key=sum)

    @cached_property
    def score(self) -> tuple[int, float]:
        """Bytes that do not fit, and the latency: the less, the better."""
        return self.setting.lacking_bytes(self.plan), rounded(self.latency_s)

    @property
    def latency_s(self) -> float:
        """Of the whole request."""
        return over_request(self.timeline, self.setting.decoding, lambda timeline: (timeline.latency_s,))[0]

    @property
    def busy_s(self) -> tuple[float, ...]:
        """Of each rank's device."""
        busy_s = over_request(self.timeline, self.setting.decoding, lambda timeline: timeline.busy_s)
        return tuple(busy_s[device] for device in self.setting.device_of[:-1])


@remembered(maxsize=16)
def _played(setting: Setting, plan: Plan | None = None) -> Played:
    plan = setting.plan if plan is None else plan
    return Played(setting, plan, timing.play_once(plan, setting.playing, setting.device_of, setting.network))


@remembered(maxsize=16)
def _decoding(setting: Setting) -> Decoding:
    return decoding(setting._job, setting.playing, setting.device_of, setting.network)


def rounded(seconds: float) -> float:
    return float(f"{seconds:.{DIGITS}g}")
