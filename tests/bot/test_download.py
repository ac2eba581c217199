"""Downloads over real sockets: what comes, what is refused, and when."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator

import pytest
from PIL import Image
from yarl import URL

from bot.download import reduced_copy as resize
from bot.download.downloader import (
    Downloader,
    DownloadError,
    Gone,
    HostNotAllowed,
    NotAPicture,
    TooManyBytes,
    TooSlow,
    Unreachable,
)
from config.settings import Download, Limits
from tests.wire import cdn
from tests.wire.wire import Wire

PICTURE = b"\x89PNG" + bytes(range(256)) * 40
LIMIT = 100_000


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire() as running:
        yield running


def downloader(wire: Wire, **settings: object) -> Downloader:
    return Downloader(
        Download.model_validate({"connect_timeout": 2, "total_timeout": 5} | settings),
        Limits(image_bytes=LIMIT),
        extra_hosts=[wire.cdn.origin],
    )


@pytest.fixture
async def fetcher(wire: Wire) -> AsyncIterator[Downloader]:
    fetcher = downloader(wire)
    yield fetcher
    await fetcher.close()


def hosted(wire: Wire, data: bytes = PICTURE, name: str = "cat.png") -> str:
    return wire.cdn.origin + wire.cdn.add("1", name, data)


async def test_brings_the_bytes(wire: Wire, fetcher: Downloader) -> None:
    assert await fetcher.fetch(hosted(wire), size=len(PICTURE)) == PICTURE


async def test_a_file_of_exactly_the_limit_comes(wire: Wire, fetcher: Downloader) -> None:
    assert len(await fetcher.fetch(hosted(wire, bytes(LIMIT)))) == LIMIT


async def test_more_is_refused_by_its_declared_size_before_anybody_is_asked(
    wire: Wire, fetcher: Downloader
) -> None:
    with pytest.raises(TooManyBytes):
        await fetcher.fetch(hosted(wire), size=LIMIT + 1)
    assert wire.cdn.asked == []


async def test_more_is_refused_by_the_header_without_waiting_for_it(wire: Wire, fetcher: Downloader) -> None:
    wire.cdn.answer = cdn.lying(LIMIT + 1)
    with pytest.raises(TooManyBytes):
        await fetcher.fetch(hosted(wire))


async def test_more_is_refused_on_the_stream_where_no_header_told(wire: Wire, fetcher: Downloader) -> None:
    wire.cdn.answer = cdn.endless()
    with pytest.raises(TooManyBytes):
        await fetcher.fetch(hosted(wire), size=10)
    assert wire.cdn.finished == 0


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_deleted_or_expired_file_is_gone(wire: Wire, fetcher: Downloader, status: int) -> None:
    wire.cdn.answer = cdn.status(status, "This content is no longer available.")
    with pytest.raises(Gone):
        await fetcher.fetch(hosted(wire))


@pytest.mark.parametrize("status", [204, 304, 400, 429, 500, 503])
async def test_any_other_status_is_the_hosts_trouble(wire: Wire, fetcher: Downloader, status: int) -> None:
    wire.cdn.answer = cdn.status(status)
    with pytest.raises(Unreachable, match=str(status)):
        await fetcher.fetch(hosted(wire))


async def test_a_document_may_be_json_but_no_page(wire: Wire, fetcher: Downloader) -> None:
    wire.cdn.answer = cdn.page("application/json")
    assert await fetcher.fetch(hosted(wire), document=True)
    wire.cdn.answer = cdn.page("text/html")
    with pytest.raises(NotAPicture, match="text/html"):
        await fetcher.fetch(hosted(wire), document=True)


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
async def test_a_page_instead_of_a_file_is_no_picture(wire: Wire, fetcher: Downloader, kind: str) -> None:
    wire.cdn.answer = cdn.page(kind)
    with pytest.raises(NotAPicture, match=kind):
        await fetcher.fetch(hosted(wire))


async def test_an_odd_type_is_left_to_the_decoder(wire: Wire, fetcher: Downloader) -> None:
    assert await fetcher.fetch(hosted(wire, name="cat.txt")) == PICTURE


async def test_a_broken_connection_is_no_picture_cut_short(wire: Wire, fetcher: Downloader) -> None:
    wire.cdn.answer = cdn.cut(after=100)
    with pytest.raises(Unreachable):
        await fetcher.fetch(hosted(wire))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 302 Found\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe://\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_a_download_error(wire: Wire, fetcher: Downloader, data: bytes) -> None:
    wire.cdn.answer = cdn.raw(data)
    with pytest.raises(DownloadError):
        await fetcher.fetch(hosted(wire))


@pytest.mark.parametrize("reply", [cdn.slow(0.05), cdn.slow(5, before=True)], ids=["drips", "silent"])
async def test_what_takes_too_long_is_given_up(wire: Wire, reply: cdn.Reply) -> None:
    fetcher = downloader(wire, total_timeout=0.3)
    wire.cdn.answer = reply
    with pytest.raises(TooSlow):
        await fetcher.fetch(hosted(wire))
    await fetcher.close()


async def test_a_host_that_does_not_take_the_connection_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        host, port = deaf.getsockname()
        with socket.create_connection((host, port)):  # its queue is full; whoever comes next is left waiting
            fetcher = Downloader(
                Download(connect_timeout=0.3), Limits(), extra_hosts=[f"http://{host}:{port}"]
            )
            with pytest.raises(TooSlow):
                await fetcher.fetch(f"http://{host}:{port}/cat.png")
            await fetcher.close()


async def test_a_host_that_is_down_is_unreachable() -> None:
    fetcher = Downloader(Download(), Limits(), extra_hosts=["http://127.0.0.1:1"])
    with pytest.raises(Unreachable):
        await fetcher.fetch("http://127.0.0.1:1/cat.png")
    await fetcher.close()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/cat.png",
        "http://cdn.discordapp.com/cat.png",
        "https://cdn.discordapp.com:8443/cat.png",
        "https://cdn.discordapp.com.evil.example/cat.png",
        "https://cdn.discordapp.com./cat.png",
        "https://user:password@cdn.discordapp.com/cat.png",
        "file:///etc/passwd",
        "ftp://cdn.discordapp.com/cat.png",
        "//cdn.discordapp.com/cat.png",
        "http://[::1/cat.png",
        "cat.png",
        "",
    ],
)
async def test_other_hosts_are_never_asked(fetcher: Downloader, url: str) -> None:
    with pytest.raises(HostNotAllowed):
        await fetcher.fetch(url)


async def test_a_redirect_on_the_host_is_followed(wire: Wire, fetcher: Downloader) -> None:
    target = wire.cdn.add("1", "cat.png", PICTURE)
    wire.cdn.answers["/old.png"] = cdn.redirect(target)
    assert await fetcher.fetch(f"{wire.cdn.origin}/old.png") == PICTURE


@pytest.mark.parametrize("target", ["TRAP", "file:///etc/passwd", "//evil.example/", "http://[::1"])
async def test_a_redirect_elsewhere_is_not(wire: Wire, fetcher: Downloader, target: str) -> None:
    wire.cdn.answer = cdn.redirect(str(wire.trap_url) if target == "TRAP" else target)
    with pytest.raises(HostNotAllowed):
        await fetcher.fetch(hosted(wire))
    assert wire.trap.hits == []


async def test_redirects_come_to_an_end(wire: Wire, fetcher: Downloader) -> None:
    wire.cdn.answers["/loop.png"] = cdn.redirect("/loop.png")
    with pytest.raises(Unreachable, match="redirects"):
        await fetcher.fetch(f"{wire.cdn.origin}/loop.png")


async def test_no_proxy_and_no_credentials_of_the_environment_are_used(
    wire: Wire, fetcher: Downloader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", str(wire.trap_url))
    monkeypatch.setenv("http_proxy", str(wire.trap_url))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert await fetcher.fetch(hosted(wire)) == PICTURE
    assert wire.trap.hits == []
    assert not {"Authorization", "Cookie"} & wire.cdn.asked[0].headers.keys()


async def test_a_compressed_answer_cannot_swell(wire: Wire, fetcher: Downloader) -> None:
    assert await fetcher.fetch(hosted(wire)) == PICTURE
    assert wire.cdn.asked[0].headers["Accept-Encoding"] == "identity"


async def test_a_cancelled_download_lets_go_of_its_connection(wire: Wire, fetcher: Downloader) -> None:
    wire.cdn.answer = cdn.slow(0.01)
    download = asyncio.create_task(fetcher.fetch(hosted(wire)))
    await wire.cdn.until_asked()
    download.cancel()
    with pytest.raises(asyncio.CancelledError):
        await download
    wire.cdn.answer = cdn.plain
    assert await fetcher.fetch(hosted(wire)) == PICTURE


async def test_many_at_once_do_not_wait_for_each_other(wire: Wire, fetcher: Downloader) -> None:
    slow, quick = hosted(wire), hosted(wire)
    wire.cdn.answers[URL(slow).path] = cdn.slow(5, before=True)
    waiting = [asyncio.create_task(fetcher.fetch(slow)) for _ in range(150)]
    await wire.cdn.until_asked(len(waiting))
    assert await fetcher.fetch(quick) == PICTURE
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def test_every_error_has_its_own_code() -> None:
    kinds: list[type[DownloadError]] = [DownloadError, *DownloadError.__subclasses__()]
    assert len({kind.code for kind in kinds}) == len(kinds) == 7


# Smaller copies


@pytest.fixture
def media(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The stub's file host in the place of Discord's two."""
    monkeypatch.setattr(resize, "CDN", URL(wire.cdn.origin))
    monkeypatch.setattr(resize, "MEDIA", URL(wire.cdn.origin))
    wire.cdn.answer = cdn.resized()
    return wire


