"""How far a distributed output is from the undistributed model's."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True)
class OutputFidelity:
    """max_abs_error; cosine: mean over output rows; kl: mean KL(undistributed || distributed) of logits, in nats.

    top1_agreement: the part of the rows with the same first class. kl and top1_agreement are None without logits.
    """

    max_abs_error: float
    cosine: float
    kl: float | None
    top1_agreement: float | None


def fidelity(output: Tensor, reference: Tensor, logits: bool) -> OutputFidelity:
    """Compares outputs of one shape (..., classes or width).

    Raises ValueError if the shapes differ or an output is not finite.
    """
    if output.shape != reference.shape:
        raise ValueError(f"output {tuple(output.shape)} and reference {tuple(reference.shape)} must have one shape")
    a, b = output.detach().double(), reference.detach().double()
    for name, values in (("undistributed", b), ("distributed", a)):
        if not bool(values.isfinite().all()):
            dtype = str(output.dtype).removeprefix("torch.")
            raise ValueError(f"the {name} model's output is not finite in {dtype}; try float32, or other weights")
    kl = agreement = None
    if logits:
        divergence = F.kl_div(a.log_softmax(-1), b.log_softmax(-1), reduction="none", log_target=True)
        kl = max(0.0, float(divergence.sum(-1).mean()))  # rounding may take an exact 0 below it
        agreement = float((a.argmax(-1) == b.argmax(-1)).double().mean())
    return OutputFidelity(
        max_abs_error=float((a - b).abs().max()),
        cosine=float(F.cosine_similarity(a, b, dim=-1).mean()),
        kl=kl,
        top1_agreement=agreement,
    )
