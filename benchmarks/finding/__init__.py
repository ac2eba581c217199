"""Measure how well and how fast pictures are found again: `python -m benchmarks.finding`, or `make bench-find`."""
