"""Solutions of lesson 3, and a wrong answer for each question, which its check refuses."""


def ring_all_reduce_bytes(payload_bytes, n_devices):
    return 2 * (n_devices - 1) * payload_bytes / n_devices


ANSWERS = {
    "answer_1": 3 * 300_000,
    "answer_2": ring_all_reduce_bytes,
    "answer_3": "direct",
    "answer_4": "ring",
    "answer_5": 50,
    "answer_6": 0.2,
}

WRONG = {
    "answer_1": 300_000,
    "answer_2": "def ring_all_reduce_bytes(payload_bytes, n_devices):\n    return (n_devices - 1) * payload_bytes\n",
    "answer_3": "ring",
    "answer_4": "direct",
    "answer_5": 33,
    "answer_6": 0.33,
}
