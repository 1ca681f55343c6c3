"""What a model family must say of itself: its sizes, its laws, and where a Hugging Face layer keeps its parts.

Nothing here imports torch: the torch side only reaches into module objects that the caller hands in.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from prism_sim.catalogue import look_up
from prism_sim.families.configuration import refused
from prism_sim.families.dimensions import Dimensions as Dimensions  # for families, beside the rest


@dataclass(frozen=True, slots=True)
class Layer:
    """One step outside the blocks: a product of (rows, n_in) with (n_in, n_out), or, with n_in = 0, a look-up or norm.

    weights: parameters that it holds. table: of the model's token table besides, which a tied head holds together with
    the embedding; own_table: of a head's that is not tied. moved: activation elements that it reads and writes.
    """

    name: str
    rows: int
    n_in: int
    n_out: int
    weights: int
    table: int = 0
    own_table: int = 0

    @property
    def flops(self) -> int:
        return 2 * self.rows * self.n_in * self.n_out

    @property
    def moved(self) -> int:
        return self.rows * (self.n_in + self.n_out)

    def part(self, n_out: int) -> Layer:
        """Of a language model's product, for so many of its vocabulary, their rows of the table held by themselves."""
        return replace(self, n_out=n_out, table=0, own_table=self.n_in * n_out)


def linear(name: str, rows: int, n_in: int, n_out: int, bias: bool = True) -> Layer:
    return Layer(name, rows, n_in, n_out, n_in * n_out + bias * n_out)


def norm(name: str, rows: int, width: int) -> Layer:
    return Layer(name, rows, 0, width, 2 * width)


def serves_all(config: Mapping[str, Any], batch: int) -> None:
    """Of a head that refuses no configuration and no batch."""


@dataclass(frozen=True, slots=True)
class VocabularyPath:
    """Where a language model keeps what follows its blocks, as dotted paths: the last norm, and the product."""

    norm: str
    product: str


@dataclass(frozen=True, slots=True)
class Head:
    """What follows the blocks. layers(dimensions, batch, rows that it reads a sample, all tokens).

    refuse(configuration, batch): why Hugging Face's own code cannot serve them with this head; None if it can.
    vocabulary: of a language model's, whose last layer has a row of weights for each token, and no bias, so that parts
    of the vocabulary can be computed apart; None: of another head.
    """

    name: str
    hf_class: str
    reads: str  # first, first two, last or all
    layers: Callable[[Dimensions, int, int, int], tuple[Layer, ...]]
    refuse: Callable[[Mapping[str, Any], int], str | None] = serves_all
    vocabulary: VocabularyPath | None = None

    def tokens(self, n_tokens: int) -> range:
        """The tokens whose rows this head reads."""
        match self.reads:
            case "first":
                return range(1)
            case "first two":
                return range(2)
            case "last":
                return range(n_tokens - 1, n_tokens)
            case _:
                return range(n_tokens)


@dataclass(frozen=True, slots=True)
class Affine:
    """y = x weight^T + bias. weight: (out, in), a view of the model's own parameter; of experts (experts, out, in)."""

    weight: Any
    bias: Any | None


def as_it_is(rows: Any) -> Any:
    """In place of a dropout that a family does not have."""
    return rows


@dataclass(frozen=True, slots=True)
class BlockParts:
    """A Hugging Face layer taken apart; tensors are the model's own, so gradients reach them.

    pre_norm: norms come before attention and feed-forward (ViT, GPT-2), else after the residual (BERT).
    output_dropout, feed_forward_dropout: what a sum passes through before its residual. gate: of a gated feed-forward
    layer, the product that goes through the activation and is multiplied with `expand`'s. query_norm, key_norm: of each
    head. rotary: queries and keys are turned by their positions, see `Family.rotation`. route: of a mixture of experts,
    whose `gate`, `expand` and `contract` are those of all experts: from rows (rows, width) the weights of the experts
    that each goes to, and which they are, (rows, k) both.
    """

    attention_norm: Callable[..., Any]
    feed_forward_norm: Callable[..., Any]
    pre_norm: bool
    query: Affine
    key: Affine
    value: Affine
    output: Affine
    expand: Affine
    activation: Callable[..., Any]
    contract: Affine
    head_width: int
    scaling: float
    attention_dropout: float
    output_dropout: Any
    feed_forward_dropout: Any
    gate: Affine | None = None
    query_norm: Callable[..., Any] | None = None
    key_norm: Callable[..., Any] | None = None
    rotary: bool = False
    route: Callable[[Any], tuple[Any, Any]] | None = None

    @property
    def matrices(self) -> tuple[Affine, ...]:
        """All that holds weight matrices, but for a router, which stays in full precision wherever others do not."""
        every = (self.query, self.key, self.value, self.output, self.gate, self.expand, self.contract)
        return tuple(affine for affine in every if affine is not None)


