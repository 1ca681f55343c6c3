"""The model as one process computes with it: the terminal's embedding and head really run when its program says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Any

import torch
from torch import Tensor, nn

from prism_sim import families
from prism_sim.numeric.block import TensorBlock
from prism_sim.numeric.cache import Cache
from prism_sim.numeric.codebooks import codebooks_for
from prism_sim.numeric.infer import main_output, plain
from prism_sim.numeric.interpreter import padding_mask, rows_after_blocks
from prism_sim.numeric.meter import SilentMeter
from prism_sim.numeric.model import Input, TensorModel
from prism_sim.numeric.vocabulary import no_rows, vocabulary_head, with_last_product, with_module
from prism_sim.shapes.job import Job


class _Given(Exception):  # noqa: N818  # no error: ends a forward pass whose head nobody wants
    pass


class _Between(nn.Module):
    """Stands in place of a model's layer list."""

    def __init__(self, blocks: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.blocks = blocks

    def forward(self, embedded: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return self.blocks(embedded)


class Forward:
    """A Hugging Face model's own forward pass, held between embedding and head by a thread of its own."""

    def __init__(self, model: nn.Module, inputs: Mapping[str, Any], job: Job, n_threads: int) -> None:
        self.inputs, self.job, self.n_threads = inputs, job, n_threads
        path = families.find(job.sizes.family).path(model)
        stand_in, self.last = with_last_product(model, job.head)
        self.stand_in = with_module(stand_in, path, nn.ModuleList([_Between(self._blocks)]))
        self.embedded: SimpleQueue[Tensor | BaseException] = SimpleQueue()
        self.rows: SimpleQueue[Tensor | None] = SimpleQueue()
        self.thread = Thread(target=self._run, daemon=True)
        self.output: Any = None
        self.next_token: Tensor | None = None
        self.failure: BaseException | None = None

    def embed(self) -> Tensor:
        """The embedded rows of all tokens."""
        self.thread.start()
        found = self.embedded.get()
        if isinstance(found, BaseException):
            raise found
        return found

    def head(self, rows: Tensor) -> None:
        """Runs what follows the blocks on the rows that it reads, and keeps the output.

        Of text also the likeliest next token of each sequence, (batch,).
        """
        self._finish(rows_after_blocks(self.job, (), rows))

    def head_from(self, logits: Tensor) -> None:
        """The same where the ranks have run the head."""
        assert self.last is not None
        self.last.gathered = logits
        self._finish(no_rows(self.job, logits))

    def _finish(self, rows: Tensor) -> None:
        self._go_on(rows)
        if self.job.prompt_tokens:
            self.next_token = self.output[:, -1].argmax(-1)

    def head_on_all(self, results: Sequence[Any]) -> None:
        """The same on what the participants left in place."""
        self._go_on(rows_after_blocks(self.job, results, None))

    def abandon(self) -> None:
        """Without a head, if it is held."""
        if self.thread.is_alive():
            self._go_on(None)

    def _go_on(self, rows: Tensor | None) -> None:
        self.rows.put(rows)
        self.thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        torch.set_num_threads(self.n_threads)
        try:
            with torch.no_grad():  # of each thread its own
                self.output = main_output(self.stand_in(**self.inputs))
        except _Given:
            return
        except BaseException as error:
            self.failure = error
            self.embedded.put(error)

    def _blocks(self, embedded: Tensor) -> Tensor:
        self.embedded.put(embedded)
        rows = self.rows.get()
        if rows is None:
            raise _Given
        return rows


class LiveModel(TensorModel):
    """One participant's view. forward: the terminal's, of this pass."""

    def __init__(
        self,
        job: Job,
        given: Input,
        blocks: Sequence[TensorBlock],
        forward: Forward | None,
        cache: Cache | None = None,
    ) -> None:
        super().__init__(job, given, blocks, SilentMeter(), cache)
        self.forward = forward

    def embed(self, tokens: range, samples: range | None = None) -> Tensor:
        if self.job.placement.input != "terminal":
            return super().embed(tokens, samples)
        assert self.forward is not None
        return self.forward.embed()

    def head(self, rows: Tensor) -> None:
        assert self.forward is not None
        self.forward.head(rows)

    def head_from(self, parts: Sequence[Tensor]) -> None:
        assert self.forward is not None
        self.forward.head_from(torch.cat(tuple(parts), dim=-1))


class Workshop:
    """What a process keeps from run to run: the model, its blocks, and the input. job: of the first pass."""

    def __init__(
        self,
        model: nn.Module,
        inputs: Mapping[str, Any],
        job: Job,
        n_threads: int,
        codebooks: Sequence[Tensor] | None = None,
    ) -> None:
        self.model, self.inputs, self.job, self.n_threads = model, inputs, job, n_threads
        family = families.find(job.sizes.family)
        trunk = getattr(model, family.trunk, model)
        self.blocks = [TensorBlock(family.parts(layer), training=False) for layer in family.layers(trunk)]
        first = self.forward()
        embedded = first.embed()
        first.abandon()
        if embedded.shape[:2] != (job.batch, job.n_tokens):
            expected = f"{job.batch} x {job.n_tokens}"
            raise ValueError(f"the inputs make {tuple(embedded.shape[:2])} samples and tokens, not {expected}")
        found = codebooks_for(model, job, codebooks)
        vocabulary = vocabulary_head(model, job.head)
        self.given = Input(trunk, inputs, embedded, padding_mask(inputs), 0, found, vocabulary)

    def forward(self) -> Forward:
        return Forward(self.model, self.inputs, self.job, self.n_threads)

    def stepping_forward(self, job: Job, inputs: Mapping[str, Any]) -> Forward:
        """Of a step."""
        return Forward(self.model, plain(self.model, inputs), job, self.n_threads)

    def held_forward(self) -> Forward:
        """For the terminal: already embedded where its program will not do so."""
        forward = self.forward()
        if self.job.placement.input != "terminal" and self.job.placement.output == "terminal":
            forward.embed()
        return forward

    def models(
        self, forward: Forward | None, job: Job | None = None, caches: Sequence[Cache] | None = None
    ) -> list[LiveModel]:
        """Of all participants, ranks first. job, caches: of another pass than the first, and of its request."""
        every: Sequence[Cache | None] = (None,) * (self.job.n_ranks + 1) if caches is None else caches
        return [LiveModel(job or self.job, self.given, self.blocks, forward, cache) for cache in every]
