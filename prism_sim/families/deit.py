"""DeiT (Touvron et al., 2021): a ViT with a distillation token after CLS, which its teacher's head reads."""

from __future__ import annotations

from prism_sim.families.base import Dimensions, Head, Layer, linear, norm
from prism_sim.families.vit import ViT, bare, classifier


def _with_teacher(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    final = norm("final norm", batch * n_tokens, sizes.width)
    both = [linear(f"{name} classifier", batch, sizes.width, sizes.n_labels) for name in ("CLS", "distillation")]
    return (final, *both) if sizes.n_labels else (final,)


class DeiT(ViT):
    model_type = "deit"
    trunk = "deit"
    first_tokens = ("cls_token", "distillation_token")
    heads = (
        Head("image_classification", "DeiTForImageClassification", "first", classifier),
        Head("image_classification_with_teacher", "DeiTForImageClassificationWithTeacher", "first two", _with_teacher),
        Head("none", "DeiTModel", "all", bare),
    )


FAMILY = DeiT()
