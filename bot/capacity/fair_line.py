"""Images that wait for a machine: the server goes first that has used the fewest core-seconds so far.

This is the rule of `inference.serving.fair_queue`, which the bot may not import, with what an image takes
known beforehand."""

from __future__ import annotations

from collections import deque

from bot.capacity.traffic import PostedImage


class FairLine:
    """The images of each server in the order in which they came, and what each server has used."""

    def __init__(self) -> None:
        self._waiting: dict[int, deque[PostedImage]] = {}
        self._used: dict[int, float] = {}
        self._level = 0.0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, image: PostedImage) -> None:
        """Add an image as the last of its server."""
        line = self._waiting.get(image.server)
        if line is None:
            line = self._waiting[image.server] = deque()
            # A server that comes back after a pause has saved nothing up.
            self._used[image.server] = max(self._used.get(image.server, 0.0), self._level)
        line.append(image)
        self._length += 1

    def pop(self) -> PostedImage:
        """Take the oldest image of the server that has used least. Raises ValueError where there is none."""
        server = min(self._waiting, key=self._used.__getitem__)
        line = self._waiting[server]
        image = line.popleft()
        self._level = max(self._level, self._used[server])
        self._used[server] += image.core_seconds
        self._length -= 1
        del self._waiting[server]
        if line:
            self._waiting[server] = line  # as the last of its equals
        return image
