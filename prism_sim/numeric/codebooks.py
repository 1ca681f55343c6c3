"""Codebooks of vector quantisation: one for each block, fitted by k-means to rows of the undistributed model.

They are part of what every rank holds, like weights: nothing of them crosses, and no gradient changes them.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from prism_sim import families, strategies
from prism_sim.compressors import Compressor
from prism_sim.compressors.vector_quantisation import VectorQuantisation, nearest
from prism_sim.numeric.inputs import InputSource, make_inputs
from prism_sim.numeric.threads import fixed_threads
from prism_sim.partition import split
from prism_sim.shapes.job import Job

SEED = 2505_19342  # of calibration: another than that of any input, so that codebooks know no input beforehand
ITERATIONS = 6  # of k-means; assumption
ROWS_PER_CODE = 4  # at most; more are thinned out. assumption
NOISE_ROWS_PER_CODE, MOST_NOISE_SAMPLES = 2, 32  # of the calibration that nobody gave; assumption

Batch = Mapping[str, Any]  # what a model's forward takes
Codebooks = tuple[Tensor, ...]  # of each block, (codebook_size, width)

_fitted: WeakKeyDictionary[nn.Module, tuple[Any, Codebooks]] = WeakKeyDictionary()  # the last default of each model


def codebooks_for(model: nn.Module, job: Job, given: Sequence[Tensor] | None = None) -> Codebooks | None:
    """What the job's ranks need: the given ones or, by default, such as are fitted to seeded noise; None: none at all.

    Raises ValueError for given ones that do not fit the job.
    """
    needed = _quantised(job)
    if not needed:
        return None
    if given is None:
        return _default(model, job)
    shapes = [tuple(table.shape) for table in given]
    wanted = [(compressor.quantiser.codebook_size, job.sizes.width) for compressor in needed]  # type: ignore[union-attr]
    if shapes != wanted:
        raise ValueError(f"codebooks have the shapes {shapes}, but the blocks need (codes, width) {wanted}")
    return tuple(given)


def needs_codebooks(job: Job) -> bool:
    return bool(_quantised(job))


def _quantised(job: Job) -> tuple[Compressor, ...]:
    """The compressors before each block, if they need codebooks; nothing crosses where there is one rank."""
    found = strategies.find(job.strategy).compressors(job.options, job.n_tokens, job.n_ranks, job.sizes.n_blocks)
    if found is None or job.n_ranks == 1:
        return ()
    return found if all(one.quantiser is not None and one.quantiser.codebook_size for one in found) else ()


def _default(model: nn.Module, job: Job) -> Codebooks:
    """Fitted to seeded noise of the kind that the model reads; kept until the model or what is packed changes."""
    parameters = list(model.parameters())
    state = [(one.data_ptr(), one._version) for one in parameters if not one.is_inference()]
    key = (_quantised(job), job.n_tokens, job.n_ranks, getattr(job.options, "shares", None), state)
    known = _fitted.get(model)
    if known is not None and known[0] == key and len(state) == len(parameters):
        return known[1]
    size = _quantised(job)[0].quantiser.codebook_size  # type: ignore[union-attr]
    n_samples = min(MOST_NOISE_SAMPLES, -(-NOISE_ROWS_PER_CODE * size // job.n_tokens))
    noise = make_inputs(model, InputSource(n_samples, job.n_tokens, path=None, place=None, seed=SEED))
    found = fitted(model, [{name: value.to(parameters[0].device) for name, value in noise.items()}], job)
    _fitted[model] = (key, found)
    return found


@torch.inference_mode(False)  # what is kept may be used with gradients later
@torch.no_grad()
def fitted(model: nn.Module, batches: Iterable[Batch], job: Job) -> Codebooks:
    """Codebooks for the job, fitted to the rows that each block's compressor would pack of these inputs.

    The model runs undistributed, in evaluation mode, and is left as it was. Raises ValueError where the job needs no
    codebooks, or where there is no input.
    """
    compressors = _quantised(job)
    if not compressors:
        raise ValueError(f"{job.strategy} over {job.n_ranks} rank(s) needs no codebooks with these options")
    rows: list[list[Tensor]] = [[] for _ in compressors]
    for batch in batches:
        mask = batch.get("attention_mask")
        real = None if mask is None else mask != 0
        for number, x in enumerate(_block_inputs(model, batch)):
            rows[number] += _packed_rows(compressors[number], x, real, job)
    if not rows[0]:
        raise ValueError("codebooks need at least one batch of inputs to be fitted to")
    dtype = next(model.parameters()).dtype
    with fixed_threads(1):  # many small steps, which wait for each other longer than they take
        return tuple(
            _codebook(torch.cat(found), one.quantiser).to(dtype)  # type: ignore[arg-type]
            for found, one in zip(rows, compressors, strict=True)
        )


def _block_inputs(model: nn.Module, batch: Batch) -> list[Tensor]:
    """(batch, tokens, width) before each block, from the model's own forward."""
    family = families.find(str(model.config.model_type))  # type: ignore[union-attr]
    trunk = getattr(model, family.trunk, model)
    taken = inspect.signature(trunk.forward).parameters
    found: list[Tensor] = []

    def listen(layer: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        found.append(given[0] if given else named["hidden_states"])

    ears = [layer.register_forward_pre_hook(listen, with_kwargs=True) for layer in family.layers(model)]
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        trunk(**{name: value for name, value in batch.items() if name in taken})
    finally:
        for ear in ears:
            ear.remove()
        for module, mode in modes.items():
            module.training = mode
    return found


def _packed_rows(compressor: Compressor, x: Tensor, real: Tensor | None, job: Job) -> list[Tensor]:
    """(rows, width) of each partition: what the compressor's quantiser packs, less what stands for padding."""
    found = []
    for part in split(x.shape[1], job.n_ranks, getattr(job.options, "shares", None)):
        own = slice(part.start, part.stop)
        kept = None if real is None else real[:, own]
        rows, counts = compressor.reduced(x[:, own], kept)
        counts = kept if counts is None else counts
        found.append(rows.flatten(0, 1) if counts is None else rows[counts > 0])
    return found


def _codebook(rows: Tensor, quantiser: VectorQuantisation) -> Tensor:
    """(codebook_size, width), each group of columns by itself."""
    generator = torch.Generator().manual_seed(SEED)
    rows = rows.to(torch.promote_types(rows.dtype, torch.float32))
    if len(rows) > (most := ROWS_PER_CODE * quantiser.codebook_size):
        rows = rows[torch.randperm(len(rows), generator=generator)[:most].to(rows.device)]
    groups = [rows[:, columns.start : columns.stop] for columns in quantiser.columns(rows.shape[1])]
    return torch.cat([k_means(group, quantiser.codebook_size, generator) for group in groups], 1)


def k_means(points: Tensor, n_centres: int, generator: torch.Generator) -> Tensor:
    """Centres (n_centres, width) of points (n, width), begun at as many different points as there are centres.

    Where there are no more different points than centres, they are the centres, and the first fills the places that
    are left, where it is never the nearest for the first time.
    """
    points, weights = torch.unique(points, dim=0, return_counts=True)
    if len(points) <= n_centres:
        return torch.cat([points, points[:1].expand(n_centres - len(points), -1)])
    centres = points[torch.randperm(len(points), generator=generator)[:n_centres].to(points.device)]
    weights = weights.to(points.dtype)
    for _ in range(ITERATIONS):
        nearest_to = nearest(points, centres)
        sums = torch.zeros_like(centres).index_add(0, nearest_to, points * weights[:, None])
        counts = weights.new_zeros(n_centres).index_add(0, nearest_to, weights)[:, None]
        centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
    return centres
