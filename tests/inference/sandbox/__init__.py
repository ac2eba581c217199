"""The sandbox: each of its walls alone."""
