"""Decide what a member's "leave my pictures alone" stops."""

from __future__ import annotations

from bot.store import MemberPreferences


def is_left_alone(author: MemberPreferences) -> bool:
    """Return whether no message of this person is looked at: not unasked, and not if somebody asks about it.

    It does not stop what they hand to `/classify`: that is no message, and the command is their consent.
    """
    return author.leave_alone
