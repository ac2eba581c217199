"""A cluster of Ray on this one machine: real processes, real kills. `python -m tests.cluster --short` is
CI's."""
