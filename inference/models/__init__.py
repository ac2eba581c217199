"""From a model's name to an engine that predicts: find, download or build, convert, quantise and load it."""
