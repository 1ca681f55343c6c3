"""Solutions of lesson 6, and a wrong answer for each question, which its check refuses."""


def airtime_s(n_boards, payload_bytes, bits_per_s, hops):
    return hops * n_boards * (n_boards - 1) * 8 * payload_bytes / bits_per_s


ANSWERS = {
    "answer_1": 384,
    "answer_2": airtime_s,
    "answer_3": 20,
    "answer_4": 4,
    "answer_5": "each board still sends all of its rows to all others, so the bytes on the air grow with every board",
    "answer_6": 7.3,
}

WRONG = {
    "answer_1": 192,
    "answer_2": "airtime_s = lambda n, payload_bytes, bits_per_s, hops: hops * 8 * payload_bytes / bits_per_s",
    "answer_3": 100 / 6,
    "answer_4": 8,
    "answer_5": "its arithmetic grows with every board",
    "answer_6": 27,
}
