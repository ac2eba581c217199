"""From a folder of pictures to a model, and what others make of it."""
