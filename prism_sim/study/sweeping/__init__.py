"""Sweeps: many points of one scenario, computed in parallel, resumed after any end, as one table."""
