"""Solutions of lesson 5, and a wrong answer for each question, which its check refuses."""

import math


def segments_for(n_tokens, n_devices, compression_rate):
    return max(1, round(math.ceil(n_tokens / n_devices) / compression_rate))


ANSWERS = {
    "answer_1": 9.9,
    "answer_2": segments_for,
    "answer_3": 89.9,
    "answer_4": "yes",
    "answer_5": 6,
    "answer_6": "computing",
}

WRONG = {
    "answer_1": 19.7,
    "answer_2": "def segments_for(n_tokens, n_devices, compression_rate):\n"
    "    return round(n_tokens / n_devices / compression_rate)\n",
    "answer_3": 10.1,
    "answer_4": "no, the interval is too wide",
    "answer_5": 9,
    "answer_6": "sending the means",
}
