"""From a picture's bytes to its labels: a queue in the caller's process and the worker process it feeds."""
