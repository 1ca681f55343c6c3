"""How strategies that split the tokens go on after the prompt: one new row a sample, with what was kept of it.

No later token changes an earlier one. So the last rank, which holds the tail of the prompt and what it attended to of
the others, can go on alone; or each rank keeps its own rows, and all attend to their part for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from prism_sim.compressors import Compressor
from prism_sim.effects import Broadcast, Gather, Mark, Program, Recv, Send
from prism_sim.partition import Keys, split
from prism_sim.plan import ParticipantId
from prism_sim.strategies.base import HEAD, Bias, Heads, Model, Role
from prism_sim.strategies.context import keys_of
from prism_sim.strategies.token_split import TokenSplit, embed_all, feed_forward


def tail(me: Role) -> ParticipantId:
    """The rank that holds the last tokens, and all new ones."""
    return me.ranks[-1]


def kept_by_the_last(me: Role, model: Model, n_own: int, block: int, k: Heads, v: Heads) -> None:
    if model.prompt_tokens and me.index == tail(me):
        model.with_past(block, k, v)


def kept_where_they_are(me: Role, model: Model, n_own: int, block: int, k: Heads, v: Heads) -> None:
    if model.prompt_tokens:
        own = range(n_own)
        model.with_past(block, model.select_heads(k, own), model.select_heads(v, own))


def step_alone(me: Role, model: Model, options: TokenSplit, compressors: Sequence[Compressor]) -> Program:
    """The last rank's part of a step, without a byte to another rank; they have none.

    compressors: what stands for the others' rows in the cache, one for each block.
    """
    if me.index != tail(me):
        return None
    x = yield Recv(me.terminal, "input")
    parts, new = split(model.prompt_tokens, me.n_ranks, options.shares), range(model.past, model.past + model.n_tokens)
    padding = model.mask_so_far(0, None)
    at = model.places([Keys(new, len(new))], padding)
    biases: dict[Compressor, Bias] = {}
    for number, (block, compressor) in enumerate(zip(model.blocks, compressors, strict=True)):
        yield Mark(f"block {number}")
        if compressor not in biases:
            keys = [*keys_of(parts, me.index, compressor), since_prompt(model)]
            biases[compressor] = model.bias(new, keys, padding)
        h = block.attention_norm(x)
        k, v = model.with_past(number, block.keys(h, at=at), block.values(h))
        a = block.attend(block.queries(h, at=at), k, v, biases[compressor])
        x = feed_forward(block, block.after_attention(x, block.attention_output(a)))
    yield Mark("output")
    yield Send(x, me.terminal, "output")
    return None


def step_in_parts(me: Role, model: Model, options: TokenSplit) -> Program:
    """A rank's part of a step: the last rank's query goes to all, and attention over each rank's rows comes back."""
    at_tail = me.index == tail(me)
    x = (yield Recv(me.terminal, "input")) if at_tail else None
    own = split(model.prompt_tokens, me.n_ranks, options.shares)[me.index]
    new = range(model.past, model.past + model.n_tokens)
    padding = model.mask_so_far(0, None)
    at = model.places([Keys(new, len(new))], padding) if at_tail else None
    keys = [Keys(own, len(own)), *([since_prompt(model)] if at_tail else [])]
    bias = model.bias(new, keys, padding)
    for number, block in enumerate(model.blocks):
        yield Mark(label := f"block {number}")
        if at_tail:
            h = block.attention_norm(x)
            k, v = model.with_past(number, block.keys(h, at=at), block.values(h))
            q = yield Broadcast(block.queries(h, at=at), me.index, me.ranks, f"{label}: query")
        else:
            k, v = model.in_cache(number)
            q = yield Broadcast(None, tail(me), me.ranks, f"{label}: query")
        parts = yield Gather(block.attend_in_part(q, k, v, bias), tail(me), me.ranks, f"{label}: attention")
        if at_tail:
            a = block.attention_output(block.merged(parts))
            x = feed_forward(block, block.after_attention(x, a))
        del q, parts
    if at_tail:
        yield Mark("output")
        yield Send(x, me.terminal, "output")
    return None


def since_prompt(model: Model) -> Keys:
    """The rows of all new tokens so far, this pass's included."""
    new = range(model.prompt_tokens, model.past + model.n_tokens)
    return Keys(new, len(new))


def step_terminal(me: Role, model: Model, options: TokenSplit) -> Program:
    """The terminal embeds the new token, sends its row to the last rank, and runs the head on what comes back."""
    x, _ = yield from embed_all(model)
    yield Send(x, tail(me), "input")
    rows = yield Recv(tail(me), "output")
    yield Mark(HEAD)
    model.head(rows)
    return None
