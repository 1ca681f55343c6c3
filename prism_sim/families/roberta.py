"""RoBERTa (Liu et al., 2019): a BERT whose positions begin after that of padding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prism_sim.families.base import Dimensions, Head, Layer, linear
from prism_sim.families.bert import Bert, every_row, masked_lm, pooler, start_and_end


def _sequence(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    classifier = linear("classifier", batch, sizes.width, sizes.n_labels)
    return linear("classifier dense", batch, sizes.width, sizes.width), classifier


class Roberta(Bert):
    model_type = "roberta"
    trunk = "roberta"
    heads = (
        Head("sequence_classification", "RobertaForSequenceClassification", "first", _sequence),
        Head("masked_lm", "RobertaForMaskedLM", "all", masked_lm),
        Head("token_classification", "RobertaForTokenClassification", "all", every_row),
        Head("question_answering", "RobertaForQuestionAnswering", "all", every_row, start_and_end),
        Head("none", "RobertaModel", "all", pooler),
    )

    def dimensions(self, config: Mapping[str, Any]) -> Dimensions:
        sizes = super().dimensions({"vocab_size": 50265, **config})
        padding = config.get("pad_token_id", 1)
        if not isinstance(padding, int) or isinstance(padding, bool) or not 0 <= padding < sizes.max_tokens - 1:
            places = f"below the {sizes.max_tokens} positions (max_position_embeddings)"
            raise ValueError(f"pad_token_id {padding!r} must be a whole number {places}: a roberta counts from there")
        return replace(sizes, max_tokens=sizes.max_tokens - padding - 1, spare_rows=padding + 1)


FAMILY = Roberta()
