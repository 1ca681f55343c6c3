"""Numbers are computed with one number of threads: sums over threads must not depend on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

THREADS = 2


@contextmanager
def fixed_threads() -> Iterator[None]:
    """THREADS threads of torch, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(before)