def photograph(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


async def test_a_large_image_is_fetched_reduced(media: Wire) -> None:
    fetcher = downloader(media, resized=True)
    data = await fetcher.fetch(hosted(media, photograph(1600, 1200), "big.jpg"), dimensions=(1600, 1200))
    assert Image.open(io.BytesIO(data)).size == (427, 320)
    assert len(media.cdn.asked) == 1
    await fetcher.close()


@pytest.mark.parametrize(
    "surprise",
    [
        cdn.status(404),
        cdn.status(415),
        cdn.page(),
        cdn.page("text/plain"),
        cdn.cut(9),
        cdn.endless(),
        cdn.slow(9, before=True),
    ],
    ids=["404", "415", "html", "text", "cut", "endless", "silent"],
)
async def test_any_surprise_with_the_copy_leads_to_the_original(media: Wire, surprise: cdn.Reply) -> None:
    original = photograph(1600, 1200)

    async def only_the_copy_fails(request: cdn.Request, data: bytes) -> cdn.Response:
        return await (surprise if "width" in request.query else cdn.plain)(request, data)

    media.cdn.answer = only_the_copy_fails
    fetcher = downloader(media, resized=True, connect_timeout=0.5)
    assert await fetcher.fetch(hosted(media, original, "big.jpg"), dimensions=(1600, 1200)) == original
    await fetcher.close()


async def test_without_the_setting_the_original_is_fetched(media: Wire) -> None:
    fetcher = downloader(media)
    original = photograph(1600, 1200)
    assert await fetcher.fetch(hosted(media, original, "big.jpg"), dimensions=(1600, 1200)) == original
    await fetcher.close()


async def test_an_original_over_the_limit_is_refused_also_if_its_copy_would_fit(media: Wire) -> None:
    fetcher = downloader(media, resized=True)
    with pytest.raises(TooManyBytes):
        await fetcher.fetch(hosted(media, b"", "big.jpg"), size=LIMIT + 1, dimensions=(1600, 1200))
    await fetcher.close()
