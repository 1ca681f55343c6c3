"""Texts cut in two: a prompt, and the continuation that a model is judged by."""

from __future__ import annotations

import numpy as np

from prism_sim.tasks.examples import Examples


def continuations(runs: Examples, prompt_tokens: int, tokenizer: str) -> Examples:
    """Of runs of one length: the prompt as `input_ids`; as labels its last token, which is not judged, and all others.

    tokenizer: the text of the tokenizer.json that made the tokens. The measure `characters` is of the continuation; one
    that is cut at the border counts. Raises ValueError unless the runs are longer than the prompt, and of one length.
    """
    from tokenizers import Tokenizer

    ids = runs.inputs["input_ids"]
    rows = np.stack([np.asarray(ids[at]) for at in range(len(ids))])  # (examples, tokens)
    if not 1 <= prompt_tokens < rows.shape[1]:
        raise ValueError(f"prompt_tokens(={prompt_tokens}) must be between 1 and {rows.shape[1] - 1}")
    texts = Tokenizer.from_str(tokenizer).decode_batch(rows[:, prompt_tokens:].tolist())
    characters = np.array([len(text) for text in texts], dtype=np.int64)
    return Examples({"input_ids": rows[:, :prompt_tokens]}, rows[:, prompt_tokens - 1 :], {"characters": characters})
