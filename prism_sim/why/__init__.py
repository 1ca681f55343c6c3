"""Why: where the time goes, what would help most, and where the order of two strategies flips."""
