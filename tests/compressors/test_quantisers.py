"""Bits without gaps, what a quantiser loses, and what it does not."""

from __future__ import annotations

import pytest
import torch
from compressor_cases import make, rows
from hypothesis import given
from hypothesis import strategies as st

from prism_sim.compressors import packing
from prism_sim.compressors.integers import IntegerRows
from prism_sim.compressors.vector_quantisation import VectorQuantisation

LEVELS = {"int8": 255, "int4": 15}


@given(st.integers(1, 20), st.integers(1, 3), st.integers(0, 40), st.data())
def test_codes_come_back_as_they_were_and_leave_no_bit_between_them(
    bits: int, batch: int, n_codes: int, data: st.DataObject
) -> None:
    code = st.integers(0, 2**bits - 1)
    codes = torch.tensor(data.draw(st.lists(st.lists(code, min_size=n_codes, max_size=n_codes), min_size=batch,
                                            max_size=batch))).view(batch, n_codes).long()  # fmt: skip
    packed = packing.pack(codes, bits)
    assert packed.dtype == torch.uint8
    assert packed.shape == (batch, packing.packed_bytes(n_codes, bits)) == (batch, -(-n_codes * bits // 8))
    assert torch.equal(packing.unpack(packed, bits, n_codes), codes)


def test_bits_lie_one_after_another_the_lowest_first() -> None:
    assert packing.pack(torch.tensor([[0b0101, 0b0011, 0b1]]), 4).tolist() == [[0b0011_0101, 0b0000_0001]]
    assert packing.pack(torch.tensor([[0b10_0000_0001, 0b11_1111_1111]]), 10).tolist() == [[1, 0b1111_1110, 0b1111]]


@pytest.mark.parametrize(("largest", "bits"), [(1, 1), (2, 2), (3, 2), (4, 3), (255, 8), (256, 9), (1023, 10)])
def test_a_count_has_the_bits_that_its_largest_value_needs(largest: int, bits: int) -> None:
    assert packing.bits_for(largest) == bits


# --- integers


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", LEVELS)
def test_an_integer_is_off_by_at_most_half_a_step_of_its_own_row(name: str, dtype: torch.dtype) -> None:
    quantiser = IntegerRows({"int8": 8, "int4": 4}[name])
    x = (rows(2, 9, 33) * torch.logspace(-3, 3, 9).double()[:, None]).to(dtype)  # rows of very different sizes
    found = quantiser.unpack(quantiser.pack(x, None), 9, x, None)
    x, found = x.double(), found.double()
    step = (x.amax(2) - x.amin(2)) / LEVELS[name]
    rounding = 4 * max(torch.finfo(dtype).eps, torch.finfo(torch.float32).eps) * x.abs().amax(2)
    assert ((found - x).abs().amax(2) <= step / 2 + rounding).all()
    assert ((found - x).abs().amax(2) > step / 4).all()  # the half is reached, or nearly so: no finer step is in use


@pytest.mark.parametrize("name", LEVELS)
def test_rows_that_integers_can_represent_are_exact(name: str) -> None:
    highest = LEVELS[name]
    codes = torch.randint(highest + 1, (2, 7, 40), generator=torch.Generator().manual_seed(0))
    codes[..., 0], codes[..., 1] = 0, highest  # the row's own range
    x = -1.5 + 0.25 * codes.double()
    quantiser = IntegerRows({"int8": 8, "int4": 4}[name])
    assert torch.equal(quantiser.unpack(quantiser.pack(x, None), 7, x, None), x)


@pytest.mark.parametrize("name", LEVELS)
def test_a_row_of_one_value_is_exact(name: str) -> None:
    x = torch.tensor([[[3.25] * 5, [0.0] * 5, [-7.5] * 5]]).double()
    quantiser = IntegerRows({"int8": 8, "int4": 4}[name])
    assert torch.equal(quantiser.unpack(quantiser.pack(x, None), 3, x, None), x)


@pytest.mark.parametrize(("name", "n_bytes"), [("int8", 9 * 33 + 9 * 8), ("int4", 149 + 9 * 8)])
def test_a_sample_is_its_codes_filled_up_to_a_byte_and_two_float32_a_row(name: str, n_bytes: int) -> None:
    """Of nine rows of 33 columns: int4 has 297 half bytes."""
    assert make(name, 1).message_bytes(1, 9, 33, 4) == n_bytes
    assert make(name, 1).message_bytes(5, 9, 33, 8) == 5 * n_bytes  # whatever the element type


# --- vector quantisation


@pytest.mark.parametrize("groups", [1, 2, 3, 7, 50])
def test_rows_that_the_codebook_holds_are_exact(groups: int) -> None:
    """The limit of the identity: a codebook with every row, in any order and among others."""
    x = rows(2, 6, 7)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    codebook = torch.cat([x.flatten(0, 1), rows(1, 4, 7, seed=5)[0]])[order]
    quantiser = VectorQuantisation(16, groups)
    assert torch.equal(quantiser.unpack(quantiser.pack(x, codebook), 6, x, codebook), x)


def test_each_group_of_columns_takes_the_nearest_entry() -> None:
    x, codebook = rows(2, 6, 7), rows(1, 5, 7, seed=5)[0]
    quantiser = VectorQuantisation(5, 3)
    found = quantiser.unpack(quantiser.pack(x, codebook), 6, x, codebook)
    for columns in (slice(0, 3), slice(3, 5), slice(5, 7)):  # as even as they can be
        distances = torch.cdist(x[..., columns], codebook[None, :, columns].expand(2, -1, -1))
        assert torch.equal(found[..., columns], codebook[:, columns][distances.argmin(2)])


@pytest.mark.parametrize(
    ("codes", "groups", "n_bytes"),
    [(1024, 1, 124), (1024, 16, 1980), (1024, 32, 3960), (1000, 1, 124), (2, 1, 13), (3, 768, 2 * 768 * 99 // 8)],
)
def test_a_sample_is_its_codes_filled_up_to_a_byte(codes: int, groups: int, n_bytes: int) -> None:
    """ASTRA's N_p G log2(K) / 8, of 99 rows of 768 columns."""
    assert make("vector_quantisation", 1, codes, groups).message_bytes(1, 99, 768, 4) == n_bytes


@pytest.mark.parametrize(("codes", "groups", "message"), [(1, 1, r"size\(=1\).*>= 2"), (2, 0, r"groups\(=0\).*>= 1")])
def test_a_codebook_of_nothing_is_refused(codes: int, groups: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VectorQuantisation(codes, groups)
