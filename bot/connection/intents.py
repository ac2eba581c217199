"""Which gateway intents Whatsit asks for, and what it can do with those it is allowed."""

from __future__ import annotations

import discord

MESSAGE_CONTENT_OFF = (
    "The application may not read message content, so Whatsit answers mentions, direct messages, /classify "
    "and the message menu, but watches no channel. To have it answer every picture, open your application at "
    "https://discord.com/developers/applications, page Bot, switch on Message Content Intent, and start "
    "Whatsit again."
)


def wanted(*, message_content: bool = True) -> discord.Intents:
    """Return the intents for servers, channels, messages there and in DMs, and clicks on offers.

    Without `message_content` Discord still delivers the content of DMs, of mentions and of interactions.
    """
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        guild_reactions=True,
        dm_messages=True,
        message_content=message_content,
    )


def message_content_allowed(flags: discord.ApplicationFlags) -> bool:
    """Return whether IDENTIFY may ask for message content; Discord closes the gateway with 4014 otherwise.

    Bots in under 100 servers carry the "limited" flag once it is switched on, larger ones are verified for it
    (https://discord.com/developers/docs/resources/application#application-object-application-flags).
    """
    return flags.gateway_message_content or flags.gateway_message_content_limited
