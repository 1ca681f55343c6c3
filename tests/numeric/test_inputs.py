"""Inputs: noise from a seed, a picture through the checkpoint's processor, a text through its tokenizer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from prism_sim.numeric.inputs import InputSource, make_inputs
from prism_sim.numeric.loading import LoadError, ModelSource, load

ENCODER = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
VIT = {"model_type": "vit", **ENCODER, "image_size": 32, "patch_size": 8}
BERT = {"model_type": "bert", **ENCODER, "vocab_size": 300, "max_position_embeddings": 32}
NOISE = InputSource(batch=2, n_tokens=12, path=None, place=None, seed=5)


def model(config, dtype: str = "float32"):
    return load(ModelSource(config, None, None, dtype, 0))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (48, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    (tmp_path / "text.txt").write_text("the cat sat on the mat", encoding="utf-8")
    return tmp_path / "text.txt"


@pytest.mark.parametrize(("config", "shape"), [(VIT, (2, 3, 32, 32)), (BERT, (2, 12))], ids=["vit", "bert"])
def test_noise_follows_the_seed_alone(config, shape):
    state = torch.get_rng_state()
    asked = model(config)
    (one,), (again,), (other,) = (make_inputs(asked, replace(NOISE, seed=seed)).values() for seed in (5, 5, 6))
    assert one.shape == shape
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_token_noise_stays_inside_the_vocabulary():
    ids = make_inputs(model(BERT), replace(NOISE, batch=50))["input_ids"]
    assert int(ids.min()) >= 0
    assert int(ids.max()) < 300


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_pixels_have_the_models_precision(dtype, picture):
    for path in (None, picture):
        pixels = make_inputs(model(VIT, dtype), replace(NOISE, path=path))["pixel_values"]
        assert pixels.dtype == getattr(torch, dtype)


def test_a_picture_is_scaled_normalised_and_repeated(picture):
    pixels = make_inputs(model(VIT), replace(NOISE, path=picture))["pixel_values"]
    assert pixels.shape == (2, 3, 32, 32)
    assert torch.equal(pixels[0], pixels[1])
    assert float(pixels.abs().max()) <= 1  # ViT's usual processor: mean and deviation 0.5


def test_a_plain_grey_picture_is_the_grey_of_vit(tmp_path):
    Image.new("RGB", (64, 64), (51, 51, 51)).save(tmp_path / "grey.png")
    pixels = make_inputs(model(VIT), replace(NOISE, path=tmp_path / "grey.png"))["pixel_values"]
    assert torch.allclose(pixels, torch.full_like(pixels, (51 / 255 - 0.5) / 0.5), atol=1e-6)


def test_a_saved_image_processor_is_the_one_that_is_used(tmp_path, picture):
    mean, deviation = [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]
    transformers.ViTImageProcessorPil(image_mean=mean, image_std=deviation).save_pretrained(tmp_path / "place")
    Image.new("RGB", (64, 64), (51, 102, 153)).save(picture)
    pixels = make_inputs(model(VIT), replace(NOISE, path=picture, place=str(tmp_path / "place")))["pixel_values"]
    for channel, value in enumerate((51, 102, 153)):
        expected = (value / 255 - mean[channel]) / deviation[channel]
        assert torch.allclose(pixels[:, channel], torch.full((2, 32, 32), expected), atol=1e-5)


def test_without_a_tokenizer_a_token_is_a_byte(text):
    ids = make_inputs(model(BERT), replace(NOISE, batch=1, n_tokens=6, path=text))["input_ids"]
    assert ids.tolist() == [list(b"the ca")]


def test_a_short_text_is_repeated_and_a_long_one_cut(text):
    length = len(text.read_bytes())
    ids = make_inputs(model(BERT), replace(NOISE, batch=2, n_tokens=30, path=text))["input_ids"]
    flat = ids.flatten().tolist()
    assert flat == (list(text.read_bytes()) * 3)[:60]
    assert flat[:length] == flat[length : 2 * length]


def save_tokenizer(place: Path) -> dict[str, int]:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = {word: 40 + number for number, word in enumerate(["[UNK]", "the", "cat", "sat", "on", "mat"])}
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]").save_pretrained(place)
    return words


def test_a_saved_tokenizer_is_the_one_that_is_used(tmp_path, text):
    words = save_tokenizer(tmp_path / "place")
    source = replace(NOISE, batch=1, n_tokens=8, path=text, place=str(tmp_path / "place"))
    ids = make_inputs(model(BERT), source)["input_ids"].tolist()[0]
    expected = [words[word] for word in ["the", "cat", "sat", "on", "the", "mat"]]
    assert ids == [*expected, *expected[:2]]


def test_a_checkpoint_without_tokenizer_gets_bytes_not_unknown_words(tmp_path, text):
    model(BERT).save_pretrained(tmp_path / "place")  # transformers would make a tokenizer of special tokens here
    source = replace(NOISE, batch=1, n_tokens=6, path=text, place=str(tmp_path / "place"))
    assert make_inputs(model(BERT), source)["input_ids"].tolist() == [list(b"the ca")]


def test_a_broken_tokenizer_is_refused_not_replaced(tmp_path, text):
    save_tokenizer(tmp_path / "place")
    (tmp_path / "place" / "tokenizer.json").write_text("{broken")
    with pytest.raises(LoadError, match="cannot be read") as refused:
        make_inputs(model(BERT), replace(NOISE, path=text, place=str(tmp_path / "place")))
    assert refused.value.about == "model"


def test_tokens_beyond_the_vocabulary_are_refused(text):
    small = model(BERT | {"vocab_size": 100})
    with pytest.raises(LoadError, match=r"'text.txt' gives token 116, but the model knows only 0 to 99") as refused:
        make_inputs(small, replace(NOISE, path=text))
    assert refused.value.about == "input"


@pytest.mark.parametrize(
    ("config", "content", "message"),
    [
        (BERT, b"", "is empty"),
        (BERT, b"\n\t ", "is empty"),
        (BERT, b"\x80", "UTF-8"),
        (VIT, b"", "no readable picture"),
        (VIT, b"GIF89a", "no readable picture"),
    ],
)
def test_a_file_that_is_no_input_is_refused(tmp_path, config, content, message):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(LoadError, match=message) as refused:
        make_inputs(model(config), replace(NOISE, path=tmp_path / "file"))
    assert refused.value.about == "input"
    assert "'file'" in str(refused.value)


def test_a_picture_that_would_fill_the_memory_is_refused(picture, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(LoadError, match="no readable picture"):
        make_inputs(model(VIT), replace(NOISE, path=picture))


def test_colour_for_a_model_of_one_channel_is_refused(picture):
    with pytest.raises(LoadError, match="3 channels, but the model reads 1"):
        make_inputs(model(VIT | {"num_channels": 1}), replace(NOISE, path=picture))
