"""Numbers are computed with one number of threads: sums over threads must not depend on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

THREADS = 2


@contextmanager
def fixed_threads(n_threads: int = THREADS) -> Iterator[None]:
    """So many threads of torch, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
