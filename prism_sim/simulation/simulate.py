"""One strategy of one scenario, played on its hardware: where plans and timing meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from math import isnan, nan
from operator import add

from prism_sim import families, strategies, timing
from prism_sim.generation.decoding import Decoding, Figures, over_request
from prism_sim.generation.generation import Generation
from prism_sim.plan import ParticipantId, Plan
from prism_sim.plugins import remembered
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import CannotGenerateError, Job
from prism_sim.shares.choice import Kind, ShareChoice, Split, are_alike, resolve_shares, share_choice, without_word
from prism_sim.shares.setting import Setting
from prism_sim.simulation import hardware
from prism_sim.simulation.back_to_back import BackToBack, ThroughputMode
from prism_sim.simulation.counted import Counted
from prism_sim.simulation.model_config import model_spec
from prism_sim.strategies.base import HEAD
from prism_sim.timing.collectives import Message, lower
from prism_sim.timing.storage import storage_s

DEFAULT_TOKENS = 128  # of a text model whose scenario leaves the number to the input


@dataclass(frozen=True)
class Simulation:
    """A job, the Plan that its strategy makes of it, and what became of that on the devices.

    share_kind: whose its shares are; None where nothing is split.
    """

    setting: Setting
    plan: Plan
    timeline: timing.Timeline
    share_kind: Kind | None = None

    @property
    def job(self) -> Job:
        return self.setting.job

    @property
    def devices(self) -> tuple[timing.Device, ...]:
        return self.setting.devices

    @property
    def device_of(self) -> tuple[int, ...]:
        """Index in devices of each participant's device, the terminal's last."""
        return self.setting.device_of

    @property
    def network(self) -> timing.Network:
        return self.setting.network

    @cached_property
    def decoding(self) -> Decoding | None:
        """What follows the pass over the prompt; None: that is all."""
        return self.setting.decoding

    @cached_property
    def generation(self) -> Generation | None:
        """Of a request that generates text; None of any other."""
        if not self.job.new_tokens:
            return None
        return Generation.of(self.job, self.timeline, self.decoding, (self.pass_storage_s, self._steps_storage_s))

    @cached_property
    def pass_storage_s(self) -> float:
        """Of the computing on the pass's critical path, what waits for weights that storage is read for."""
        return self._storage_s(self.plan, self.timeline)

    @property
    def _steps_storage_s(self) -> float:
        """The same of all steps that follow it."""
        moments = () if self.decoding is None else self.decoding.moments
        return sum(one.weight * self._storage_s(one.plan, one.timeline) for one in moments)

    @property
    def reading_s(self) -> float:
        """The same of the whole request."""
        return self.pass_storage_s + self._steps_storage_s

    def _storage_s(self, plan: Plan, timeline: timing.Timeline) -> float:
        return storage_s(timeline, plan, self.setting.playing, self.device_of)

    @property
    def latency_s(self) -> float:
        """Of the whole request, to its last new token."""
        return self.over_request(lambda timeline: (timeline.latency_s,))[0]

    def over_request(self, figures: Figures) -> tuple[float, ...]:
        """These figures of the pass, and of all steps that follow it."""
        return over_request(self.timeline, self.decoding, figures)

    @cached_property
    def breakdown_s(self) -> dict[str, float]:
        """Seconds of each part of the critical path; they sum to the latency."""
        parts = self.timeline.breakdown_s
        return dict(zip(parts, self.over_request(lambda timeline: timeline.breakdown_s.values()), strict=True))

    @cached_property
    def wait_s(self) -> tuple[float, ...]:
        """Per participant: time in which it waited for messages."""
        return self.over_request(lambda timeline: timeline.wait_s)

    @cached_property
    def sent_bytes(self) -> tuple[int, ...]:
        """Per participant, between different devices."""
        return self._bytes_over_request(lambda timeline: timeline.sent_bytes)

    @cached_property
    def received_bytes(self) -> tuple[int, ...]:
        return self._bytes_over_request(lambda timeline: timeline.received_bytes)

    def _bytes_over_request(self, figures: Callable[[timing.Timeline], tuple[int, ...]]) -> tuple[int, ...]:
        if self.decoding is None:
            return figures(self.timeline)
        return tuple(map(round, self.over_request(figures)))

    @cached_property
    def shares(self) -> ShareChoice | None:
        """How tokens, heads or blocks are split, beside an even split; None where nothing is."""
        return share_choice(self.setting, self.share_kind, self.latency_s)

    @cached_property
    def device_bytes(self) -> dict[int, int]:
        """What all participants on a device hold, by device, in the order of devices."""
        return self.setting.device_bytes(self.held_bytes)

    @cached_property
    def streamed_bytes(self) -> dict[int, int]:
        """Of these, by device, what its memory has no room for and storage is read for; of devices without: nothing."""
        return dict.fromkeys(self.device_bytes, 0) | self.back_to_back.streamed_bytes

    @property
    def fits(self) -> bool:
        """Whether every device has the memory, or storage to read the rest from; of unknown memory there is enough."""
        return not self.back_to_back.lacking

    @cached_property
    def algorithms(self) -> tuple[str, ...]:
        """By which of `timing.ALGORITHMS` each exchange of the plan became messages."""
        return timing.algorithms_of(self.plan, self.devices, self.device_of, self.network)

    @property
    def messages(self) -> tuple[tuple[Message, ...], ...]:
        """What each exchange of the plan became."""
        return tuple(map(lower, self.plan.exchanges, self.algorithms))

    @cached_property
    def collectives(self) -> dict[str, list[str]]:
        """The algorithms of each kind of collective exchange; several where sizes differ, as in pass and step."""
        found: dict[str, list[str]] = {}
        each = list(zip(self.plan.exchanges, self.algorithms, strict=True))
        if self.decoding is not None:
            step = self.decoding.middle.plan
            algorithms = timing.algorithms_of(step, self.devices, self.device_of, self.network)
            each += zip(step.exchanges, algorithms, strict=True)
        for exchange, algorithm in each:
            if exchange.kind in timing.COLLECTIVES and algorithm not in (known := found.setdefault(exchange.kind, [])):
                known.append(algorithm)
        return found

    @property
    def participant_names(self) -> list[str]:
        """For pictures: each participant by its device, the terminal marked."""
        *ranks, terminal = (self.devices[device].name for device in self.device_of)
        return [*ranks, f"{terminal} (terminal)"]

    @cached_property
    def counted(self) -> Counted:
        return Counted(self.setting, self.plan)

    @property
    def gflops_per_device(self) -> float:
        """As `Counted`."""
        return self.counted.gflops_per_device

    def block_flops(self, participant: ParticipantId) -> int:
        return self.counted.block_flops(participant)

    def labelled_flops(self, participant: ParticipantId, label: str) -> int:
        return self.counted.labelled_flops(participant, label)

    @property
    def head_is_split(self) -> bool:
        """Whether ranks run the head, each for a part of the vocabulary."""
        return any(self.labelled_flops(rank, HEAD) for rank in self.plan.ranks)

    @property
    def back_to_back(self) -> BackToBack:
        return self.counted.back_to_back

    @property
    def throughput_per_s(self) -> float:
        """Requests (batches) a second when the next is always waiting."""
        return self.back_to_back.throughput_per_s

    @property
    def throughput_mode(self) -> ThroughputMode | None:
        """How that is reached: each request split over the ranks, or whole ones dealt in turn; None: no choice."""
        return self.back_to_back.mode

    @property
    def held_bytes(self) -> tuple[int, ...]:
        """Per participant: weights and, at their peak, activations, whichever way requests are served."""
        return self.back_to_back.held_bytes

    @cached_property
    def energy_j(self) -> tuple[float | None, ...]:
        """Of one request, per device; None where a device does not state its powers or takes no part."""
        joules = self.over_request(lambda timeline: [_or_nan(one) for one in timing.energy_j(timeline, self.devices)])
        return tuple(
            None if isnan(joule) or device not in self.device_of else joule for device, joule in enumerate(joules)
        )

    @property
    def total_energy_j(self) -> float | None:
        """Of all devices that take part; None if one of them does not state its powers."""
        joules = [self.energy_j[device] for device in sorted(set(self.device_of))]
        known = [joule for joule in joules if joule is not None]
        return reduce(add, known, 0.0) if len(known) == len(joules) else None

    @property
    def busy_s(self) -> tuple[float, ...]:
        """Per participant: its time in compute, staging and overhead."""
        return self.over_request(lambda timeline: timeline.participant_busy_s)

    @property
    def compression(self) -> tuple[int | list[int] | None, float | None]:
        """As `Counted`."""
        return self.counted.compression

    @property
    def communication_reduction(self) -> float | None:
        """As `Counted`."""
        return self.counted.communication_reduction


