"""What holds for every compressor of the catalogue, and for every chain of two; a new one is tested by being there."""

from __future__ import annotations

import pytest
import torch
from compressor_cases import codebook_of, crossed, make, rows, some_real
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_sim import compressors
from prism_sim.compressors.budget import settings_for_bytes
from prism_sim.meetings import payload_bytes
from prism_sim.numeric.meter import flop_counter

NAMES = compressors.names()
REDUCERS = [name for name in NAMES if make(name, 1).quantiser is None]
BY_CONTENT = [name for name in REDUCERS if make(name, 1).reducer.by_content]
# batch, tokens, width, segments: even, odd and prime sizes, one token, one row, as many rows as tokens, more
SIZES = [(1, 8, 6, 2), (3, 13, 7, 4), (2, 5, 5, 1), (2, 1, 3, 1), (2, 6, 4, 6), (1, 7, 3, 50)]


def sizes(case: tuple[int, int, int, int]) -> str:
    return "B{}-N{}-D{}-L{}".format(*case)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("case", SIZES, ids=sizes)
@pytest.mark.parametrize("name", NAMES)
def test_what_crosses_is_what_the_size_law_says(name: str, case: tuple[int, int, int, int], dtype: torch.dtype) -> None:
    batch, n_tokens, width, segments = case
    compressor, x = make(name, segments), rows(batch, n_tokens, width, dtype)
    found, counts, message = crossed(compressor, x)
    pieces = compressor.pieces(batch, n_tokens, width)
    assert [(tuple(one.shape), one.dtype == torch.uint8) for one in message] == [(p.shape, p.packed) for p in pieces]
    assert payload_bytes(message) == compressor.message_bytes(batch, n_tokens, width, dtype.itemsize)
    keys = compressor.keys(range(n_tokens))
    assert (found.shape, found.dtype) == ((batch, keys.n_keys, width), dtype)
    assert (counts is not None) == keys.by_content


@pytest.mark.parametrize("padded", [False, True], ids=["real", "padded"])
@pytest.mark.parametrize("case", SIZES, ids=sizes)
@pytest.mark.parametrize("name", NAMES)
def test_counts_sum_to_the_tokens_that_they_stand_for(name: str, case: tuple[int, int, int, int], padded: bool) -> None:
    """Those that travel to the real ones; those that everybody knows to all, less padding where it is known."""
    batch, n_tokens, width, segments = case
    compressor, real = make(name, segments), some_real(batch, n_tokens) if padded else None
    counts = crossed(compressor, rows(batch, n_tokens, width), real)[1]
    if counts is None:
        assert sum(compressor.keys(range(n_tokens)).counts) == n_tokens
    else:
        assert counts.sum(1).tolist() == ([n_tokens] * batch if real is None else real.sum(1).tolist())


@pytest.mark.parametrize("name", NAMES)
def test_the_same_rows_give_the_same_message_to_the_bit(name: str) -> None:
    compressor, x = make(name, 4), rows(3, 13, 7)
    first, second = crossed(compressor, x)[2], crossed(compressor, x.clone())[2]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    for sample in range(3):  # and no sample depends on another
        alone = crossed(compressor, x[sample : sample + 1])[2]
        assert all(torch.allclose(a, b[sample : sample + 1]) for a, b in zip(alone, first, strict=True))


@pytest.mark.parametrize("case", SIZES, ids=sizes)
@pytest.mark.parametrize("name", REDUCERS)
def test_a_reducer_of_as_many_rows_as_tokens_is_the_identity(name: str, case: tuple[int, int, int, int]) -> None:
    batch, n_tokens, width, _ = case
    x = rows(batch, n_tokens, width)
    for segments in (n_tokens, n_tokens + 1, 10 * n_tokens):
        found, counts, _ = crossed(make(name, segments), x)
        assert torch.equal(found, x)
        assert counts is None


@pytest.mark.parametrize("case", SIZES, ids=sizes)
@pytest.mark.parametrize("name", BY_CONTENT)
def test_rows_weighed_by_their_counts_have_the_tokens_sum(name: str, case: tuple[int, int, int, int]) -> None:
    batch, n_tokens, width, segments = case
    x, real = rows(batch, n_tokens, width), some_real(batch, n_tokens)
    found, counts, _ = crossed(make(name, segments), x, real)
    if counts is not None:
        torch.testing.assert_close((found * counts[..., None]).sum(1), (x * real[..., None]).sum(1))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_padded_token_holds_is_not_felt(name: str) -> None:
    compressor, x, real = make(name, 4), rows(3, 13, 7), some_real(3, 13)
    loud = torch.where(real[..., None], x, 1e30)
    quiet_rows, quiet_counts, _ = crossed(compressor, x, real)
    loud_rows, loud_counts, _ = crossed(compressor, loud, real)
    if quiet_rows.shape[1] == x.shape[1]:  # a row a token: padded ones are masked by who receives them
        quiet_rows, loud_rows = quiet_rows[real], loud_rows[real]
    assert torch.equal(quiet_rows, loud_rows)
    assert quiet_counts is None or torch.equal(quiet_counts, loud_counts)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_real_token_and_are_finite(name: str) -> None:
    compressor, real = make(name, 4), some_real(3, 13)
    x = rows(3, 13, 7).requires_grad_()
    found, _, _ = crossed(compressor, x, real)
    (gradient,) = torch.autograd.grad((found * rows(*found.shape, seed=3)).sum(), x)
    assert gradient.isfinite().all()
    assert gradient[real].abs().amax(1).gt(0).all()


