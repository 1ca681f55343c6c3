"""Simulates Transformer inference spread over edge devices: latency, bytes and outputs (PRISM, arXiv 2507.12145)."""