def simulate(
    scenario: Scenario,
    strategy: str | None = None,
    devices: Sequence[int] | None = None,
    keep: bool = False,
    progress: Progress = SILENT,
    silent_shares: str | None = None,
) -> Simulation:
    """Plays `strategy` (default: the scenario's) on `devices` (indices; default: those that it would use there).

    keep: for the next who asks the same; meant for what many scenarios are compared with.
    progress: told, in a sentence, of a search for the best shares that takes long.
    silent_shares: the word for the shares of a scenario that says nothing of them, of which only what they come to is
    told; None: equal.
    Raises ScenarioError where the strategy cannot serve the scenario: more ranks than blocks, say.
    """
    split = split_of(scenario, strategy, devices, progress, silent_shares)
    return kept(split) if keep else simulated(split)


def simulated(split: Split) -> Simulation:
    return Simulation(split.setting, split.played.plan, split.played.timeline, split.kind)


kept = remembered(maxsize=16)(simulated)


def split_of(
    scenario: Scenario,
    strategy: str | None = None,
    devices: Sequence[int] | None = None,
    progress: Progress = SILENT,
    silent_shares: str | None = None,
) -> Split:
    """What `simulate` plays. Raises as that."""
    name = scenario.strategy.name if strategy is None else strategy
    chosen = tuple(devices) if devices is not None else _default_devices(scenario, name)
    try:
        job = job_of(scenario, name, len(chosen))
        predict(without_word(job))
    except ScenarioError:
        raise
    except ValueError as error:  # rules that only show once strategy and model meet
        field, about = ("model", "") if scenario.model.config is None else ("strategy", name)
        raise scenario.error((field,), str(error), about=about) from error
    is_silent = "shares" not in scenario.written.strategy_fields and hasattr(job.options, "shares")
    if is_silent and silent_shares is not None:
        job = replace(job, options=replace(job.options, shares=silent_shares))
    device_of = (*chosen, scenario.terminal)
    setting = Setting(job, hardware.devices(scenario), device_of, hardware.network(scenario.network), progress)
    return resolve_shares(setting, keep_word=silent_shares is None)


