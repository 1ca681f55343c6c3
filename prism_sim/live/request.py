"""One order in one process: what is kept from run to run, a request pass by pass, and whether its output is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prism_sim.live.group import gathered, shared
from prism_sim.live.model import Forward, LiveModel, Workshop
from prism_sim.live.order import LiveOrder
from prism_sim.live.records import Records
from prism_sim.live.steady.watch import Disturbance
from prism_sim.live.voice import ProcessIndex, Voice
from prism_sim.numeric.cache import Cache
from prism_sim.numeric.codebooks import codebooks_for, needs_codebooks
from prism_sim.numeric.generate import Generated, continued, prompt_lengths, step_inputs
from prism_sim.numeric.infer import main_output
from prism_sim.numeric.interpreter import execute
from prism_sim.numeric.measure import inputs_of
from prism_sim.plan import ParticipantId, participants
from prism_sim.shapes.job import Job

FIRST = ProcessIndex(0)  # the process that hears what the others have found
ROUNDINGS = 1000  # of the coarsest element type, relative: what a sum in another order and a dozen blocks come to


class Request:
    """One request as this process takes part in it. jobs: of its passes. at_terminal: whether it holds the terminal."""

    def __init__(self, workshop: Workshop, jobs: Sequence[Job], at_terminal: bool) -> None:
        self.workshop, self.jobs, self.at_terminal = workshop, jobs, at_terminal
        self.caches = [Cache() for _ in participants(jobs[0].n_ranks)]
        self.forwards: list[Forward] = []

    def models(self, number: int) -> list[LiveModel]:
        """Of all participants, for this pass, when those before it are over."""
        forward = self._forward(number) if self.at_terminal else None
        return self.workshop.models(forward, self.jobs[number], self.caches)

    def _forward(self, number: int) -> Forward:
        if number == 0:
            forward = self.workshop.held_forward()
        else:
            token = self.forwards[-1].next_token
            assert token is not None
            lengths = prompt_lengths(self.workshop.inputs) + number - 1
            forward = self.workshop.stepping_forward(self.jobs[number], step_inputs(token[:, None], lengths))
        self.forwards.append(forward)
        return forward

    def abandon(self) -> None:
        """Lets go what waits for a head that nobody runs."""
        for forward in self.forwards:
            forward.abandon()

    def generated(self) -> tuple[Tensor, Tensor]:
        """Tokens (batch, new) and the logits that each was picked by, (batch, new, vocabulary); at the terminal."""
        tokens = [forward.next_token for forward in self.forwards if forward.next_token is not None]
        return torch.stack(tokens, dim=1), torch.stack([forward.output[:, -1] for forward in self.forwards], dim=1)


@dataclass(frozen=True, slots=True)
class TextAgreement:
    """Of generated text with that of one process. tokens: (batch, new). n_equal: of them, before the first difference.

    cache_bytes: per participant, of keys and values at the end. cache_error: their largest deviation, relative to the
    largest value; None where the tokens differ.
    """

    tokens: list[list[int]]
    n_equal: int
    cache_bytes: list[int]
    cache_error: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """output_error: largest deviation from the output of one process, relative to its largest value.

    Of text: of the logits of all tokens that were picked after the same ones. Where it is within rounding, so is the
    difference between the first tokens that differ.
    """

    output_error: float
    text: TextAgreement | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. records: of each pass, since the start. sent_bytes: over an interface of its own, if it has one.

    begun_s: the start, on `time.monotonic`. disturbance: None where nobody looked.
    """

    records: list[Records]
    sent_bytes: int | None
    begun_s: float
    disturbance: Disturbance | None


