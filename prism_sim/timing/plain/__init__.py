"""The engine in plain Python on SimPy: what it plays is what time means."""
