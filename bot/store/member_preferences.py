"""What a member can set for themself, everywhere."""

from __future__ import annotations

from typing import Literal

from bot.store.setting_fields import Locale, StoredSettings


class MemberPreferences(StoredSettings):
    """How one person wants to be treated, in every server and in direct messages."""

    language: Locale | None = None
    """None is the language of their Discord."""
    delivery: Literal["default", "private", "direct"] = "default"
    """`default`: as the server has it; `private`: only they see it, where Discord can do that; `direct`: by
    direct message."""
    leave_alone: bool = False
    """No message of theirs is classified, watched, mentioned, by menu or by reaction, by anyone."""
