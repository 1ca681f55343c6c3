"""Solutions of lesson 2, and a wrong answer for each question, which its check refuses."""


def kernel_s(flops, moved_bytes, flops_per_s, bytes_per_s, launch_s):
    return launch_s + max(flops / flops_per_s, moved_bytes / bytes_per_s)


ANSWERS = {
    "answer_1": 2 * 128 * 1024 * 1024 / 1e6,
    "answer_2": kernel_s,
    "answer_3": 5,
    "answer_4": 11,
    "answer_5": "twice the memory bandwidth",
    "answer_6": 1.01,
}

WRONG = {
    "answer_1": 128 * 1024 * 1024 / 1e6,
    "answer_2": "def kernel_s(flops, moved_bytes, flops_per_s, bytes_per_s, launch_s):\n"
    "    return launch_s + flops / flops_per_s + moved_bytes / bytes_per_s\n",
    "answer_3": 0.2,
    "answer_4": 10,
    "answer_5": "twice the compute",
    "answer_6": 2,
}
