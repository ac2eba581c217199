"""The buttons under a public answer. They outlive a restart: all they need is in the message above them."""

from bot.buttons.answer_buttons import Buttons, Part, together, under, without
from bot.buttons.mark import People

__all__ = ["Buttons", "Part", "People", "together", "under", "without"]
