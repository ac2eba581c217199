"""How long a shard is silent when its process is killed: `python -m tests.shard_takeover`."""
