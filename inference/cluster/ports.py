"""Listen where a node is to, or say which setting names an address that somebody else has."""

from __future__ import annotations

import socket

from aiohttp import web

from config.listen_address import ListenAddress
from config.settings import ConfigError


def check_free(setting: str, address: ListenAddress) -> None:
    """Raise `ConfigError`, which names the setting, where nothing can listen at `address` now."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address.host, address.port))
        except OSError as error:
            raise _cannot_listen(setting, address, error) from error


async def listen(runner: web.AppRunner, setting: str, address: ListenAddress) -> None:
    """Serve at `address`. Raises `ConfigError`, which names the setting, where that cannot be."""
    try:
        await web.TCPSite(runner, address.host, address.port).start()
    except OSError as error:
        raise _cannot_listen(setting, address, error) from error


def _cannot_listen(setting: str, address: ListenAddress, error: OSError) -> ConfigError:
    return ConfigError(
        f"{setting} is {address}, where nothing can be served: {error.strerror or error}. Does another "
        "node run there? Choose another port, or an address of this machine."
    )
