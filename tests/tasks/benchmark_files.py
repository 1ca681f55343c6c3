"""Tiny data sets in the true formats of the public ones, and checkpoints' folders to prepare them for."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import transformers
from numpy.typing import NDArray
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from prism_sim.tasks import DataSource

SMALL = {"model_type": "vit", "image_size": 32, "num_channels": 3}  # of a model that takes pictures as they are


def random_pixels(seed: int, n: int, side: int = 32) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(256, size=(n, 3 * side * side), dtype=np.uint8)


def write_pickle(path: Path, pixels: NDArray[np.uint8], **labels: list[int]) -> Path:
    """As CIFAR's were written by Python 2: keys, and the array's raw content, are byte strings."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = {b"batch_label": b"a batch", **{name.encode(): found for name, found in labels.items()}, b"data": pixels}
    path.write_bytes(pickle.dumps(held, protocol=2))
    return path


def png(pixels: NDArray[np.uint8]) -> bytes:
    """pixels: (3, height, width)."""
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(content, "PNG")
    return content.getvalue()


def table(columns: dict[str, list[Any]], names: Sequence[str] | None = None, label: str = "label") -> datasets.Dataset:
    """names: of the label's classes."""
    features = None
    if names is not None:
        features = datasets.Dataset.from_dict(columns).features | {label: datasets.ClassLabel(names=list(names))}
    found = datasets.Dataset.from_dict(columns)
    return found if features is None else found.cast(datasets.Features(features))


def write_parquet(
    path: Path, columns: dict[str, list[Any]], names: Sequence[str] | None = None, label: str = "label"
) -> Path:
    """As the hub's `datasets` writes: pictures as {bytes, path}, names of classes beside the schema."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table(columns, names, label).to_parquet(path)
    return path


def pictures(pixels: NDArray[np.uint8], side: int = 32) -> list[dict[str, Any]]:
    return [{"bytes": png(each.reshape(3, side, side)), "path": f"{at}.png"} for at, each in enumerate(pixels)]


def write_tsv(path: Path, rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join("\t".join(row) + "\n" for row in rows).encode(encoding))
    return path


def bert_checkpoint(folder: Path, words: str, **config: Any) -> DataSource:
    """A folder with a word-piece tokenizer that knows these words, and the source without data."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(words.split()))]
    numbered = {word: number for number, word in enumerate(vocabulary)}
    transformers.BertTokenizer(vocab=numbered).save_pretrained(folder)
    return DataSource(checkpoint=str(folder), config={"model_type": "bert", "max_position_embeddings": 64, **config})


def gpt2_checkpoint(folder: Path, n_positions: int = 512) -> DataSource:
    """A folder with a byte-level tokenizer that merges nothing: a token is a byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    return DataSource(checkpoint=str(folder), config={"model_type": "gpt2", "n_positions": n_positions})
