"""A Discord-compatible server (self-hosted Spacebar) in Discord's place.

discord.py keeps the addresses of Discord in class attributes; this is the one place that changes them, for
the whole process. That alone would trust every address the server names, so a connector refuses all hosts but
the server's own: no request and no token reaches another, not even over a redirect or a resume address.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import discord
import discord.webhook.async_
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.connection.compatible_payloads import received, sendable
from config import settings
from config.settings import ConfigError

if TYPE_CHECKING:
    from aiohttp.client import ClientRequest, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

log = logging.getLogger(__name__)

DISCORD = (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.http.INTERNAL_API_VERSION, Asset.BASE)
JSON_OR_TEXT = discord.http.json_or_text
FROM_JSON, TO_JSON = discord.utils._from_json, discord.utils._to_json  # noqa: SLF001 - all that comes and goes
DISCORDS_OWN = re.compile(r"(^|\.)discord(app)?\.(com|net|gg|media)$")
VERSIONS = (9, 10)
"""Versions of the API that discord.py speaks."""
_own_base = Route.BASE
ASK_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True)
class Server:
    """Where the server is: `api` with its version (`https://host/api/v9`), `gateway` (`wss://host`), and
    `files`, the origin that serves attachments."""

    api: URL
    gateway: URL
    files: URL

    @classmethod
    def of(cls, discord: settings.Discord) -> Self | None:
        """Return the server that the settings name, or None for Discord.

        `files` is the API's own host until `with_files` has asked. Raises `ConfigError` for an address that
        cannot be right.
        """
        if discord.api_url is None or discord.gateway_url is None:
            return None
        api = _address("discord.api_url", discord.api_url, "https")
        gateway = _address("discord.gateway_url", discord.gateway_url, "wss")
        if _version(api) not in VERSIONS:
            raise ConfigError(
                f"discord.api_url is {api}, which does not end in the version of the API. "
                f"Write it with one of {', '.join(f'/v{version}' for version in VERSIONS)} at its end."
            )
        return cls(api, gateway, api.origin())

    async def with_files(self) -> Self:
        """Return the same server with its file host, as the server itself tells it.

        Spacebar answers `GET /policies/instance/domains`; where that is not known, files are taken to be on
        the API's host.
        """
        async with aiohttp.ClientSession(connector=self.connector(), timeout=ASK_TIMEOUT) as session:
            try:
                async with session.get(self.api / "policies/instance/domains") as response:
                    response.raise_for_status()
                    files = URL((await response.json())["cdn"]).origin()
            except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
                log.info("%s does not say where its files are (%s); taking its own host.", self.api, error)
                return self
        log.info("%s has its files on %s.", self.api, files)
        return type(self)(self.api, self.gateway, files)

    def connector(self) -> aiohttp.TCPConnector:
        """Return a connector that reaches this server's API and gateway, and nothing else."""
        return _OnlyTo(frozenset(_place(url) for url in (self.api, self.gateway)))

    def file_hosts(self, hosts: Iterable[str]) -> list[str]:
        """Return the hosts of images: this server's own, and those of `hosts` that are not Discord's."""
        own = dict.fromkeys(str(url.origin()) for url in (self.files, self.api))
        return [*own, *(host for host in hosts if not DISCORDS_OWN.search(host))]


async def log_in(
    client: discord.Client,
    server: Server | None,
    login: Callable[[], Awaitable[None]],
    rest_proxy: URL | None = None,
) -> None:
    """Let `client` log in at `server`, or (None) at Discord, with `login`, which is its own `login`.

    `rest_proxy`: what all requests to Discord's API go through. Raises what `login` does;
    `discord.LoginFailure` also where a server refuses the token as a bad request.
    """
    use(server, rest_proxy)
    if server is None:
        await login()
        return
    client.http.connector = server.connector()
    try:
        await login()
    except discord.HTTPException as error:
        if error.status == HTTPStatus.BAD_REQUEST and str(error.response.url).endswith("/users/@me"):
            raise discord.LoginFailure("The server refuses the token.") from error
        raise


def rest_proxy_of(discord: settings.Discord) -> URL | None:
    """Return the address of the proxy that the settings name. Raises `ConfigError` if it cannot be right."""
    if discord.rest_proxy_url is None:
        return None
    if discord.api_url is not None:
        raise ConfigError("discord.rest_proxy_url is for Discord. Take it out, or discord.api_url.")
    return _address("discord.rest_proxy_url", discord.rest_proxy_url, "https")


