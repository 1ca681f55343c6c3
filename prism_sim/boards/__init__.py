"""Boards as others measured them: rows of single devices and clusters, and presets that are fitted to them."""