class Family(ABC):
    """One model family: everything that the rest of the house must know of it, in one file."""

    model_type: str  # Hugging Face's name of the family
    causal: bool
    pre_norm: bool
    heads: tuple[Head, ...]  # the first is the usual one
    trunk: str  # attribute under which a model with a head keeps the bare model
    layer_list: str  # dotted path from the bare model to its list of layers
    input_name: str  # the bare model's main input
    old_buffers: tuple[str, ...] = ()  # ends of names in a block under which old checkpoints keep constants
    more_keys: frozenset[str] = frozenset()  # of its configuration, beside those of its presets

    @abstractmethod
    def dimensions(self, config: Mapping[str, Any]) -> Dimensions:
        """Sizes from a Hugging Face `config.json`. Raises ValueError where they do not make a model."""

    @abstractmethod
    def embedding(self, sizes: Dimensions, batch: int, tokens: range) -> tuple[Layer, ...]:
        """The layers that embed `tokens` of each sample."""

    @abstractmethod
    def parts(self, layer: Any) -> BlockParts:
        """A Hugging Face layer taken apart."""

    def head(self, name: str | None) -> Head:
        """The head of this name; the family's usual one for None. Raises ValueError if there is none of this name."""
        return self.heads[0] if name is None else look_up("head", name, {head.name: head for head in self.heads})

    def path(self, model: Any) -> list[str]:
        """Attributes that lead from a model, bare or with a head, to its list of layers."""
        trunk = [self.trunk] if hasattr(model, self.trunk) else []
        return [*trunk, *self.layer_list.split(".")]

    def layers(self, model: Any) -> list[Any]:
        """The Hugging Face layers of a model, bare or with a head."""
        return list(model.get_submodule(".".join(self.path(model))).children())

    def embed(self, trunk: Any, inputs: Mapping[str, Any], embedded: Any, tokens: range) -> Any:
        """Rows of `tokens` as a rank computes them that has the whole input.

        embedded: what the model's own embedding made of all tokens; where a part of it costs no product, it is the
        answer. Raises ValueError for inputs whose embedding cannot be computed in part.
        """
        return embedded[:, tokens.start : tokens.stop]

    def rotation(self, trunk: Any, x: Any, positions: Any) -> Any:
        """What turns queries and keys at these positions (batch, tokens), which may lie between tokens.

        x: a tensor of the element type. Returns cosines and sines (batch, tokens, head width), or None where the
        embedding alone says where a token stands.
        """
        return None

    def fixed_tokens(self, sizes: Dimensions) -> int | None:
        """The number of tokens, where the family leaves no choice."""
        return None

    def refuse(self, config: Mapping[str, Any]) -> str | None:
        """Why a model of this configuration cannot be distributed; None if it can."""
        if (said := config.get("is_causal")) is not None and bool(said) != self.causal:
            usual = "is causal" if self.causal else "is not causal"
            return f"is_causal {said!r} is not supported: a {self.model_type} {usual}"
        return refused(config)

    def foreign(self, parameter: str) -> bool:
        """Whether a parameter that a checkpoint has beside ours lies in a block, where it would change outputs."""
        # old ViTs have encoder.layer.0, new ones layers.0
        blocks = self.layer_list.rpartition(".")[2].removesuffix("s")
        return bool(re.search(rf"\b{blocks}s?\.\d+\.", parameter)) and not parameter.endswith(self.old_buffers)
