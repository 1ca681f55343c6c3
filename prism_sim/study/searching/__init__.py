"""Searches: the best points of a scenario's sweep, by several objectives at once, without computing all of them."""
