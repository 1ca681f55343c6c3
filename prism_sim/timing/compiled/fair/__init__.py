"""Ports shared fairly, `media.fair`: a gate is one direction of a port, first those out of devices."""
