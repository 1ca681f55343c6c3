"""Solutions of lesson 7, and a wrong answer for each question, which its check refuses."""


def cache_bytes(n_blocks, n_kv_heads, head_dim, n_tokens, bytes_each):
    return 2 * n_blocks * n_kv_heads * head_dim * n_tokens * bytes_each


ANSWERS = {
    "answer_1": 229,
    "answer_2": "between 2 and 3.6 times shorter",
    "answer_3": cache_bytes,
    "answer_4": "one board writes alone, so it reads all the weights for each token",
    "answer_5": 16 * 2 * 2048 * 2 * 2,
    "answer_6": 21.5,
}

WRONG = {
    "answer_1": 114.4,
    "answer_2": "3.6 times shorter",
    "answer_3": "cache_bytes = lambda blocks, heads, dim, tokens, each: blocks * heads * dim * tokens * each",
    "answer_4": "its steps wait for messages between boards",
    "answer_5": 16 * 2 * 2048 * 2,
    "answer_6": 15,
}
