"""What the owner's monitoring reads: Prometheus metrics, and whether Whatsit lives and is ready."""
