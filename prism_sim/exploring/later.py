"""What takes longer than the answer: computed beside it, one after another, and only while somebody still wants it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import marimo as mo

from prism_sim.exploring.markup import paragraph

SETTLED_S = 0.15  # a slider that moves on before has asked for something else

Drawn = Any  # what marimo shows


@dataclass
class Later:
    """Of one page. turn: one is computed at a time, so that the next answer does not wait for many."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    drawn: dict[str, Drawn] = field(default_factory=dict)

    def show(self, name: str, draw: Callable[[], Drawn]) -> Drawn:
        """What is drawn under this name as yet, to be replaced in its cell when `draw` is done."""
        mo.Thread(target=self._replace, args=(name, draw), daemon=True).start()
        return self.drawn.get(name)

    def _replace(self, name: str, draw: Callable[[], Drawn]) -> None:
        asked = mo.current_thread()
        time.sleep(SETTLED_S)
        with self.turn:
            if asked.should_exit:
                return
            try:
                found = draw()
            except ValueError as error:  # of a scenario, or nothing to draw
                found = mo.Html(paragraph(str(error), "note"))
            except ModuleNotFoundError as error:
                found = mo.Html(paragraph(f"needs {error.name}, which is not installed", "note"))
            if not asked.should_exit:
                self.drawn[name] = found
                mo.output.replace(found)
