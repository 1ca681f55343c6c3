"""Solutions of lesson 1, and a wrong answer for each question, which its check refuses."""


def arrival_s(payload_bytes, bits_per_s, latency_s):
    return latency_s + 8 * payload_bytes / bits_per_s


ANSWERS = {
    "answer_1": 99 * 768 * 4,
    "answer_2": arrival_s,
    "answer_3": "about two fifths",
    "answer_4": "it falls, by less than half",
    "answer_5": 85,
}

WRONG = {
    "answer_1": 99 * 768,
    "answer_2": "def arrival_s(payload_bytes, bits_per_s, latency_s):\n    return payload_bytes / bits_per_s\n",
    "answer_3": "all of it",
    "answer_4": "it halves too",
    "answer_5": 50,
}
