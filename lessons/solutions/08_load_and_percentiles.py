"""Solutions of lesson 8, and a wrong answer for each question, which its check refuses."""


def one_by_one_s(gaps_s, services_s):
    came_s = done_s = 0.0
    responses = []
    for gap_s, service_s in zip(gaps_s, services_s, strict=True):
        came_s += gap_s
        done_s = max(came_s, done_s) + service_s
        responses.append(done_s - came_s)
    return responses


ANSWERS = {
    "answer_1": 0.719,
    "answer_2": 2.05,
    "answer_3": 2.25,
    "answer_4": one_by_one_s,
    "answer_5": 2.35,
    "answer_6": 2.5,
    "answer_7": "splitting wins at low rates, dealing close to full load",
}

WRONG = {
    "answer_1": 0.89,
    "answer_2": 1.15,
    "answer_3": 1.125,
    "answer_4": "one_by_one_s = lambda gaps_s, services_s: services_s",
    "answer_5": 0.786,
    "answer_6": 3.27,
    "answer_7": "splitting wins at every rate",
}
