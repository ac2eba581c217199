"""What people do with buttons, menus and forms: one press, who handles it, and what they hear if it fails."""

from bot.presses.errors import InteractionRefused, PressOutdated, Sentences, explain
from bot.presses.press import CUSTOM_ID, Press, PressHandler

__all__ = [
    "CUSTOM_ID",
    "InteractionRefused",
    "Press",
    "PressHandler",
    "PressOutdated",
    "Sentences",
    "explain",
]
