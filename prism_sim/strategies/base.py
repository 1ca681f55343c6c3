"""What a strategy is, and what it may compute with: contracts only, met by the shapes and the tensors interpreter."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from prism_sim.compressors import Compressor
from prism_sim.effects import Program
from prism_sim.partition import Keys
from prism_sim.plan import ParticipantId, participants

# labels of a Compute that belongs to no block; FLOPs of the blocks are all others
EMBEDDING, HEAD = "embedding", "head"

Rows = Any  # activations (batch, tokens, width): a tensor, or its shape alone
Heads = Any  # per-head activations (batch, heads, tokens, head width)
Places = Any  # where rows stand, for queries and keys that are turned by it; None: in a family that does not turn them
Part = tuple[Any, Any]  # attention over some of the keys: rows, and log sums of exponentials (batch, heads, tokens)
Bias = Any  # what is added to the attention logits, or None for nothing
Padding = Any  # (batch, tokens), true at real tokens; None: no padding
Message = tuple[Any, ...]  # what a compressor makes of rows: tensors, or the shapes of such
Logits = Any  # of a part of the vocabulary, (batch, tokens, part); they cross as they are, never rounded
Counts = Any  # (batch, keys), tokens behind each key; None: everybody knows them


class Block(Protocol):
    """One Transformer block in parts; what crosses model families' borders stays inside.

    heads, columns: the range of attention heads or feed-forward columns (of every expert, where there are several, all
    routed here) to compute with; None for all. Where several
    heads share their keys and values, `heads` are the queries', and keys and values are those that they read.
    at: where the rows stand, as `Model.places` says; keys are final with it, and can be kept.
    """

    def attention_norm(self, x: Rows) -> Rows: ...
    def queries(self, h: Rows, heads: range | None = None, at: Places = None) -> Heads: ...
    def keys(self, h: Rows, heads: range | None = None, at: Places = None) -> Heads: ...
    def values(self, h: Rows, heads: range | None = None) -> Heads: ...
    def attend(self, q: Heads, k: Heads, v: Heads, bias: Bias, heads: range | None = None) -> Rows:
        """softmax(q k^T scale + bias) v, heads side by side again. heads: as q, k and v were made with."""
        ...

    def attend_in_part(self, q: Heads, k: Heads, v: Heads, bias: Bias) -> Part:
        """The same over some of the keys, for `merged`."""
        ...

    def merged(self, parts: Sequence[Part]) -> Rows:
        """Attention over all keys from that over each part of them, each weighed by the exponentials that it summed."""
        ...

    def attention_output(self, a: Rows, heads: range | None = None) -> Rows:
        """The output projection without its bias: a sum over ranks that hold parts of the heads stays right."""
        ...

    def after_attention(self, x: Rows, a: Rows) -> Rows:
        """Adds the output projection's bias and the residual; a post-norm family normalises here."""
        ...

    def feed_forward_norm(self, x: Rows) -> Rows: ...
    def feed_forward(self, h: Rows, columns: range | None = None) -> Rows:
        """Both layers, expand and contract, without the second one's bias."""
        ...

    def expand(self, h: Rows, columns: range | None = None) -> Rows:
        """The first feed-forward layer and the activation: rows (batch, tokens, columns), for `contract` alone."""
        ...

    def contract(self, inner: Rows, columns: range | None = None) -> Rows:
        """The second feed-forward layer without its bias: a sum over ranks that hold parts of the columns is right."""
        ...

    def after_feed_forward(self, x: Rows, f: Rows) -> Rows: ...


