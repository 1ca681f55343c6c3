"""Predictions beside the same programs on real processes."""
