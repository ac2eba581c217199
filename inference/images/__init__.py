"""From untrusted bytes to the square crops that a model is given."""
