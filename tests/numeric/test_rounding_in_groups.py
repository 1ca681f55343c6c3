"""Groups of 32 are rounded as ggml rounds them: by hand, and bit for bit as the package gguf does where it is there."""

from __future__ import annotations

import struct

import pytest
import torch
from small_models import build, inputs_of

from prism_sim import families
from prism_sim.element_types import ELEMENT_TYPES
from prism_sim.numeric.loading import round_in_groups, token_tables
from prism_sim.numeric.quantised import QuantisedRows, packed, rounded, unpacked

NAMES = ("q8_0", "q4_0")
WIDE = {"hidden_size": 32, "intermediate_size": 96, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16}


def noise(*shape: int, scale: float = 1.0, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * scale


def test_q8_0_by_hand() -> None:
    x = torch.zeros(32)
    x[:5] = torch.tensor([127.0, -3.5, 2.4, -63.6, 0.5])  # d = 127 / 127 = 1: halves go away from zero
    octets = bytes(packed(x, "q8_0").tolist())
    assert octets == struct.pack("<e5b", 1.0, 127, -4, 2, -64, 1) + bytes(27)
    assert unpacked(packed(x, "q8_0"), "q8_0")[:5].tolist() == [127, -4, 2, -64, 1]


def test_q4_0_by_hand() -> None:
    x = torch.zeros(32)
    x[0], x[1], x[2], x[16], x[17] = -4.0, 3.9, 0.3, 1.2, 4.0  # the first of largest magnitude: -4, d = -4 / -8 = 0.5
    # x / d + 8.5, cut off: 0.5, 16.3 (at most 15), 9.1, 10.9, 16.5 (15); zeros are 8
    codes = [0, 15, 9, *[8] * 13], [10, 15, *[8] * 14]  # the low and the high halves of 16 bytes
    expected = struct.pack("<e", 0.5) + bytes(low | high << 4 for low, high in zip(*codes, strict=True))
    assert bytes(packed(x, "q4_0").tolist()) == expected
    kept = unpacked(packed(x, "q4_0"), "q4_0")
    assert [kept[at].item() for at in (0, 1, 2, 16, 17, 31)] == [-4.0, 3.5, 0.5, 1.0, 3.5, 0.0]


def test_the_scale_is_kept_in_float16_but_divides_in_float32() -> None:
    x = torch.zeros(32)
    x[0], x[1] = 1.0, 0.5
    d = torch.tensor(1 / 127).to(torch.float16).item()
    assert rounded(x, "q8_0")[:2].tolist() == [127 * d, 64 * d]  # 63.5 is rounded to 64


@pytest.mark.parametrize("name", NAMES)
def test_nothing_stays_nothing_and_what_is_kept_stays(name: str) -> None:
    assert rounded(torch.zeros(2, 64), name).tolist() == torch.zeros(2, 64).tolist()
    once = rounded(noise(7, 96), name)
    assert torch.equal(rounded(once, name), once)


@pytest.mark.parametrize("name", NAMES)
def test_a_group_knows_nothing_of_others(name: str) -> None:
    x = noise(3, 128)
    parts = [packed(x[:, at : at + 32], name) for at in range(0, 128, 32)]
    assert torch.equal(torch.cat(parts, 1), packed(x, name))
    assert packed(x, name).shape == (3, 4 * ELEMENT_TYPES[name].group_bytes)


@pytest.mark.parametrize("name", NAMES)
def test_no_rounding_is_coarser_than_half_a_step_of_its_group(name: str) -> None:
    x = noise(64, 32, scale=5.0)
    largest = x.abs().amax(1, keepdim=True)
    # a half of a 127th; of q4_0 a half of an 8th, and a whole where the other sign ends at 7 eighths; float16 of d
    allowed = largest / 127 / 2 if name == "q8_0" else largest / 8
    assert bool(((rounded(x, name) - x).abs() <= allowed * (1 + 1e-3) + 0.001 * largest).all())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_bit_for_bit_as_the_package_gguf(name: str, scale: float) -> None:
    quants = pytest.importorskip("gguf.quants", reason="needs the extra: pip install 'prism-sim[gguf]'")
    kind = pytest.importorskip("gguf").GGMLQuantizationType[name.upper()]
    x = noise(200, 256, scale=scale)
    x[0], x[1] = 0, torch.tensor([2.0, -2.0] * 128)  # none is larger than another: the first one's sign counts
    assert packed(x, name).numpy().tobytes() == quants.quantize(x.numpy(), kind).tobytes()
    assert (
        unpacked(packed(x, name), name).numpy().tobytes() == quants.dequantize(packed(x, name).numpy(), kind).tobytes()
    )


def test_rows_that_are_no_whole_groups_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rows of 48 are no whole groups of the 32 that share a scale in q4_0"):
        packed(torch.zeros(2, 48), "q4_0")


def test_not_finite_numbers_are_seen_to_be_so() -> None:
    x = torch.ones(32)
    x[3] = torch.inf
    assert not bool(rounded(x, "q8_0").isfinite().all())


def test_rows_on_the_wire_are_cut_and_joined_between_groups_and_rounded_when_added() -> None:
    a, b = noise(2, 3, 64), noise(2, 3, 64, seed=1)
    rows = QuantisedRows.of(a, "q8_0")
    assert rows.shape == (2, 3, 64)
    assert rows.nbytes == 2 * 3 * 2 * 34
    first, *others = rows.view(-1).split([128, 256])
    assert first.shape == (128,)
    assert torch.equal(first.join(others).view(2, 3, 64).rows(torch.float32), rounded(a, "q8_0"))
    total = (rows + QuantisedRows.of(b, "q8_0")).rows(torch.float64)
    assert torch.equal(total, rounded(rounded(a, "q8_0") + rounded(b, "q8_0"), "q8_0").double())


def test_gradients_pass_straight_through_the_wire() -> None:
    x = noise(2, 32).requires_grad_()
    (3 * QuantisedRows.of(x, "q8_0").rows(torch.float32)).sum().backward()
    assert x.grad is not None
    assert bool((x.grad == 3).all())


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_a_models_matrices_and_tables_are_rounded_and_nothing_else(name: str, tied: bool) -> None:
    before, model = (build("llama", "lm", tie_word_embeddings=tied, **WIDE) for _ in range(2))
    family = families.find("llama")
    round_in_groups(model, family, ELEMENT_TYPES[name])
    of_table = "q8_0" if tied else name
    for (key, old), new in zip(before.named_parameters(), model.parameters(), strict=True):
        kept = {"model.embed_tokens.weight": of_table, "lm_head.weight": "q8_0"}.get(key, name)
        is_vector = old.dim() == 1  # norms and biases
        assert torch.equal(new, old if is_vector else rounded(old, kept)), key
        assert is_vector == torch.equal(new, old), key
    assert [is_head for _, is_head in token_tables(model, family)] == ([True] if tied else [False, True])


def test_a_model_of_pictures_has_no_token_table() -> None:
    model = build("vit", "none", hidden_size=32, num_attention_heads=2, intermediate_size=64)
    before = model(**inputs_of("vit")).last_hidden_state
    assert list(token_tables(model, families.find("vit"))) == []
    round_in_groups(model, families.find("vit"), ELEMENT_TYPES["q8_0"])
    assert 0 < (model(**inputs_of("vit")).last_hidden_state - before).abs().max() < 0.5
