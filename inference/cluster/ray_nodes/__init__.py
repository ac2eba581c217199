"""Machines that look at pictures together, under Ray Serve: the extra `whatsit[cluster]`, on nodes only."""
