"""What is told of every joint on the way of an image."""

from __future__ import annotations

from typing import Literal

Way = Literal["watched", "mention", "direct_message", "offer", "edit", "command", "menu", "catch_up"]
"""How a request comes in. `catch_up`: it was made while the bot was away."""

Stage = Literal["ledger", "queue", "download", "wait", "decode", "predict", "words", "send"]
"""A part of the way of an image, as in ARCHITECTURE.md. `queue` is for a place and room for the bytes, `wait`
for the worker."""


class Observer:
    """Is told what happens to requests, and does nothing with it: what there is while metrics are off.

    Every call is made on the event loop and must be fast. The values that `outcome` may have are bounded: the
    codes of errors, and the names in `bot.tracing.request_tracing`.
    """

    def requested(self, way: Way) -> None:
        """A request has come in."""

    def took(self, stage: Stage, seconds: float) -> None:
        """An image, or the answer to a request, has passed a stage."""

    def ended(self, way: Way, outcome: str, images: int) -> None:
        """So many images have come to their end."""

    def answered(self, way: Way, seconds: float) -> None:
        """Discord has taken an answer, so many seconds after it was asked for or the images were posted."""
