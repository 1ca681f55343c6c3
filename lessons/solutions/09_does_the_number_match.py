"""Solutions of lesson 9, and a wrong answer for each question, which its check refuses."""


def relative_errors(predicted_s, measured_s):
    return predicted_s / measured_s - 1


ANSWERS = {
    "answer_1": 9.9,
    "answer_2": relative_errors,
    "answer_3": 14.3,
    "answer_4": 10.3,
    "answer_5": "neither: with as many numbers as rows a line must go through, so its error says nothing",
    "answer_6": "the fitted numbers are known that well, if the model is right",
}

WRONG = {
    "answer_1": 6,
    "answer_2": "relative_errors = lambda predicted_s, measured_s: measured_s / predicted_s - 1",
    "answer_3": 7.4,
    "answer_4": 2.1,
    "answer_5": "straight lines, for they have no error",
    "answer_6": "the latency of my run lies in the range with that confidence",
}
