"""Start the bot on Discord, obey signals, and end it."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Literal

import discord

from bot.client import Whatsit
from bot.composition import compose
from bot.connection import discord_py_log
from bot.connection.end_reasons import CannotGoOn, explained, token_refused
from bot.connection.login import token
from bot.connection.server import Server
from bot.connection.shards import Shards
from bot.download.downloader import Downloader
from bot.logs.writing import written_log
from bot.metrics.server import MetricsServer
from bot.stop_signals import stop_signals
from bot.store import Store, StoreError, defaults
from bot.store.location import locate
from bot.store.shard_locks import ShardCountDiffers, ShardLocks
from bot.store.shard_session import LOST
from config.settings import ConfigError, Settings
from inference.large_buffers import give_back_when_freed
from inference.results import ModelUnavailable
from inference.sandbox.kernel import forbid_dumps
from inference.serving.client import Classifier

log = logging.getLogger(__name__)

ANSWERED, FAILED = 0, 1
GOODBYE = 2.0
"""Seconds that the gateway may take over its closing handshake."""
HANDOVER = 2.0
"""Seconds that a shard's work in hand is finished in, at most, before another process has the shard: what is
left then is answered there, and what is posted meanwhile waits."""
AGAIN = 5.0
"""Seconds until a process that has lost its shard tries to be a spare, if the store cannot be used."""

Told = int | Literal["auto"]
"""How many shards the owner wants: a number, or as many as Discord recommends."""


class ShardLost(Exception):
    """This process's shard may be another one's by now."""


def run(settings: Settings, shards: Told | None = None) -> int:
    """Run the bot until it is told to stop; return the exit code of the process.

    `shards`: be one of several processes, each with one of so many shards; None: be the only one, or where
    `store.shared` is set, one of as many as Discord recommends.

    0: told to stop, and everything in hand was answered. 1: it could not go on (the log says why), or images
    were left when `queue.drain` seconds were over. `ConfigError` is raised for what only its owner can mend:
    no token, a refused token, an address that cannot be right.

    SIGINT (Ctrl-C) and SIGTERM end it when the images in hand are answered; a second one ends it at once.
    """
    forbid_dumps()
    give_back_when_freed()
    secret = token(settings)
    discord_py_log.tidy()
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # Whatsit does not speak
    if shards is None and settings.store.shared:
        shards = "auto"  # two processes without shards would answer everything twice
    if shards is not None:
        settings = _shared(settings)
    with written_log(settings.log):
        server = Server.of(settings.discord)
        return asyncio.run(_live(settings, secret, server, shards))


async def _live(settings: Settings, secret: str, server: Server | None, told: Told | None) -> int:
    was_spare = False
    while True:
        try:
            async with _shards(settings, told) as shards, _store(settings) as store:
                was_spare = shards is not None
                return _ended(settings, shards, await _online(settings, secret, server, store, shards))
        except ShardLost:
            log.warning("The shard may be another process's by now, so this one becomes a spare.")
        except ShardCountDiffers as error:
            raise ConfigError(str(error)) from error
        except (CannotGoOn, ModelUnavailable) as error:
            return _failed(str(error))
        except LOST as error:
            if not was_spare:
                return _failed(str(error) or "The store did not answer in time.")
            log.warning("This process cannot be a spare yet, and tries again in %g s. %s", AGAIN, error)
            await asyncio.sleep(AGAIN)


def _ended(settings: Settings, shards: Shards | None, left: int) -> int:
    if not left:
        log.info("Stopped; everything in hand was answered.")
    elif shards is not None:
        log.info("Stopped; the shard's next process answers the %d images that were left.", left)
    else:
        return _failed(f"{left} images were still unanswered after {settings.queue.drain:g} s.")
    return ANSWERED


def _shared(settings: Settings) -> Settings:
    """Return the settings of a process that shares its store. Raises `ConfigError` where it cannot."""
    location = locate(settings.store, settings.data)
    if location.file is not None:
        raise ConfigError(
            "--shards and store.shared need a PostgreSQL, through which the processes share the shards, and "
            f"the store is {location}. Name one in store.url; `whatsit store move` takes along what is in "
            "the file."
        )
    return settings.model_copy(update={"store": settings.store.model_copy(update={"shared": True})})


@asynccontextmanager
async def _shards(settings: Settings, told: Told | None) -> AsyncIterator[Shards | None]:
    """Give the way to a shard, where the bot has several processes."""
    if told is None:
        yield None
        return
    locks = await ShardLocks.open(locate(settings.store, settings.data))
    try:
        yield Shards(locks, None if told == "auto" else told)
    finally:
        await locks.close()


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    store = await Store.open(
        settings.store,
        settings.data,
        guild_defaults=defaults(settings.watch, settings.answers),
        alone=not settings.store.shared,
    )
    try:
        yield store
    finally:
        await _close(store)


async def _online(
    settings: Settings, secret: str, server: Server | None, store: Store, shards: Shards | None
) -> int:
    """Be online until told to stop, and return how many images were left unanswered.

    Raises `CannotGoOn`, `ModelUnavailable`, `ShardLost` or `ConfigError`.
    """
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
        shards=shards,
    )
    # What was imported stays: looking through it for garbage would stall the gateway for 70 ms now and then.
    gc.freeze()
    name = "Discord" if server is None else str(server.api.host)
    try:
        with explained(settings.discord, name), stop_signals() as told:
            async with metrics.serving(bot, classifier, store), bot:
                connection = asyncio.create_task(bot.start(secret))
                refused = bot.http_watch.brake.token_refused
                lost = asyncio.Event() if shards is None else shards.lost
                await _first(connection, told, refused, lost)
                drain = settings.queue.drain if shards is None else min(settings.queue.drain, HANDOVER)
                left = await bot.work_in_hand.finish(0.0 if refused.is_set() or lost.is_set() else drain)
                await _leave(bot, connection)
                if shards is not None:
                    await shards.close()
                if refused.is_set():
                    raise token_refused(settings.discord)
                if lost.is_set() and not told.is_set():
                    raise ShardLost
                return left
    finally:
        await fetcher.close()
        await classifier.close()


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


def _failed(why: str) -> int:
    log.error(why)
    return FAILED
