"""Answers as pages that a browser shows: interactive charts, and a report in one file."""
