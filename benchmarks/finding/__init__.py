"""Measure how well and how fast pictures are found again: `make bench-find`."""
