"""The check of the simulation against this machine."""
