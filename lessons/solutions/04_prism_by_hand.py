"""Solutions of lesson 4, and a wrong answer for each question, which its check refuses."""

import numpy as np


def means(x, n_segments):
    return np.stack([segment.mean(axis=0) for segment in np.array_split(x, n_segments)])


def weights(logits, counts):
    weighed = counts * np.exp(logits)
    return weighed / weighed.sum(axis=-1, keepdims=True)


def visible(queries, last_tokens):
    return last_tokens[None, :] <= queries[:, None]


ANSWERS = {
    "answer_1": means,
    "answer_2": 0.75,
    "answer_3": weights,
    "answer_4": "when the tokens of each segment are equal",
    "answer_5": visible,
    "answer_6": 99,
}

WRONG = {
    "answer_1": "def means(x, n_segments):\n    return x[:n_segments]\n",
    "answer_2": 1 / 3,
    "answer_3": "def weights(logits, counts):\n    return np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)\n",
    "answer_4": "always",
    "answer_5": "def visible(queries, last_tokens):\n    return last_tokens[None, :] < queries[:, None]\n",
    "answer_6": 98,
}
