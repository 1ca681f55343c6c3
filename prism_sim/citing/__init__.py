"""Whom to cite: what a scenario uses, and BibTeX of the publications that the `source` of each thing names."""
