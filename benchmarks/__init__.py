"""The comparison: Whatsit against the usual bot and bare engines, in one run on one machine (`make bench`).

Every system runs in a process of its own, and they take turns; what is quoted is the median of the ratios
taken pair by pair. It needs the extra `[bench]`. What it shares with `whatsit bench` is in `inference.bench`.
"""
