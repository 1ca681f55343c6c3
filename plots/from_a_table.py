"""From a sweep's table to its figure, in three lines.

prism-sim sweep scenarios/study-compression.yaml --no-numerics --out out
python plots/from_a_table.py
"""

import pandas

from prism_sim.figures import draw_latency_compression

table = pandas.read_csv("out/sweep.csv")
figure = draw_latency_compression(table, title="Two Jetson Orin Nano")
figure.savefig("latency-compression.png")
