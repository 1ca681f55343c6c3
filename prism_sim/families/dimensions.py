"""Sizes of a model, from which all that is predicted follows."""

from __future__ import annotations

from dataclasses import dataclass

from prism_sim.element_types import ElementType
from prism_sim.families.configuration import ONE_KERNEL


def key_value_heads(heads: range, group: int) -> range:
    """The key/value heads that these query heads read; each is shared by `group` neighbours.

    Where a range begins or ends within a group, its neighbour needs the same key/value head too.
    """
    return range(heads.start // group, -(-heads.stop // group))


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Sizes of a model, as its Hugging Face configuration gives them; 0 where a family has no such thing.

    activation, norm: elements moved by each of its kernels, see `configuration.ACTIVATIONS`.
    tied: a language model's head shares the weights of the token embedding.
    n_key_heads: key/value heads, each shared by as many query heads; 0: each has its own. head_elements: width of a
    head; 0: the model's over its heads. norm_weights: parameters of a norm, per element of what it normalises.
    gated: the feed-forward layer is multiplied by the activation of another product. head_norms: queries and keys are
    normalised, head by head. rotary: they are turned by their positions. layer_scale: what attention and feed-forward
    add is scaled column by column. spare_rows: of the embedding's tables, which stand for no token, such as padding's
    position. window: a token sees no further back than so many tokens; 0: all before it. n_experts: of each block's
    mixture, whose feed-forward width is that of one; experts_per_token: those that a token goes through.
    """

    family: str
    n_blocks: int
    width: int
    n_heads: int
    feed_forward_width: int
    max_tokens: int
    qkv_bias: bool = True
    n_labels: int = 0
    vocabulary: int = 0
    token_types: int = 0
    patch_elements: int = 0
    pooler_width: int = 0
    activation: tuple[int, ...] = ONE_KERNEL
    tied: bool = True
    n_key_heads: int = 0
    head_elements: int = 0
    output_bias: bool = True
    feed_forward_bias: bool = True
    norm: tuple[int, ...] = ONE_KERNEL
    norm_weights: int = 2
    gated: bool = False
    head_norms: bool = False
    rotary: bool = False
    layer_scale: bool = False
    spare_rows: int = 0
    window: int = 0
    n_experts: int = 0
    experts_per_token: int = 0

    def __post_init__(self) -> None:
        for name in ("n_blocks", "width", "n_heads", "feed_forward_width", "max_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}(={getattr(self, name)}) must be >= 1")
        if self.width % self.n_heads and not self.head_elements:
            raise ValueError(f"width {self.width} is not a multiple of the {self.n_heads} attention heads")
        if self.n_key_heads and self.n_heads % self.n_key_heads:
            heads = f"{self.n_heads} attention heads cannot share {self.n_key_heads} key/value heads evenly"
            raise ValueError(f"{heads}: the former must be a multiple of the latter")
        if self.rotary and self.head_width % 2:
            raise ValueError(f"a head width of {self.head_width} cannot be turned by positions: it must be even")
        if self.experts_per_token > self.n_experts:
            raise ValueError(f"a token cannot go through {self.experts_per_token} of {self.n_experts} experts")

    @property
    def head_width(self) -> int:
        return self.head_elements or self.width // self.n_heads

    def key_value_heads(self, heads: range | None) -> range:
        """The key/value heads that these query heads (None: all) read."""
        group = self.n_heads // (self.n_key_heads or self.n_heads)
        return key_value_heads(range(self.n_heads) if heads is None else heads, group)

    def experts_hit(self, n_rows: int) -> float:
        """Distinct experts that so many rows are expected to go through, E (1 - (1 - k/E)^rows).

        As if each row chose its k of E at random, whatever the others chose: exact for one row; routers that favour
        some experts, or rows that are alike, hit fewer.
        """
        return self.n_experts * (1 - (1 - self.experts_per_token / self.n_experts) ** n_rows)

    def too_long(self, n_tokens: int) -> str | None:
        """Why the model cannot take so many tokens; None if it can."""
        if n_tokens > self.max_tokens:
            return f"{n_tokens} tokens exceed the model's {self.max_tokens} positions"
        if n_tokens > self.most_tokens:
            rule = f"{n_tokens} tokens exceed the model's sliding attention window of {self.window}"
            return f"{rule}: longer inputs are not supported, as no token may see all before it; give fewer"
        return None

    def ungrouped_weights(self, kept: ElementType) -> str | None:
        """Which weight matrix's rows are no whole groups of this type, and what would do; None if all are."""
        rows = {
            "queries, keys and values": self.width,
            "attention output": self.n_heads * self.head_width,
            "contract": self.feed_forward_width,
        }
        for matrix, n_in in rows.items():
            if n_in % kept.group:
                rule = f"weights in {kept.name} need rows of a multiple of {kept.group}"
                return f"{rule}, but those of {matrix} have {n_in}; write weight_dtype: int8, whose scales are of rows"
        return None

    def ungrouped_rows(self, kept: ElementType) -> str | None:
        """Why rows that cross the network are no whole groups of this type, and what would do; None if they are."""
        if self.width % kept.group == 0:
            return None
        rule = f"rows in {kept.name} need a width of a multiple of {kept.group}, but the model's is {self.width}"
        return f"{rule}; write wire_dtype: float16"

    @property
    def most_tokens(self) -> int:
        """As many as all of them can see each other of."""
        return min(self.max_tokens, self.window or self.max_tokens)
