"""Which way: one scenario beside its alternatives, every strategy on the same hardware, a verdict."""
