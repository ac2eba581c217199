"""The bot's token, and where it comes from."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

from config.settings import ConfigError, Discord, Settings


def where_tokens_are(discord: Discord) -> str:
    """Return where a token is made, to be put after "at": on Discord, or on the server of the settings."""
    if discord.api_url is not None:
        return f"the server of discord.api_url ({discord.api_url})"
    return "discord.com/developers/applications, your application, Bot, Reset Token"


def token(settings: Settings, environ: MutableMapping[str, str] | None = None) -> str:
    """Return the bot's token: `DISCORD_TOKEN`, else what the file of `DISCORD_TOKEN_FILE`, else of
    `discord.token_file`, holds.

    The variable is forgotten, so that no child process inherits it. Raises `ConfigError`, which never repeats
    the token.
    """
    environ = os.environ if environ is None else environ
    origin = where_tokens_are(settings.discord)
    if secret := environ.pop("DISCORD_TOKEN", ""):
        return _checked(secret, "DISCORD_TOKEN", origin)
    file = Path(environ["DISCORD_TOKEN_FILE"]) if environ.get("DISCORD_TOKEN_FILE") else None
    place = "discord.token_file" if file is None else "DISCORD_TOKEN_FILE"
    file = file or settings.discord.token_file
    if file is None:
        raise ConfigError(
            f"There is no token. Get one at {origin}, and put it in the variable DISCORD_TOKEN, or "
            "in a file that DISCORD_TOKEN_FILE or discord.token_file names."
        )
    try:
        return _checked(file.read_text(encoding="utf-8"), str(file), origin)
    except OSError as error:
        raise ConfigError(f"{place} names {file}, which cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{place} names {file}, which is not a text file.") from error


def _checked(text: str, place: str, origin: str) -> str:
    text = text.strip().removeprefix("Bot ").strip()
    if not text:
        raise ConfigError(f"{place} is empty. Get a token at {origin}.")
    if not text.isascii() or len(text.split()) > 1:
        raise ConfigError(f"{place} does not hold a token and nothing else. Get one at {origin}.")
    return text
