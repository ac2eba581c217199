"""Machines of a cluster, as far as Ray need not run for it: `tests.cluster` is with Ray."""