@pytest.mark.parametrize("name", NAMES)
def test_packing_passes_gradients_straight_through(name: str) -> None:
    """They are those of the reduced rows: a quantiser changes values alone."""
    compressor = make(name, 4)
    x = rows(2, 13, 7).requires_grad_()
    weights = rows(*crossed(compressor, x)[0].shape, seed=3)
    (found,) = torch.autograd.grad((crossed(compressor, x)[0] * weights).sum(), x)
    (wanted,) = torch.autograd.grad((compressor.reduced(x, None)[0] * weights).sum(), x)
    torch.testing.assert_close(found, wanted)
    with torch.no_grad():
        assert torch.equal(crossed(compressor, x)[0], crossed(compressor, x.detach())[0])


@pytest.mark.parametrize("case", SIZES, ids=sizes)
@pytest.mark.parametrize("name", NAMES)
def test_work_counts_the_products_that_run(name: str, case: tuple[int, int, int, int]) -> None:
    batch, n_tokens, width, segments = case
    compressor, x = make(name, segments), rows(batch, n_tokens, width)
    codebook = codebook_of(compressor, x)
    with flop_counter() as counter:
        message = compressor.compress(x, None, codebook)
        compressing = counter.get_total_flops()
        compressor.restore(message, n_tokens, x, codebook)
        restoring = counter.get_total_flops() - compressing
    assert sum(step.flops for step in compressor.compress_work(batch, n_tokens, width)) == compressing
    assert sum(step.flops for step in compressor.restore_work(batch, n_tokens, width)) == restoring


# --- equal bytes


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.integers(1, 40),
    st.integers(1, 30),
    st.integers(1, 3),
    st.sampled_from([2, 4]),
    st.data(),
)
def test_settings_for_bytes_are_the_largest_that_fit(
    name: str, n_tokens: int, width: int, batch: int, element_bytes: int, data: st.DataObject
) -> None:
    fixed = {"codebook_size": 16} if "vector" in name else {}
    budget = data.draw(st.integers(0, batch * n_tokens * width * element_bytes + 100))
    found = settings_for_bytes(name, n_tokens, width, budget, element_bytes, batch, **fixed)

    def size(settings: dict[str, int]) -> int:
        return compressors.create(name, {**fixed, **settings}).message_bytes(batch, n_tokens, width, element_bytes)

    lever = next((entry.lever for entry in compressors.parts(name) if entry.lever), None)
    if lever is None:
        assert found == ({} if size({}) <= budget else None)
        return
    values = range(1, lever.most(n_tokens, width) + 1)
    fitting = [value for value in values if size({lever.setting: value}) <= budget]
    assert found == ({lever.setting: max(fitting)} if fitting else None)
    assert size({lever.setting: values[-1] + 1}) == size({lever.setting: values[-1]})  # more makes no difference


@pytest.mark.parametrize(
    ("name", "how", "found"),
    [
        ("segment_means", {}, {"segments": 10}),
        ("segment_means+int8", {}, {"segments": 39}),  # 768 bytes and 8 of scales a row
        ("segment_means+int4", {}, {"segments": 78}),  # 384 and 8
        ("vector_quantisation", {}, {"codebook_groups": 248}),  # 10 bits: 99 * 248 codes are 30,690 bytes
        ("vector_quantisation", {"codebook_size": 2}, {"codebook_groups": 768}),
        ("int8", {}, None),
        ("int4", {}, None),
        ("identity", {}, None),
    ],
)
def test_at_the_bytes_of_ten_means_of_vit(name: str, how: dict[str, int], found: dict[str, int] | None) -> None:
    assert settings_for_bytes(name, 99, 768, 10 * 768 * 4, **how) == found


@pytest.mark.parametrize("name", ["int8", "int4", "identity"])
def test_a_compressor_without_a_lever_fits_or_does_not(name: str) -> None:
    size = compressors.create(name, {}).message_bytes(2, 9, 24, 4)
    assert settings_for_bytes(name, 9, 24, size, batch=2) == {}
    assert settings_for_bytes(name, 9, 24, size - 1, batch=2) is None


def test_a_setting_that_the_compressor_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="int8 has no setting codebook_size"):
        settings_for_bytes("int8", 9, 24, 1000, codebook_size=4)


# --- names


def test_every_chain_is_a_reducer_and_a_quantiser() -> None:
    kinds = {name: entry.kind for name, entry in compressors.catalogue().items()}
    for name in NAMES:
        chain = [kinds[part] for part in name.split("+")]
        assert chain in (["reducer"], ["quantiser"], ["reducer", "quantiser"])
    lossy = [name for name, entry in compressors.catalogue().items() if entry.kind == "reducer" and not entry.lossless]
    quantisers = [name for name, kind in kinds.items() if kind == "quantiser"]
    assert len(NAMES) == len(kinds) + len(lossy) * len(quantisers)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("int8+segment_means", ["int8 packs rows", "did you mean 'segment_means+int8'?"]),
        ("int8+int4", ["int8 packs rows, which int4 cannot pack again", "'int8'"]),
        ("segment_means+token_merging", ["only one of segment_means, token_merging", "'segment_means'"]),
        ("segment_means+int8+int4", ["cannot pack again", "'segment_means+int8'"]),
        ("identity+int8", ["identity changes nothing", "'int8'"]),
        ("cluster_means+identity", ["identity changes nothing", "'cluster_means'"]),
        ("segment_means+int9", ["'int9' is unknown", "did you mean 'segment_means+int8'?"]),
        ("segment_means+", ["'' is unknown", "'segment_means'"]),
        ("segmentmeans", ["is unknown", "did you mean 'segment_means'?"]),
    ],
)
def test_a_name_that_makes_no_compressor_is_refused_with_one_that_does(name: str, parts: list[str]) -> None:
    with pytest.raises(ValueError, match="compressor") as refused:
        compressors.create(name, {"segments": 2})
    assert all(part in str(refused.value) for part in parts), str(refused.value)
