"""The one table of a server's settings. Everything else about a setting is derived from its entry here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator

import config.settings
from bot.i18n import N_
from bot.store import setting_fields as kinds
from bot.store.setting_fields import SettingField
from inference.results import RANKED

BUTTONS: Final[Mapping[str, str]] = {
    "more": N_("More"),
    "why": N_("Why?"),
    "dm_button": N_("Send to my DMs"),
    "feedback": N_("Was this right?"),
    "alt_text": N_("Alt text"),
    "delete": N_("Delete"),
    "teach": N_("No, what is it?"),
}
"""The buttons that an answer can carry, and their labels."""
RENAMED_BUTTONS: Final[Mapping[str, str]] = {"direct": "dm_button", "right": "feedback"}
"""What databases and exported files called buttons before."""
PER_MINUTE: Final = 10_000
"""The most images a minute that may be allowed."""
LIMITS: Final = kinds.SettingForm(
    "limits", N_("Change the limits…"), N_("Pictures per minute"), N_("Empty: {usual}")
)
REACTION: Final = kinds.SettingForm(
    "emoji",
    N_("Change the emoji…"),
    N_("The emoji of the reaction"),
    N_("One emoji, such as 🔍, or one from this server, such as <:name:123…>"),
)


def _renamed_buttons(value: Any) -> Any:
    """Read the names that buttons had before, too."""
    if not isinstance(value, list | tuple):
        return value
    return [RENAMED_BUTTONS.get(each, each) if isinstance(each, str) else each for each in value]


class GuildSettings(kinds.StoredSettings):
    """How Whatsit behaves in one server."""

    where: Annotated[
        Literal["all", "only", "except"],
        SettingField(
            "where",
            N_("Replies automatically in"),
            "choice",
            ("watch",),
            words={
                "all": N_("All channels"),
                "only": N_("Only the channels listed"),
                "except": N_("All channels except the ones listed"),
            },
        ),
    ] = "all"
    """The channels it watches: all, only `channels`, or all but `channels`. Threads follow their channel."""
    channels: Annotated[
        kinds.Snowflakes,
        SettingField(
            "where",
            N_("Channels"),
            "channels",
            ("add", "remove"),
            matters={"where": ("only", "except")},
            hints=(
                (N_("Threads and posts belong to their channel, and channels to their category."), {}),
                (
                    N_("No channel is listed yet, so I don't reply automatically anywhere."),
                    {"where": ("only",), "channels": ((),)},
                ),
            ),
        ),
    ] = ()
    ignored_roles: Annotated[
        kinds.Snowflakes, SettingField("where", N_("Ignored roles"), "roles", ("ignore", "unignore"))
    ] = ()
    """Whose images are not answered unasked."""
    index_channels: Annotated[
        kinds.Snowflakes,
        SettingField(
            "where",
            N_("Pictures can be found again in"),
            "channels",
            ("index", "unindex"),
            hints=(
                (
                    N_(
                        "From pictures that I answer there I keep fingerprints, for `/find` and `/similar`. "
                        "Taking a channel off the list deletes them."
                    ),
                    {},
                ),
            ),
        ),
    ] = ()
    """The channels, or categories, whose pictures go into the index. Threads follow their channel."""
    repost_channels: Annotated[
        kinds.Snowflakes,
        SettingField(
            "where",
            N_("Reposts are pointed out in"),
            "channels",
            ("reposts", "no_reposts"),
            hints=((N_("Only among the channels whose pictures can be found again."), {}),),
        ),
    ] = ()
    """Where an answer says that a picture was posted in the same channel before."""

    how: Annotated[
        Literal["reply", "silent", "react", "direct", "on_demand"],
        SettingField(
            "how",
            N_("When someone posts a picture"),
            "choice",
            ("answer",),
            words={
                "reply": N_("A reply"),
                "silent": N_("A silent reply"),
                "react": N_("A reaction"),
                "direct": N_("A DM, for members who opted in"),
                "on_demand": N_("Only when asked"),
            },
            descriptions={
                "reply": N_("The answer, with Discord's usual notification"),
                "silent": N_("The answer, without a notification"),
                "react": N_("An emoji; click it to get the answer"),
                "direct": N_("Only to members who chose that in /preferences"),
                "on_demand": N_("With /classify, from a message's menu, or by mentioning me"),
            },
        ),
    ] = "reply"
    emoji: Annotated[
        kinds.Emoji,
        SettingField("how", N_("Reaction"), "emoji", ("emoji",), matters={"how": ("react",)}, form=REACTION),
    ] = "🔍"

    statistics: Annotated[
        Literal["on", "off"],
        SettingField(
            "how",
            N_("Daily counts"),
            "choice",
            ("statistics",),
            words={"on": N_("Kept for a month"), "off": N_("None")},
            descriptions={
                "on": N_("For /stats: how many pictures, what I called them, how sure I was; nobody's names"),
                "off": N_("What was counted so far is deleted"),
            },
        ),
    ] = "on"

    top: Annotated[
        kinds.Whole, SettingField("what", N_("Guesses shown"), "number", ("top",), least=1, most=RANKED)
    ] = 3
    """Labels shown for each image."""
    min_confidence: Annotated[
        kinds.Fraction,
        SettingField("what", N_("Unsure below"), "percentage", ("min_confidence",), most=1),
    ] = 0.3
    model: Annotated[
        kinds.ModelName | None,
        SettingField("what", N_("Model"), "model", ("model",), unset=N_("Default ({model})")),
    ] = None
    """A name of the catalogue, as far as the owner allows it; None is the owner's own choice."""
    language: Annotated[
        kinds.Locale | None,
        SettingField("what", N_("Language"), "language", ("language",), unset=N_("The server's")),
    ] = None
    """None is the language the server has set in Discord."""
    style: Annotated[
        Literal["bars", "compact"],
        SettingField(
            "what",
            N_("Layout"),
            "choice",
            ("style",),
            words={"bars": N_("With bars"), "compact": N_("Compact")},
            descriptions={
                "bars": N_("A row with a bar for each guess"),
                "compact": N_("One line for each picture, and one row of buttons"),
            },
        ),
    ] = "bars"
    buttons: Annotated[
        tuple[Literal["more", "why", "dm_button", "feedback", "alt_text", "delete", "teach"], ...],
        BeforeValidator(_renamed_buttons),
        SettingField("what", N_("Buttons below an answer"), "choices", tuple(BUTTONS), words=BUTTONS),
    ] = ("more", "dm_button", "feedback", "alt_text", "delete", "teach")
    """`teach` is shown where the server has taught something."""

    member_per_minute: Annotated[
        kinds.Whole | None,
        SettingField(
            "quotas",
            N_("Pictures per minute, each member"),
            "limit",
            ("member",),
            least=1,
            most=PER_MINUTE,
            unset=N_("Default ({limit})"),
            form=LIMITS,
            label=N_("For each member"),
        ),
    ] = None
    guild_per_minute: Annotated[
        kinds.Whole | None,
        SettingField(
            "quotas",
            N_("Pictures per minute, the whole server"),
            "limit",
            ("server",),
            least=1,
            most=PER_MINUTE,
            unset=N_("No limit"),
            form=LIMITS,
            label=N_("For the whole server"),
        ),
    ] = None
    unlimited_roles: Annotated[
        kinds.Snowflakes, SettingField("quotas", N_("Roles without a limit"), "roles", ("exempt", "limit"))
    ] = ()
    teachers: Annotated[
        kinds.Snowflakes,
        SettingField(
            "quotas",
            N_("Roles that may teach me words"),
            "roles",
            ("teacher", "unteacher"),
            unset=N_("Only those who may manage the server"),
        ),
    ] = ()
    """Who may teach, beside those who may manage the server."""

    def watches(self, *channel_ids: int) -> bool:
        """Tell whether a place is watched: its own id, and those of what it is in (channel, category)."""
        listed = any(channel in self.channels for channel in channel_ids)
        return self.where == "all" or listed == (self.where == "only")

    def listed_for_index(self, *channel_ids: int) -> int | None:
        """Return for the sake of which listed place a place's pictures are indexed; None if they are not.

        `channel_ids` are its own id, and those of what it is in (channel, category).
        """
        return next((channel for channel in channel_ids if channel in self.index_channels), None)

    def points_out_reposts(self, *channel_ids: int) -> bool:
        """Tell whether an answer in a place says that a picture was posted there before."""
        return self.listed_for_index(*channel_ids) is not None and any(
            channel in self.repost_channels for channel in channel_ids
        )

    def meets(self, condition: kinds.Condition) -> bool:
        """Tell whether the settings that the condition names have values that it names."""
        return all(getattr(self, name) in values for name, values in condition.items())


FIELDS: Final[Mapping[str, SettingField]] = {field.name: field for field in kinds.fields_of(GuildSettings)}
"""The settings by their names, in the order in which people see them."""
PAGE_TITLES: Final[Mapping[str, str]] = {
    "where": N_("Channels"),
    "how": N_("Replies"),
    "what": N_("Answers"),
    "quotas": N_("Limits"),
}
"""The pages of the panel, each of which is also a command: `/settings where`, `/settings how`, ..."""
PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    page: tuple(name for name, field in FIELDS.items() if field.page == page) for page in PAGE_TITLES
}
"""The names of the settings on each page."""


def defaults(watch: config.settings.Watch, answers: config.settings.Answers) -> GuildSettings:
    """Return what the owner's configuration says for a server that changed nothing."""
    return GuildSettings(
        where="all" if watch.channels is None else "only",
        channels=watch.channels or (),
        top=answers.top,
        min_confidence=answers.min_confidence,
    )
