"""`make soak MINUTES=10`: the classifier under random load, while its worker is killed again and again."""
