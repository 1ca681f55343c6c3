"""Byte-pair tokenizers (Sennrich et al., arXiv 1508.07909) learnt from a task's own training text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from prism_sim.tasks.base import DataError

PAD, CLS, SEP, MASK = range(4)  # places of BERT's special tokens in its vocabulary
BERT_SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
END = 0  # place of GPT-2's one
GPT2_SPECIAL = ("<|endoftext|>",)


def learnt(texts: Iterable[str], n_tokens: int, special: Sequence[str], lower: bool = False) -> Any:
    """A tokenizer with this many tokens, the special ones first; every text can be written, byte by byte at worst.

    lower: capitals are read as small letters. Raises DataError if the texts have too few different words for so many.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    if lower:
        made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=n_tokens, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    if made.get_vocab_size() != n_tokens:
        raise DataError(f"the training text gives {made.get_vocab_size()} tokens, not {n_tokens}")
    return made


def classifying(texts: Sequence[str], n_tokens: int, longest: int) -> Any:
    """`learnt` for BERT: small letters, between [CLS] and [SEP], cut to `longest` tokens."""
    from tokenizers import processors

    made = learnt(texts, n_tokens, BERT_SPECIAL, lower=True)
    ends = [(BERT_SPECIAL[place], place) for place in (CLS, SEP)]
    made.post_processor = processors.TemplateProcessing(
        single=f"{BERT_SPECIAL[CLS]} $A {BERT_SPECIAL[SEP]}", special_tokens=ends
    )
    made.enable_truncation(longest)
    return made
