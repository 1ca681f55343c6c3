"""What does running all ranks in one process cost beside the undistributed model?

ViT-Base, batch 8, PRISM over two ranks with L = 10, unobserved, against one Hugging Face forward on the same threads.

    python benchmarks/numerics.py      prints both medians and their ratio; exit status 1 if the ratio exceeds 1.15
"""

from __future__ import annotations

import sys
from statistics import median
from time import perf_counter

import torch
from transformers import ViTConfig, ViTForImageClassification

from prism_sim import infer

BATCH, REPEATS, THREADS, ALLOWED = 8, 7, 2, 1.15


def main() -> int:
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    model = ViTForImageClassification(ViTConfig(num_labels=1000)).eval()
    inputs = {"pixel_values": torch.randn(BATCH, 3, 224, 224)}
    undistributed, distributed = [], []
    with torch.no_grad():
        for _ in range(REPEATS + 1):
            start = perf_counter()
            model(**inputs)
            between = perf_counter()
            infer(model, inputs, ranks=2, strategy="prism", segments=10)
            undistributed.append(between - start)
            distributed.append(perf_counter() - between)
    forward_s, ranks_s = median(undistributed[1:]), median(distributed[1:])  # the first of each warms up
    ratio = ranks_s / forward_s
    print(f"one Hugging Face forward   {1e3 * forward_s:8.0f} ms")
    print(f"both ranks of PRISM        {1e3 * ranks_s:8.0f} ms")
    print(f"ratio                      {ratio:8.2f}    (at most {ALLOWED})")
    return int(ratio > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
