"""What a moderator can set for a server, and a member for themself."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

import config.settings

__all__ = ["GROUPS", "PER_MINUTE", "GuildSettings", "MemberPreferences", "defaults"]


def _no_yes(value: Any) -> Any:
    """To Python `True` is 1, to a person it is not."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic listens to ValueError alone
    return value


def _emoji(value: str) -> str:
    custom = re.fullmatch(r"<a?:\w{2,32}:\d{15,20}>", value)
    words = value.isascii() or any(character.isalpha() or character.isspace() for character in value)
    if (
        words and not custom and value.rstrip("\ufe0f") != "\u2139"
    ):  # the one emoji that is a letter to Unicode
        raise ValueError("must be one emoji, such as 🔍 or <:name:123456789012345678>")
    return value


Whole = Annotated[int, BeforeValidator(_no_yes)]
# As text in JSON, as Discord does it: many programs cannot hold a whole number that large.
Snowflake = Annotated[Whole, Field(gt=0, lt=2**63), PlainSerializer(str, return_type=str, when_used="json")]
Snowflakes = Annotated[
    tuple[Snowflake, ...], Field(max_length=500), AfterValidator(lambda ids: tuple(sorted(set(ids))))
]
Button = Literal["more", "direct", "right", "alt_text"]
BUTTONS: Final[tuple[Button, ...]] = ("more", "direct", "right", "alt_text")
Buttons = Annotated[
    tuple[Button, ...], AfterValidator(lambda chosen: tuple(button for button in BUTTONS if button in chosen))
]
Locale = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,4})?$")]
PER_MINUTE: Final = 10_000
"""The most images a minute that may be allowed."""
PerMinute = Annotated[Whole, Field(ge=1, le=PER_MINUTE)]


class _Choices(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class GuildSettings(_Choices):
    """How Whatsit behaves in one server."""

    where: Literal["all", "only", "except"] = "all"
    """The channels it watches: all, only `channels`, or all but `channels`. Threads follow their channel."""
    channels: Snowflakes = ()
    ignored_roles: Snowflakes = ()
    """Whose images are not answered unasked."""

    how: Literal["reply", "silent", "react", "direct", "on_demand"] = "reply"
    """`reply`; `silent`: reply without a notification; `react`: with `emoji`, and answer when somebody clicks
    it; `direct`: by direct message to authors who asked for that in their preferences; `on_demand`: only when
    asked by command, menu or mention."""
    emoji: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_emoji)] = "🔍"

    top: Annotated[Whole, Field(ge=1, le=10)] = 3
    """Labels shown for each image."""
    min_confidence: Annotated[float, Field(ge=0, le=1), BeforeValidator(_no_yes)] = 0.2
    """Below this the answer is "I'm not sure"."""
    model: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """A name of the catalogue, as far as the owner allows it; None is the owner's own choice."""
    language: Locale | None = None
    """None is the language the server has set in Discord."""
    buttons: Buttons = BUTTONS
    """The buttons an answer carries, in their own order."""

    member_per_minute: PerMinute | None = None
    """Images a minute for one member; None is the owner's limit."""
    guild_per_minute: PerMinute | None = None
    """Images a minute for the server; None is no limit."""
    unlimited_roles: Snowflakes = ()
    """Who has no quota."""

    def watches(self, *channel_ids: int) -> bool:
        """Whether a place is watched; `channel_ids` are its own and those it is in (channel, category)."""
        listed = any(channel in self.channels for channel in channel_ids)
        return self.where == "all" or listed == (self.where == "only")


GROUPS: Final = {
    "where": ("where", "channels", "ignored_roles"),
    "how": ("how", "emoji"),
    "what": ("top", "min_confidence", "model", "language", "buttons"),
    "quotas": ("member_per_minute", "guild_per_minute", "unlimited_roles"),
}
"""The fields as a person meets them: `/settings where`, `/settings how`, ..."""


class MemberPreferences(_Choices):
    """How one person wants to be treated, everywhere."""

    language: Locale | None = None
    """None is the language of their Discord."""
    delivery: Literal["default", "private", "direct"] = "default"
    """`default`: as the server has it; `private`: only they see it, where Discord can do that; `direct`: by
    direct message."""
    leave_alone: bool = False
    """No message of theirs is classified, watched, mentioned, by menu or by reaction, by anyone."""


def defaults(watch: config.settings.Watch, answers: config.settings.Answers) -> GuildSettings:
    """What the owner's configuration says for a server that changed nothing."""
    return GuildSettings(
        where="all" if watch.channels is None else "only",
        channels=watch.channels or (),
        top=answers.top,
        min_confidence=answers.min_confidence,
    )
