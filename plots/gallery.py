"""The images of the gallery, from the ready studies.

python plots/gallery.py -o plots/gallery
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib.figure import Figure
from pandas import DataFrame

from prism_sim import figures, load_scenario, sweep
from prism_sim.figures.results import read_results
from prism_sim.figures.style import saved
from prism_sim.kept.files import write_whole
from prism_sim.why.explain import explain

SCENARIOS = Path(__file__).parents[1] / "scenarios"


def compression(table: DataFrame) -> Iterator[tuple[str, Figure]]:
    title = "Two Jetson Orin Nano, batch 8: latency against compression"
    yield "latency-compression", figures.draw_latency_compression(table, title=title)
    vit = table[(table["model.preset"] == "vit-base-patch16-224") & (table["network.bandwidth"] == "400 Mbit/s")]
    title = "ViT-Base on two Jetson Orin Nano, 400 Mbit/s, batch 8"
    yield "compression", figures.draw_compression(vit, title=title)
    gpt2 = table[(table["model.preset"] == "gpt2") & (table["network.bandwidth"] == "400 Mbit/s")]
    yield "bytes-compression", figures.draw_bytes_compression(gpt2, title="GPT-2, 512 tokens, on two devices")


def strategies_map(table: DataFrame) -> Iterator[tuple[str, Figure]]:
    title = "BERT-base on Raspberry Pi 5: which strategy is the fastest?"
    yield "best-strategy", figures.draw_best_strategy(table, title=title)
    exact = table[table["strategy.name"] != "prism"]
    title = "BERT-base on Raspberry Pi 5: which exact strategy is the fastest?"
    yield "best-strategy-exact", figures.draw_best_strategy(exact, title=title)
    three = table[table["devices[0].count"] == 3]
    yield "latency-bandwidth", figures.draw_latency_bandwidth(three, title="BERT-base on three Raspberry Pi 5")
    fastest = table["network.bandwidth_bits_per_s"] == 1e9
    title = "BERT-base on Raspberry Pi 5, 1 Gbit/s"
    yield "speedup-devices", figures.draw_speedup_devices(table[fastest], title=title)
    yield "energy", figures.draw_energy(table[fastest], title=title)
    bars = table[fastest & (table["devices[0].count"] == 3)]
    yield "latency-parts", figures.draw_latency_parts(bars, title="BERT-base on three Raspberry Pi 5, 1 Gbit/s")


def batch_crossover(table: DataFrame) -> Iterator[tuple[str, Figure]]:
    title = "ViT-Base on two Jetson Orin Nano, 400 Mbit/s"
    yield "latency", figures.draw_latency(table, x="workload.batch", title=title)


def buying_guide(table: DataFrame) -> Iterator[tuple[str, Figure]]:
    title = "BERT-base: which cluster answers within 200 ms at the least energy?"
    yield "pareto", figures.draw_pareto(table, x="latency_s", y="energy_j", limit=0.2, title=title)


STUDIES: dict[str, Callable[[DataFrame], Iterator[tuple[str, Figure]]]] = {
    "study-compression": compression,
    "study-strategies-map": strategies_map,
    "study-batch-crossover": batch_crossover,
    "study-buying-guide": buying_guide,
}


def timeline() -> Figure:
    """Of one run, by its trace, as `prism-sim explain --out` writes it."""
    found = explain(load_scenario(SCENARIOS / "bert-base-three-pi5.yaml", ["network.bandwidth=100 Mbit/s"]))
    with TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        trace.write_text(json.dumps(found.trace_events()))
        spans = read_results(trace, "spans")
    return figures.draw_spans(spans, title="BERT-base on three Raspberry Pi 5, 100 Mbit/s: prism")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent / "gallery", help="a folder")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()

    def write(name: str, figure: Figure) -> None:
        path = options.output / f"{name}.png"
        write_whole(path, saved(figure))
        print(f"wrote {path}")

    write("timeline", timeline())
    for study, draw in STUDIES.items():
        table = sweep(SCENARIOS / f"{study}.yaml", jobs=options.jobs, numerics=False)
        for name, figure in draw(table):
            write(name, figure)


if __name__ == "__main__":
    main()
