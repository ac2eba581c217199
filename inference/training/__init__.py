"""Trains a model for the classes of a folder of pictures, on top of one that is there already."""
