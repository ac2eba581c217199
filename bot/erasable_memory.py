"""What the bot knows of people, servers and channels in memory alone, and how it forgets it."""

from __future__ import annotations


class ErasableMemory:
    """The base of everything that holds, beyond one event, whom or what an event was about.

    `bot.policy.erasure.Erasure` calls these methods when a person wants to be forgotten, when the bot leaves
    a server, and when a channel is deleted. A class overrides those for which it holds something.
    """

    def forget_everyone(self) -> None:
        """Forget every person: who of them wants to be forgotten was told while it could not be heard."""

    def forget_user(self, user_id: int) -> None:
        """Forget a person."""

    def forget_guild(self, guild_id: int) -> None:
        """Forget a server, with its channels."""

    def forget_channel(self, channel_id: int) -> None:
        """Forget a channel or thread."""
