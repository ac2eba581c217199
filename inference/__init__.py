"""Naming what is in a picture: bytes in, ranked labels out. It knows nothing of Discord or HTTP."""
