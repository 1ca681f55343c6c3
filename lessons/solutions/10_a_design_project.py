"""Solutions of lesson 10, and a wrong answer for each question, which its check refuses.

`OTHER_DESIGNS` are right answers to question 4 as well.
"""

DESIGN = """\
name: Reading aid
model: {{preset: llama-3.1-8b, dtype: float16, weight_dtype: q8_0, wire_dtype: q8_0}}
workload: {{tokens: 128, new_tokens: 64}}
devices:
  - {{preset: {board}, runtime: llama.cpp, count: {count}}}
network: {{preset: {network}}}
strategy: {{name: {strategy}}}
"""


def design(board, count, network="gigabit-ethernet", strategy="tensor_parallel"):
    return DESIGN.format(board=board, count=count, network=network, strategy=strategy)


OTHER_DESIGNS = [
    design("jetson-orin-nano", 2),
    design("jetson-orin-nano", 2, network="fast-ethernet"),
    design("intel-n150", 2),
    design("jetson-nano", 4),
    design("raspberry-pi-5", 4, strategy="galaxy"),
    design("jetson-orin-nano", 2, strategy="auto"),
]

ANSWERS = {
    "answer_1": 8.53,
    "answer_2": 2,
    "answer_3": 3,
    "answer_4": design("raspberry-pi-5", 4),
    "answer_5": "two Jetson Orin Nano",
}

WRONG = {
    "answer_1": 8.03,
    "answer_2": 1,
    "answer_3": 4,
    "answer_4": design("raspberry-pi-5", 2),
    "answer_5": "both",
}
