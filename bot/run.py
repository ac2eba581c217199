"""Start the bot on Discord, obey signals, and end it."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import suppress
from functools import partial

import aiohttp
import discord

from bot.client import Whatsit
from bot.composition import compose
from bot.connection import discord_py_log
from bot.connection.login import token, where_tokens_are
from bot.connection.server import Server
from bot.download.downloader import Downloader
from bot.logs.writing import written_log
from bot.metrics.server import MetricsServer
from bot.stop_signals import stop_signals
from bot.store import Store, StoreError, defaults
from config.settings import ConfigError, Settings
from inference.results import ModelUnavailable
from inference.sandbox.kernel import forbid_dumps
from inference.serving.client import Classifier

log = logging.getLogger(__name__)

ANSWERED, FAILED = 0, 1
GOODBYE = 2.0
"""Seconds that the gateway may take over its closing handshake."""
AUTHENTICATION_FAILED = 4004
"""https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes"""


def run(settings: Settings) -> int:
    """Run the bot until it is told to stop; return the exit code of the process.

    0: told to stop, and everything in hand was answered. 1: it could not go on (the log says why), or images
    were left when `queue.drain` seconds were over. `ConfigError` is raised for what only its owner can mend:
    no token, a refused token, an address that cannot be right.

    SIGINT (Ctrl-C) and SIGTERM end it when the images in hand are answered; a second one ends it at once.
    """
    forbid_dumps()
    secret = token(settings)
    discord_py_log.tidy()
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # Whatsit does not speak
    with written_log(settings.log):
        server = Server.of(settings.discord)
        return asyncio.run(_live(settings, secret, server))


async def _live(settings: Settings, secret: str, server: Server | None) -> int:
    try:
        store = await Store.open(
            settings.store,
            settings.data,
            guild_defaults=defaults(settings.watch, settings.answers),
            alone=not settings.store.shared,
        )
    except StoreError as error:
        return _failed(str(error))
    try:
        return await _online(settings, secret, server, store)
    finally:
        await _close(store)


async def _online(settings: Settings, secret: str, server: Server | None, store: Store) -> int:
    classifier = Classifier(settings)
    if server is not None:
        server = await server.with_files()
    fetcher = downloader(settings, classifier, server)
    another = partial(Classifier, sharing=classifier)
    metrics = MetricsServer(settings)
    bot = compose(
        settings,
        classifier,
        fetcher,
        store,
        server=server,
        another_model=another,
        observer=metrics.observer,
    )
    # What was imported stays: looking through it for garbage would stall the gateway for 70 ms now and then.
    gc.freeze()
    left, name = 0, "Discord" if server is None else str(server.api.host)
    try:
        with stop_signals() as told:
            async with metrics.serving(bot, classifier, store), bot:
                connection = asyncio.create_task(bot.start(secret))
                refused = bot.http_watch.brake.token_refused
                await _first(connection, told, refused)
                left = await bot.work_in_hand.finish(0.0 if refused.is_set() else settings.queue.drain)
                await _leave(bot, connection)
                if refused.is_set():
                    raise _token_refused(settings)
    except discord.LoginFailure as error:
        raise _token_refused(settings) from error
    except discord.ConnectionClosed as error:
        if error.code == AUTHENTICATION_FAILED:
            raise _token_refused(settings) from error
        return _failed(f"The gateway closed the connection for good, with code {error.code}: {error.reason}")
    except ModelUnavailable as error:
        return _failed(str(error))
    except discord.HTTPException as error:
        return _failed(f"{name} answered {error.status} {error.response.reason}. Try again later.")
    except (aiohttp.ClientError, OSError) as error:
        return _failed(f"{name} cannot be reached: {error or type(error).__name__}. Is this machine online?")
    finally:
        await fetcher.close()
        await classifier.close()
    if left:
        return _failed(f"{left} images were still unanswered after {settings.queue.drain:g} s.")
    log.info("Stopped; everything in hand was answered.")
    return ANSWERED


async def _close(store: Store) -> None:
    try:
        await store.close()
    except StoreError as error:
        log.warning("The last messages seen may be forgotten. %s", error)


def downloader(settings: Settings, classifier: Classifier, server: Server | None) -> Downloader:
    """Return what fetches from the hosts of the settings; on a self-hosted server, from its own hosts."""
    download = settings.download
    if server is not None:
        download = download.model_copy(update={"hosts": tuple(server.file_hosts(download.hosts))})
    return Downloader(download, settings.limits, input_size=lambda: classifier.info.input_size)


async def _first(connection: asyncio.Task[None], *events: asyncio.Event) -> None:
    """Wait until the connection has ended or one of the events is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait({connection, *waiting}, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


async def _leave(bot: Whatsit, connection: asyncio.Task[None]) -> None:
    """Close the gateway; raise what ended the connection, if it ended by itself."""
    if connection.done():
        await connection
    try:
        async with asyncio.timeout(GOODBYE):
            await bot.close()
    except TimeoutError:
        log.info("The gateway did not say goodbye within %g s.", GOODBYE)
    connection.cancel()
    with suppress(asyncio.CancelledError):
        await connection


def _token_refused(settings: Settings) -> ConfigError:
    return ConfigError(
        "The token is refused. It was reset, or copied incompletely: make a new one at "
        f"{where_tokens_are(settings.discord)}."
    )


def _failed(why: str) -> int:
    log.error(why)
    return FAILED
