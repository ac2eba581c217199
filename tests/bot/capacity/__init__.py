"""The simulation of `whatsit capacity`."""
