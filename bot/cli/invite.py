"""`whatsit invite`: the links that add the bot, with just the permissions it needs."""

from __future__ import annotations

import argparse
import base64
import binascii

import discord

from bot.cli import FAILED, OK
from bot.cli.settings import complain, settings_for
from bot.connection.login import token
from config.settings import ConfigError

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,  # the answer's bars; plain text without
    read_message_history=True,  # an answer that is a reply; a plain message without
    add_reactions=True,  # says so when it may not speak, or would be late
)


def main(args: argparse.Namespace) -> int:
    """Print the links; return 0, or 1 where there are none. Raises `ConfigError` without a token or an id."""
    settings = settings_for(args)
    if settings.discord.api_url is not None:  # whose tokens do not hold the application's id
        complain("discord.api_url names a server of its own: add the bot there as that server does it.")
        return FAILED
    identity = args.id or application_id(token(settings))
    to_server = discord.utils.oauth_url(
        identity, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
    )
    to_account = discord.utils.oauth_url(identity, scopes=("applications.commands",))
    print(f"To a server:       {to_server}&integration_type=0")
    print(f"To your account:   {to_account}&integration_type=1")
    return OK


def application_id(token: str) -> int:
    """Return the application that a token belongs to: its first part is the id in base64, without padding.

    Raises `ConfigError`, which does not repeat the token.
    """
    first = token.partition(".")[0]
    try:
        return int(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (binascii.Error, ValueError) as error:
        raise ConfigError(
            "The token does not look like a bot's (three parts with dots between them). Copy it again from "
            "discord.com/developers/applications, your application, Bot, Reset Token; or give --id."
        ) from error