class OwnOrder:
    """One order in one process: what is kept from run to run."""

    def __init__(self, order: LiveOrder, me: ProcessIndex, model: nn.Module, n_threads: int, voice: Voice) -> None:
        self.order = order
        self.routes = [routes for one in order.series for routes in (one.routes(),) * len(one.jobs)]
        home = order.home[order.plan.terminal]
        self.at_terminal = home == me
        self.checker = FIRST if home is None else home  # where the output comes to lie
        inputs = inputs_of(model, order.given, order.job)
        codebooks = None
        if needs_codebooks(order.job):  # all must hold the same to the bit, whatever their processors
            voice.doing("fits codebooks")
            codebooks = shared(codebooks_for(model, order.job) if me == FIRST else None)
        self.workshop = Workshop(model, inputs, order.job, n_threads, codebooks)
        self.reference: Tensor | None = None
        self.wanted: Generated | None = None
        self.wanted_caches = [Cache() for _ in order.home]
        if me == self.checker:
            voice.doing("computes the output in one process")
            if order.job.new_tokens:
                self.wanted = continued(model, inputs, order.job, None, codebooks, False, self.wanted_caches)
            else:
                self.reference = main_output(execute(model, inputs, order.job, codebooks=codebooks).output)
        self.own = [one for one in order.active if order.home[one] == me]
        self.runs: list[Measured] = []
        self.request = self.new_request()
        self.results: dict[ParticipantId, Any] = {}

    def new_request(self) -> Request:
        """The next run's."""
        self.request = Request(self.workshop, self.order.jobs, self.at_terminal)
        return self.request

    def agreement(self) -> Agreement | None:
        """Of the last run with one process; known where the output comes to lie. All processes call it together."""
        if self.order.job.new_tokens:
            return self._agreement_of_text()
        output = self._output()
        if self.reference is None:
            return None
        assert output is not None
        assert output.shape == self.reference.shape
        return Agreement(_deviation(output, self.reference))

    def _output(self) -> Tensor | None:
        job = self.order.job
        if job.placement.output != "in_place":
            return self.request.forwards[0].output if self.at_terminal else None
        found = gathered(self.results, self.checker)
        if found is None:
            return None
        everything = {one: rows for part in found for one, rows in part.items()}
        forward = self.workshop.forward()
        forward.embed()
        forward.head_on_all([everything.get(one) for one in participants(job.n_ranks)])
        return forward.output  # type: ignore[no-any-return]

    def _agreement_of_text(self) -> Agreement | None:
        found = gathered({one: self.request.caches[one].heads for one in self.own}, self.checker)
        if found is None:
            return None
        assert self.wanted is not None
        caches = [Cache() for _ in self.order.home]
        for part in found:
            for one, heads in part.items():
                caches[one] = Cache(heads)
        tokens, logits = self.request.generated()
        error, n_equal = text_deviation(tokens, logits, self.wanted)
        differ = n_equal < tokens.numel()
        cache_error = None if differ else cache_deviation(caches, self.wanted_caches)
        text = TextAgreement(tokens.tolist(), n_equal, [cache.nbytes for cache in caches], cache_error)
        return Agreement(error, text)

    def tolerance(self) -> float:
        """Of deviations."""
        job = self.order.job
        wire_step = 1 / 127 if job.wire_type.is_grouped else torch.finfo(getattr(torch, job.wire_type.name)).eps
        coarsest = max(torch.finfo(getattr(torch, job.dtype)).eps, wire_step)
        return min(ROUNDINGS * coarsest, 0.1)


def text_deviation(tokens: Tensor, logits: Tensor, wanted: Generated) -> tuple[float, int]:
    """Of the logits of tokens picked after equal ones, relative to the largest; and how many tokens are equal so far.

    tokens: (batch, new); logits: (batch, new, vocabulary).
    """
    same = (tokens == wanted.tokens).long().cumprod(1)
    after_same = F.pad(same[:, :-1], (1, 0), value=1).bool()  # the logits of the first other token are comparable still
    return _deviation(logits[after_same], wanted.logits[after_same]), int(same.sum())


def cache_deviation(caches: Sequence[Cache], wanted: Sequence[Cache]) -> float:
    """Largest of all keys and values, relative to the largest. Infinite where one has what the other has not."""
    pairs = []
    for found, expected in zip(caches, wanted, strict=True):
        if found.heads.keys() != expected.heads.keys():
            return float("inf")
        for slot, heads in expected.heads.items():
            pairs += list(zip(found.heads[slot], heads, strict=True))
    if any(one.shape != other.shape for one, other in pairs):
        return float("inf")
    largest = max((float(other.double().abs().max()) for _, other in pairs), default=1.0)
    return max((float((one.double() - other.double()).abs().max()) for one, other in pairs), default=0.0) / largest


def _deviation(found: Tensor, wanted: Tensor) -> float:
    return float((found.double() - wanted.double()).abs().max() / wanted.double().abs().max())


def told(agreement: Agreement | None) -> dict[str, Any] | None:
    """As it travels."""
    return None if agreement is None else asdict(agreement)
