"""What a GGUF file says of its model, as a config.json would: read from its first bytes alone, without weights.

The format: github.com/ggml-org/ggml, docs/gguf.md. Of the Llama kin, whose weights transformers can read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

MAGIC, VERSIONS = b"GGUF", (2, 3)
MOST_BYTES = 1 << 24  # of a text, and entries of a list: beyond any vocabulary
_NUMBERS = dict(enumerate(("B", "b", "H", "h", "I", "i", "f", "?"))) | {10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9
# Sizes under the file's names and config.json's; a file's names begin with its architecture
_SIZES = {
    "context_length": "max_position_embeddings",
    "block_count": "num_hidden_layers",
    "feed_forward_length": "intermediate_size",
    "embedding_length": "hidden_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "rope.freq_base": "rope_theta",
}
ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3")
# What would turn queries and keys by other angles than transformers reads out of such a file
_OTHER_ANGLES = ("rope.scaling.type", "rope.scaling.factor", "rope.scale_linear")


@dataclass(frozen=True, slots=True)
class GGUFHeader:
    """fields: numbers and texts, and of a list its length. tensors: names and shapes, the fastest dimension first."""

    fields: Mapping[str, Any]
    tensors: Mapping[str, tuple[int, ...]]


def configuration(path: Path) -> dict[str, Any]:
    """The file's model as in config.json. Raises ValueError for a file or a model that cannot be served, OSError."""
    header = read(path)
    fields, kind = header.fields, header.fields.get("general.architecture")
    if kind not in ARCHITECTURES:
        raise ValueError(f"its architecture {kind!r} is not supported; supported: {', '.join(ARCHITECTURES)}")
    scaled = next((key for key in _OTHER_ANGLES if fields.get(f"{kind}.{key}") not in (None, "none", 1.0)), None)
    if scaled is not None or "rope_freqs.weight" in header.tensors:
        what = "rope_freqs.weight" if scaled is None else f"{kind}.{scaled}"
        raise ValueError(f"its positions are scaled ({what}), which is not supported; give the model as safetensors")
    config = {own: fields[f"{kind}.{key}"] for key, own in _SIZES.items() if f"{kind}.{key}" in fields}
    head_width = fields.get(f"{kind}.attention.key_length", fields.get(f"{kind}.rope.dimension_count"))
    table = header.tensors.get("token_embd.weight", ())
    if len(table) != 2:
        raise ValueError("it has no matrix token_embd.weight; give a file of a whole model")
    biased = "blk.0.attn_output.bias" in header.tensors
    return {
        "model_type": kind,
        **config,
        "vocab_size": table[1],
        "tie_word_embeddings": "output.weight" not in header.tensors,
        **({} if head_width is None or kind == "qwen2" else {"head_dim": head_width}),
        **({"attention_bias": True} if biased and kind == "llama" else {}),
    }


def read(path: Path) -> GGUFHeader:
    """Raises ValueError for what is no GGUF file, or one that ends too early, and OSError."""
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise ValueError("it does not begin as a GGUF file")
        version, n_tensors, n_fields = _numbers(file, "IQQ")
        if version not in VERSIONS:
            raise ValueError(f"it is of version {version} of the format, but 2 and 3 are known")
        fields = {_text(file): _value(file, *_numbers(file, "I")) for _ in range(n_fields)}
        return GGUFHeader(fields, dict(_tensor(file) for _ in range(n_tensors)))


def _numbers(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    n_bytes = struct.calcsize(f"<{layout}")
    found = file.read(n_bytes)
    if len(found) < n_bytes:
        raise ValueError("it ends within its header")
    return struct.unpack(f"<{layout}", found)


def _length(file: BinaryIO) -> int:
    found: int = _numbers(file, "Q")[0]
    if found > MOST_BYTES:
        raise ValueError(f"it holds something of {found} bytes or entries in its header")
    return found


def _text(file: BinaryIO) -> str:
    return bytes(_numbers(file, f"{_length(file)}s")[0]).decode("utf-8", "replace")


def _value(file: BinaryIO, kind: int) -> Any:
    if kind in _NUMBERS:
        return _numbers(file, _NUMBERS[kind])[0]
    if kind == _TEXT:
        return _text(file)
    if kind != _LIST:
        raise ValueError(f"it holds a value of the unknown kind {kind}")
    of = _numbers(file, "I")[0]
    n_items = _length(file)
    for _ in range(n_items):  # only how many there are matters: a vocabulary, say
        _value(file, of)
    return n_items


def _tensor(file: BinaryIO) -> tuple[str, tuple[int, ...]]:
    name = _text(file)
    n_dimensions = _numbers(file, "I")[0]
    if n_dimensions > 4:
        raise ValueError(f"its tensor {name!r} has {n_dimensions} dimensions")
    shape = _numbers(file, f"{n_dimensions}Q")
    _numbers(file, "IQ")  # its type, and where it lies
    return name, shape
