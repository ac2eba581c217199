"""Say why a connection to Discord has ended for good, and what its owner can do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from bot.connection.login import where_tokens_are
from config.settings import ConfigError, Discord

AUTHENTICATION_FAILED, SHARDING_REQUIRED = 4004, 4011
"""https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes"""
_MORE_SHARDS = (
    " The bot is on too many servers for the shards that it has: docs/shards.md says how to give it more."
)


class CannotGoOn(Exception):
    """The bot cannot be online; the message says why."""


@contextmanager
def explained(place: Discord, name: str) -> Iterator[None]:
    """Make what discord.py raises a `CannotGoOn`; or a `ConfigError`, where only the owner can mend it.

    `name`: what the server is called.
    """
    try:
        yield
    except discord.LoginFailure as error:
        raise token_refused(place) from error
    except discord.ConnectionClosed as error:
        if error.code == AUTHENTICATION_FAILED:
            raise token_refused(place) from error
        raise CannotGoOn(
            f"The gateway closed the connection for good, with code {error.code}: {error.reason}."
            f"{_MORE_SHARDS if error.code == SHARDING_REQUIRED else ''}"
        ) from error
    except discord.HTTPException as error:
        raise CannotGoOn(
            f"{name} answered {error.status} {error.response.reason}. Try again later."
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        raise CannotGoOn(
            f"{name} cannot be reached: {error or type(error).__name__}. Is this machine online?"
        ) from error


def token_refused(place: Discord) -> ConfigError:
    """Return the error for a token that Discord does not take (any more)."""
    return ConfigError(
        "The token is refused. It was reset, or copied incompletely: make a new one at "
        f"{where_tokens_are(place)}."
    )