class Model(Protocol):
    """What a participant's program computes with: the blocks, and the steps between them."""

    @property
    def batch(self) -> int:
        """Samples in one forward pass."""
        ...

    @property
    def n_tokens(self) -> int:
        """Of this pass, a sample."""
        ...

    @property
    def past(self) -> int:
        """Tokens of earlier passes, whose keys and values are in the cache."""
        ...

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the prompt that new ones follow; 0: none do, and nothing is kept."""
        ...

    @property
    def causal(self) -> bool:
        """No token attends to later ones."""
        ...

    @property
    def n_heads(self) -> int: ...
    @property
    def n_columns(self) -> int:
        """Width of the feed-forward layer, or of each expert of a mixture."""
        ...

    @property
    def heads_together(self) -> int:
        """How many neighbouring heads a rank must hold together, since their weights share a scale; mostly 1."""
        ...

    @property
    def columns_together(self) -> int:
        """The same of columns of the feed-forward layer."""
        ...

    @property
    def blocks(self) -> Sequence[Block]: ...
    @property
    def head_tokens(self) -> range:
        """The tokens whose rows the head reads."""
        ...

    def embed(self, tokens: range, samples: range | None = None) -> Rows:
        """Embeds these tokens of the input. samples: of the batch; None for all."""
        ...

    def padding(self) -> Padding:
        """The input's padding mask, of all tokens; None if there is none."""
        ...

    @property
    def vocabulary(self) -> int:
        """Of a language model's head, whose parts ranks may compute; 0: another head runs, or none."""
        ...

    def head(self, rows: Rows) -> None:
        """Runs the head on the rows of `head_tokens`."""
        ...

    def logits(self, rows: Rows, vocabulary: range) -> Logits:
        """What a language model's head makes of the rows of `head_tokens` for this part of the vocabulary."""
        ...

    def head_from(self, parts: Sequence[Logits]) -> None:
        """In place of `head`: the logits of the whole vocabulary from those of its parts, in order."""
        ...

    def compress(self, compressor: Compressor, block: int, x: Rows, tokens: range, padding: Padding) -> Message:
        """What stands for the rows x of `tokens` before this block."""
        ...

    def restore(self, compressor: Compressor, block: int, message: Message, tokens: range) -> tuple[Rows, Counts]:
        """The rows that a message brings in place of those of `tokens`, and the tokens behind each, if it says so."""
        ...

    def select(self, x: Rows, tokens: range) -> Rows:
        """Rows of `tokens`, counted from the first row of x."""
        ...

    def join(self, parts: Sequence[Rows]) -> Rows:
        """Concatenates rows along the tokens."""
        ...

    def join_heads(self, parts: Sequence[Heads]) -> Heads:
        """Concatenates per-head activations along the tokens."""
        ...

    def select_heads(self, k: Heads, tokens: range) -> Heads:
        """Per-head activations of `tokens`, counted from the first of k."""
        ...

    def with_past(self, slot: Hashable, k: Heads, v: Heads, more: bool = False) -> tuple[Heads, Heads]:
        """Keys and values of this pass's rows after those that are in the cache under this name, and kept there.

        Kept for the passes that follow; where none do, for rows of this one that follow: more says that some will.
        """
        ...

    def in_cache(self, slot: Hashable) -> tuple[Heads, Heads]:
        """Keys and values that are in the cache under this name."""
        ...

    def mask_so_far(self, slot: Hashable, padding: Padding) -> Padding:
        """The padding mask of all tokens up to this pass's last. padding: as it came with the prompt, which is kept."""
        ...

    def samples(self, x: Rows | Padding, samples: range) -> Rows | Padding:
        """These samples of the batch, of rows or of a padding mask."""
        ...

    def stack(self, parts: Sequence[Rows]) -> Rows:
        """Concatenates rows along the batch."""
        ...

    def places(self, keys: Sequence[Keys], padding: Padding) -> Places:
        """Where the rows of these keys stand, for `Block.queries` and `Block.keys`.

        A mean stands at the mean position of the real tokens behind it; one that goes by content at that of all tokens
        which it may stand for.
        """
        ...

    def bias(self, queries: range, keys: Sequence[Keys], padding: Padding, counts: Sequence[Counts] = ()) -> Bias:
        """Log counts, causality and padding in one: what query token i adds to its logit for each key.

        counts: for each of `keys` those that came with its rows, or None; only needed where one goes by content.
        """
        ...


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the input lies and where the output is wanted.

    input: at the terminal, which embeds and scatters it, or replicated on every rank, which embeds what it needs.
    output: gathered at the terminal, which runs the head, or left in place, and then no head runs.
    """

    input: Literal["terminal", "replicated"] = "terminal"
    output: Literal["terminal", "in_place"] = "terminal"


@dataclass(frozen=True, slots=True)
class Role:
    """Who a participant is among the others. index == n_ranks is the terminal."""

    index: ParticipantId
    n_ranks: int
    placement: Placement = field(default_factory=Placement)

    @property
    def terminal(self) -> ParticipantId:
        return ParticipantId(self.n_ranks)

    @property
    def ranks(self) -> tuple[ParticipantId, ...]:
        return self.everyone[:-1]

    @property
    def everyone(self) -> tuple[ParticipantId, ...]:
        return tuple(participants(self.n_ranks))


class Options(Protocol):
    """A strategy's frozen dataclass of options; its fields are the strategy's keys in a scenario.

    Their annotations are int, float, bool, str, a Literal, tuple[int, ...], tuple[float, ...], a union of those, each
    optionally `| None`, with what `options` has to say about them as `Annotated`.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]


class NoStep(NamedTuple):
    """Why a strategy cannot go on after a prompt. option: that which does not allow it."""

    option: str
    reason: str


@dataclass(frozen=True, slots=True)
class Steps:
    """How a strategy goes on after the prompt: the programs of a pass over new rows, with the cache.

    refuse(options): why it cannot go on from what a prompt with these leaves; None if it can.
    """

    rank: Callable[[Role, Model, Any], Program]
    terminal: Callable[[Role, Model, Any], Program]
    refuse: Callable[[Any], NoStep | None] = lambda options: None


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to spread one forward pass over ranks.

    source: the papers that it is from, as `citing.publications` reads them: Authors (year), Title, arXiv ID.
    rank, terminal: the programs, as (role, model, options) -> generator. one_rank: it runs on a single device,
    however many the scenario names. compressors: what stands in for the rows before each block, given options,
    tokens, ranks and blocks; None where nothing is compressed. lossless(options): the output equals the undistributed
    model's to rounding. idle(options): those of its options that have no effect beside the others.
    splits_tokens: each rank owns some of the tokens, so that there must be as many of them. in_turn(options, ranks):
    for each rank the options under which it alone serves a request; None where a request needs them all.
    steps: how it generates text, token by token; None: it only makes one pass.
    """

    name: str
    summary: str
    source: str
    options: type
    rank: Callable[[Role, Model, Any], Program]
    terminal: Callable[[Role, Model, Any], Program]
    lossless: Callable[[Any], bool]
    compressors: Callable[[Any, int, int, int], tuple[Compressor, ...] | None] = lambda *sizes: None
    one_rank: bool = False
    idle: Callable[[Any], frozenset[str]] = lambda options: frozenset()
    splits_tokens: bool = True
    in_turn: Callable[[Any, int], tuple[Any, ...]] | None = None
    steps: Steps | None = None

    def least_tokens(self, n_ranks: int) -> int:
        """Without so many tokens it cannot be spread over `n_ranks`."""
        return n_ranks if self.splits_tokens and not self.one_rank else 1