def own_url(path: str) -> str:
    """Return the address of a path of the API itself, for what no proxy is to answer."""
    return _own_base + path


def use(server: Server | None, rest_proxy: URL | None = None) -> None:
    """Point discord.py at `server`, or (None) back at Discord. For the whole process.

    To a `rest_proxy`, all of REST but `own_url` goes under the same paths; the gateway is Discord's own.

    REST, interactions and webhooks go to `Route.BASE`; IDENTIFY to `DEFAULT_GATEWAY`. RESUME goes where READY
    said, and Spacebar's default is an address that only itself can reach: so it, too, goes to the gateway of
    the settings. What is sent and received is changed to what the other side can read.
    """
    global _own_base  # noqa: PLW0603 - like all that is changed here, it is the process's
    if server is None:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.http.INTERNAL_API_VERSION, Asset.BASE = DISCORD
        _own_base = Route.BASE
        if rest_proxy is not None:
            Route.BASE = str(rest_proxy).rstrip("/") + URL(_own_base).path
        if "gateway" in vars(DiscordWebSocket):
            del DiscordWebSocket.gateway
        _read_and_write(JSON_OR_TEXT, FROM_JSON, TO_JSON)
        return
    Route.BASE = _own_base = str(server.api)
    DiscordWebSocket.DEFAULT_GATEWAY = server.gateway
    discord.http.INTERNAL_API_VERSION = _version(server.api)
    Asset.BASE = str(server.files.origin())
    pinned = property(lambda socket: socket.DEFAULT_GATEWAY, lambda _socket, _named_by_ready: None)
    DiscordWebSocket.gateway = pinned  # type: ignore[assignment] # an attribute of the instance, made constant
    _read_and_write(
        _json_or_text, lambda text: received(FROM_JSON(text)), lambda body: TO_JSON(sendable(body))
    )


def _read_and_write(response: Any, from_json: Callable[[Any], Any], to_json: Callable[[Any], str]) -> None:
    """Make discord.py parse responses, parse JSON and write JSON with these functions."""
    discord.http.json_or_text = response
    discord.webhook.async_.json_or_text = response  # type: ignore[attr-defined] # imported there by name
    discord.utils._from_json = from_json  # noqa: SLF001
    discord.utils._to_json = to_json  # type: ignore[assignment] # noqa: SLF001 - a function for a function


async def _json_or_text(response: aiohttp.ClientResponse) -> dict[str, Any] | str:
    """discord.py's own takes JSON for text where a charset is named with it, as Express does
    (https://github.com/spacebarchat/server/issues/939)."""
    text = await response.text(encoding="utf-8")
    if response.content_type == "application/json":
        parsed: dict[str, Any] = discord.utils._from_json(text)  # noqa: SLF001
        return parsed
    return text


class _OnlyTo(aiohttp.TCPConnector):
    """Connects to some places (host and port), and refuses every other before a byte is sent."""

    def __init__(self, places: frozenset[tuple[str, int]]) -> None:
        super().__init__(limit=0)
        self._places = places

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> Connection:
        if _place(req.url) not in self._places:
            raise aiohttp.ClientConnectionError(
                f"{req.url.origin()} is not the server of discord.api_url or discord.gateway_url"
            )
        return await super().connect(req, traces, timeout)


def _address(key: str, value: str, secure: str) -> URL:
    """Return `value` as an address without a slash at its end; `secure` is the scheme it should have."""
    try:
        url = URL(value)
        host = url.host
    except ValueError as error:
        raise ConfigError(f"{key} is {value}, which is no address: {error}.") from error
    if not host or url.user is not None or url.query_string or url.fragment:
        raise ConfigError(f"{key} is {value}; write {secure}://HOST, without a user, a query or a fragment.")
    if DISCORDS_OWN.search(host):
        raise ConfigError(f"{key} is {value}, which is Discord itself. Leave it out to run on Discord.")
    if url.scheme != secure and not _private(host):
        log.warning("%s is %s: the token and every message travel unencrypted. Use %s.", key, value, secure)
    return url.with_path(url.path.rstrip("/"))


def _private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host


def _version(api: URL) -> int:
    match = re.fullmatch(r"v(\d+)", api.name)
    return int(match[1]) if match else 0


def _place(url: URL) -> tuple[str, int]:
    return url.host or "", url.port or 0
