"""A language model's head in parts of its vocabulary, and what stands for it in the model's own forward pass."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from prism_sim.families.base import Head
from prism_sim.shapes.job import Job


@dataclass(frozen=True, eq=False)
class UnroundedLogits:
    """Logits of some of the vocabulary (batch, tokens, theirs) on their way to a border at which rows are rounded."""

    numbers: Tensor

    @property
    def nbytes(self) -> int:
        return int(self.numbers.nbytes)


@dataclass(frozen=True, slots=True)
class VocabularyHead:
    """norm: of rows, before the product. weight: (vocabulary, width), the model's own parameter."""

    norm: Callable[[Tensor], Tensor]
    weight: Tensor

    def logits(self, rows: Tensor, vocabulary: range) -> Tensor:
        return F.linear(self.norm(rows), self.weight[vocabulary.start : vocabulary.stop])


def vocabulary_head(model: nn.Module, head: Head) -> VocabularyHead | None:
    """Of a model with this head; None where that has no vocabulary."""
    if head.vocabulary is None:
        return None
    weight = model.get_submodule(head.vocabulary.product).weight
    return VocabularyHead(model.get_submodule(head.vocabulary.norm), weight)  # type: ignore[arg-type]


class LastProduct(nn.Module):
    """In place of a language model's last product: what others have made of it, if they have."""

    def __init__(self, own: nn.Module) -> None:
        super().__init__()
        self.own = own
        self.gathered: Tensor | None = None

    def forward(self, rows: Tensor) -> Any:
        return self.own(rows) if self.gathered is None else self.gathered


def with_last_product(model: nn.Module, head: Head) -> tuple[nn.Module, LastProduct | None]:
    """A copy of the model that shares all but this, and what stands in it; the model, where it has none."""
    if head.vocabulary is None:
        return model, None
    found = LastProduct(model.get_submodule(head.vocabulary.product))
    return with_module(model, head.vocabulary.product.split("."), found), found


def no_rows(job: Job, logits: Tensor) -> Tensor:
    """What a model's own forward goes on with where its head has been run on the ranks: (batch, tokens, width)."""
    return logits.new_zeros(job.batch, job.n_tokens, job.sizes.width)


def with_module(module: nn.Module, path: Sequence[str], part: nn.Module) -> nn.Module:
    """A copy of `module` that differs only in what stands at `path`; all other children are shared."""
    if not path:
        return part
    child = getattr(module, path[0])
    changed = copy.copy(module)
    changed._modules = {**module._modules, path[0]: with_module(child, path[1:], part)}
    return changed
