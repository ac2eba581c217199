"""Numbers by which it is seen that what is held of a server is out of date."""

from __future__ import annotations


class ServerVersions:
    """A version for each server, which only grows."""

    def __init__(self) -> None:
        self._own: dict[int, int] = {}
        self._common = 0

    def of(self, server: int) -> int:
        """Return the version of a server now."""
        return self._own.get(server, 0) + self._common

    def raise_of(self, server: int) -> int:
        """Raise the version of a server, and return it."""
        self._own[server] = self._own.get(server, 0) + 1
        return self.of(server)

    def raise_all(self) -> None:
        """Raise the versions of all servers, also of those that were never asked for."""
        self._common += 1
