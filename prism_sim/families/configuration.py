"""What families read from a Hugging Face `config.json`: numbers, activations, labels; and what none of them obeys.

Nothing here imports torch or transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prism_sim.catalogue import nearest

DEPTHS = ("num_hidden_layers", "n_layer", "n_layers")  # what configurations call the number of blocks
MOST_BLOCKS, MOST_WIDE = 10_000, 1_000_000  # beyond any model: a slip of the finger, which would compute for ever

# Elements that each kernel of an activation reads and writes, per element of its output: one kernel where torch has it
# whole, else the elementwise steps as transformers/activations.py writes them.
ONE_KERNEL = (2,)
_TANH_APPROXIMATION = (2, 2, 2, 3, 2, 2, 2, 3)
ACTIVATIONS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("gelu", "gelu_pytorch_tanh", "hardswish", "leaky_relu", "mish", "relu", "relu6"), ONE_KERNEL),
    **dict.fromkeys(("sigmoid", "silu", "swish", "tanh"), ONE_KERNEL),
    **dict.fromkeys(("gelu_new", "gelu_accurate", "gelu_python_tanh"), _TANH_APPROXIMATION),
    "gelu_fast": (2, 2, 2, 3, 2, 3, 2, 2, 3),
    "gelu_python": (2, 2, 2, 2, 3),
    "gelu_10": (2, 2),
    "laplace": (2, 2, 2, 2, 2),
    "linear": (),
    "quick_gelu": (2, 2, 3),
    "relu2": (2, 2),
    "sqrtsoftplus": (2, 2),
}
# The steps of LlamaRMSNorm: square, mean, epsilon, root, and two products (those on a number a row count for nothing)
RMS_NORM = (2, 1, 0, 0, 2, 2)
# The steps of apply_rotary_pos_emb for queries or keys: q cos, the turned halves (negated, joined), times sin, the sum
ROTATION = (2, 1, 2, 2, 3)
# of these the blocks hold parameters, of which sizes know nothing
LEARNT_ACTIVATIONS = ("prelu", "xielu")


def activation(config: Mapping[str, Any], key: str, default: str) -> tuple[int, ...]:
    """The kernels of the activation that a configuration names under `key`; see `ACTIVATIONS`. Raises ValueError."""
    name = config.get(key, default)
    if isinstance(name, str) and name in ACTIVATIONS:
        return ACTIVATIONS[name]
    if name in LEARNT_ACTIVATIONS:
        raise ValueError(f"{key} {name!r} has parameters of its own, which is not supported; give a model without")
    hint = nearest(name, ACTIVATIONS) if isinstance(name, str) else ""
    raise ValueError(f"{key} {name!r} is no activation that is known{hint or '; known: ' + ', '.join(ACTIVATIONS)}")


def required(config: Mapping[str, Any], key: str) -> int:
    """A configuration's size. Raises ValueError if it is missing, no whole number, or none that a model can have."""
    found = config.get(key)
    if not isinstance(found, int) or isinstance(found, bool):
        raise ValueError(f"the model's configuration needs {key!r} as a whole number, but has {found!r}")
    most = MOST_BLOCKS if key in DEPTHS else MOST_WIDE
    if not 1 <= found <= most:
        raise ValueError(f"{key!r} is {found}, but must be between 1 and {most}")
    return found


def optional(config: Mapping[str, Any], key: str, default: int) -> int:
    """As `required`; the default, which is Hugging Face's, where the configuration does not say."""
    return required(config, key) if key in config else default


def n_labels(config: Mapping[str, Any], default: int = 2) -> int:
    """Number of classes: Hugging Face keeps them as the mapping `id2label`, or as `num_labels` where there is none."""
    if (labels := config.get("id2label")) is not None:
        return len(labels)
    return optional(config, "num_labels", default) if config.get("num_labels") != 0 else 0


def refused(config: Mapping[str, Any]) -> str | None:
    """What would make any model another one than our blocks compute, in one sentence; None if there is nothing."""
    if (how := config.get("quantization_config")) is not None:
        method = how.get("quant_method") if isinstance(how, Mapping) else how
        return (
            f"quantization_config ({method}) is not supported: its weights and kernels are not those computed here; "
            "give the model as it was before (model.weight_dtype: int8 rounds its blocks' weights)"
        )
    if pruned := config.get("pruned_heads"):
        return f"pruned_heads {pruned!r} is not supported: every block needs all its heads; give the model unpruned"
    if config.get("per_layer_config"):
        return "per_layer_config is not supported: all blocks must be alike; give a model without it"
    return None
