"""How long work tells whoever waits for it how it goes."""

from __future__ import annotations


class Progress:
    """Keeps silent itself; what shows something overrides both."""

    def line(self, text: str) -> None:
        """In a sentence, before something that may take long, or what had to be decided."""

    def watch(self, what: str, done: int, n: int, detail: str = "") -> None:
        """How much of something is done, of how much. detail: how it stands, where that can be said."""


SILENT = Progress()
