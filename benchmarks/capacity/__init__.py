"""Is `whatsit capacity` right about one machine? It is held against the real classifier."""