def may_be_better_shared(simulation: Simulation) -> bool:
    """Whether `auto` may find other shares for what was played with proportional ones."""
    if simulation.share_kind in (None, "given"):
        return False
    is_even = simulation.job.options.shares is None
    return not (is_even and simulation.fits and are_alike(simulation.setting))


def replayed(simulation: Simulation, job: Job) -> Simulation:
    """Another job on the same devices and network; its shares are numbers."""
    return simulated(Split(replace(simulation.setting, job=job), simulation.share_kind))


def _or_nan(joules: float | None) -> float:
    """Which is unknown, and so is every sum with it."""
    return nan if joules is None else joules


def _default_devices(scenario: Scenario, strategy: str) -> tuple[int, ...]:
    if strategy == scenario.strategy.name:
        return scenario.active_ranks
    return (scenario.terminal,) if strategies.find(strategy).one_rank else scenario.ranks


def job_of(scenario: Scenario, strategy: str, n_ranks: int) -> Job:
    """The sizes of a scenario's forward pass, spread by `strategy` over `n_ranks`; its shares may be a word still."""
    spec, batch = model_spec(scenario), scenario.workload.batch
    assert spec.config is not None
    family = families.find(spec.config["model_type"])
    sizes, head = family.dimensions(spec.config), family.head(spec.head)
    if (reason := head.refuse(spec.config, batch)) is not None:
        raise scenario.error(("workload", "batch"), reason)
    new_tokens = scenario.workload.new_tokens
    n_tokens = scenario.workload.tokens or family.fixed_tokens(sizes) or min(DEFAULT_TOKENS, sizes.max_tokens)
    own = strategy == scenario.strategy.name
    job = Job(
        sizes=sizes,
        head=head,
        batch=batch,
        n_tokens=n_tokens,
        head_tokens=head.tokens(n_tokens),
        n_ranks=n_ranks,
        strategy=strategy,
        options=scenario.strategy.options if own else scenario.strategy_options(strategy),
        placement=scenario.placement,
        dtype=spec.dtype,
        weight_dtype=spec.weight_dtype,
        wire_dtype=spec.wire_dtype,
    )
    try:
        return job.prompt(new_tokens) if new_tokens else job
    except CannotGenerateError as error:
        raise scenario.error(error.field, str(error), about="" if own else strategy) from error
