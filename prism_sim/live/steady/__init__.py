"""Whether a machine was left alone while something was measured on it, and what to measure again."""
