"""Where a server of ours listens."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple, Self

PORTS = range(1, 2**16)


class ListenAddress(NamedTuple):
    """An IP address and a port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `ADDRESS:PORT`, or a port alone, which is one of this machine; None for an empty text.

        Raises ValueError for what is neither, and for what might mean all addresses but does not say so.
        """
        if not text:
            return None
        host, colon, port = text.rpartition(":")
        if not (port.isascii() and port.isdecimal() and int(port) in PORTS):
            raise ValueError(f"it must end in a port, from {PORTS[0]} to {PORTS[-1]}, as 127.0.0.1:9464 does")
        if not colon or host == "localhost":
            return cls("127.0.0.1", int(port))
        try:
            address = _ip(host)
        except ValueError:
            raise ValueError(
                f"it must name one IP address. At 127.0.0.1:{port} this machine alone can read it; at "
                f"0.0.0.0:{port} everybody can who reaches this machine, without a password"
            ) from None
        return cls(str(address), int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an address as it stands in front of a port: one of IPv6 in brackets. Raises ValueError."""
    if host.startswith("[") and host.endswith("]"):
        return ipaddress.IPv6Address(host[1:-1])
    return ipaddress.IPv4Address(host)
