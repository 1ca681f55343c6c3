"""The main function of a worker process; see `local`."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
import traceback
from threading import Thread

LOOK_EVERY_S = 0.5


def main() -> None:
    """Answers piece after piece until its caller closes the pipe, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller decides
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not get between the answers
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    from prism_sim.sweeping.work import perform

    pieces = sys.stdin.buffer
    try:
        work = pickle.load(pieces)
        while True:
            piece = pickle.load(pieces)
            try:
                answer: object = perform(work, piece)
            except (OSError, ModuleNotFoundError) as error:  # whose message is for the user
                answer = error
            except Exception:
                answer = traceback.format_exc()
            pickle.dump(answer, answers)
            answers.flush()
    except (EOFError, BrokenPipeError):
        os._exit(0)


def _end_with(parent: int) -> None:
    """A caller that was killed cannot say so."""
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os._exit(1)
