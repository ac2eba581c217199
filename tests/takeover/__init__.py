"""Code run inside the real worker, as a picture would run it that had taken the worker over."""
