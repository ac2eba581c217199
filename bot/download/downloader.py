"""Fetch images from the hosts that are allowed: streaming, capped, timed, and nothing kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import ClassVar, Protocol

import aiohttp
from yarl import URL

from bot.download.reduced_copy import smaller
from config import settings

log = logging.getLogger(__name__)

CHUNK = 64 * 1024
REDIRECTS = 3
"""Redirects followed; Discord's hosts need none."""
REDIRECTED = frozenset({301, 302, 303, 307, 308})
GONE = frozenset({401, 403, 404, 410})
"""What Discord's CDN answers for a file that was deleted, or whose signed address has expired."""
PAGES = frozenset({"text/html", "application/xhtml+xml"})
"""Types of an error page. JSON, as of an API, is no picture either; any other type is no evidence."""


class DownloadError(Exception):
    """An image could not be fetched; `code` is the stable, machine-readable reason."""

    code: ClassVar[str] = "download_error"


class Gone(DownloadError):
    """The image was deleted, or its address has expired."""

    code = "gone"


class TooManyBytes(DownloadError):
    """The image has more bytes than the limit, by what was declared or by what came."""

    code = "too_many_bytes"


class TooSlow(DownloadError):
    """The host did not answer, or the download did not end, in time."""

    code = "too_slow"


class NotAPicture(DownloadError):
    """A web page or JSON came instead of a file."""

    code = "not_a_picture"


class HostNotAllowed(DownloadError):
    """The address, or one it redirects to, is not on an allowed host."""

    code = "host_not_allowed"


class Unreachable(DownloadError):
    """The host cannot be reached, breaks off, or answers with an error of its own."""

    code = "unreachable"


class Fetcher(Protocol):
    """What the bot needs of a downloader; tests and the demo pass one that reads from a simulated Discord."""

    async def fetch(
        self,
        url: str,
        *,
        size: int | None = None,
        dimensions: tuple[int, int] | None = None,
        document: bool = False,
    ) -> bytes:
        """Return the bytes at `url`.

        `size` is the file's length in bytes and `dimensions` the picture's (width, height) in pixels, where
        Discord says them. `document`: not a picture but a file of text. Raises a `DownloadError`.
        """

    async def close(self) -> None:
        """Let go of all connections."""


class Downloader:
    """A `Fetcher` over HTTPS. No proxy, cookie or credential of the environment is used.

    `extra_hosts` are allowed besides `download.hosts`. A host is a name (`cdn.discordapp.com`: https, usual
    port) or an origin (`http://127.0.0.1:8080`: exactly that). `input_size` tells the model's height = width
    in pixels, for `download.resized`.
    """

    def __init__(
        self,
        download: settings.Download,
        limits: settings.Limits,
        *,
        extra_hosts: Collection[str] = (),
        input_size: Callable[[], int] = lambda: 224,
    ) -> None:
        self._download = download
        self._limit = limits.image_bytes
        self._allowed = frozenset(_origin(host) for host in (*download.hosts, *extra_hosts))
        self._input_size = input_size
        self._session: aiohttp.ClientSession | None = None

    async def fetch(
        self,
        url: str,
        *,
        size: int | None = None,
        dimensions: tuple[int, int] | None = None,
        document: bool = False,
    ) -> bytes:
        """Fetch as `Fetcher.fetch` says, within `limits.image_bytes` and `download.total_timeout`."""
        if size is not None and size > self._limit:
            raise TooManyBytes(f"{size} bytes; the limit is {self._limit}")
        address = self._permitted(url)
        if self._download.resized and dimensions is not None:
            reduced = smaller(address, dimensions, self._input_size())
            if reduced is not None and (data := await self._attempt(reduced)) is not None:
                return data
        takes = _is_no_page if document else _may_be_picture
        return await self._timed(address, self._download.total_timeout, takes)

    async def close(self) -> None:
        """Close all connections; a fetch after it opens new ones."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _attempt(self, url: URL) -> bytes | None:
        """Return a reduced copy, or None: whatever goes wrong with it, there is still the original."""
        try:
            return await self._timed(self._permitted(str(url)), self._download.connect_timeout, _is_picture)
        except DownloadError as error:
            log.debug("No reduced copy (%s: %s); fetching the original.", error.code, error)
            return None

    async def _timed(self, url: URL, seconds: float, takes: Callable[[str], bool]) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(url, takes)
        except TimeoutError as error:
            raise TooSlow(f"{url.host} took longer than {seconds:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{url.host}: {error or type(error).__name__}") from error

    async def _follow(self, url: URL, takes: Callable[[str], bool]) -> bytes:
        for _ in range(REDIRECTS + 1):
            async with self._connected().get(url, allow_redirects=False) as response:
                if response.status not in REDIRECTED:
                    return await self._read(response, takes)
                target = response.headers.get("Location", "")
            url = self._permitted(target, base=url)
        raise Unreachable(f"{url.host} redirects more than {REDIRECTS} times")

    async def _read(self, response: aiohttp.ClientResponse, takes: Callable[[str], bool]) -> bytes:
        if response.status in GONE:
            raise Gone(f"{response.host} answered {response.status}")
        if response.status != HTTPStatus.OK:
            raise Unreachable(f"{response.host} answered {response.status}")
        if not takes(response.content_type):
            raise NotAPicture(f"{response.host} sent {response.content_type}")
        if response.content_length is not None and response.content_length > self._limit:
            raise TooManyBytes(f"{response.content_length} bytes; the limit is {self._limit}")
        data = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK):
            data += chunk
            if len(data) > self._limit:
                raise TooManyBytes(f"more than {self._limit} bytes")
        return bytes(data)

    def _permitted(self, url: str, *, base: URL | None = None) -> URL:
        try:
            address = URL(url) if base is None else base.join(URL(url))
            origin = address.origin()
        except ValueError as error:
            raise HostNotAllowed("it has no address that can be read") from error
        if origin not in self._allowed or address.user is not None:
            raise HostNotAllowed(f"{origin} is not an allowed host")
        return address

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            # No limit on connections: the queue bounds the downloads, and waiting for a free one would count
            # as a slow host. Bytes are taken as they are: an encoding would have to be undone to be counted.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, resolver=aiohttp.ThreadedResolver()),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._download.connect_timeout),
                headers={"Accept-Encoding": "identity"},
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session


def _is_picture(kind: str) -> bool:
    return kind.startswith("image/")


def _may_be_picture(kind: str) -> bool:
    return kind not in PAGES | {"application/json"}


def _is_no_page(kind: str) -> bool:
    return kind not in PAGES


def _origin(host: str) -> URL:
    return URL(host if "://" in host else f"https://{host}").origin()
