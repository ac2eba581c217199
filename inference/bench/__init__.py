"""The benchmark: `python -m inference.bench` measures Whatsit and the usual bot in one run on one machine.

Every system runs in a process of its own (`child`), started by `stage`, and they take turns; what is quoted
is the median of the ratios taken pair by pair (`figures`). `targets` holds what there is to reach.
"""
