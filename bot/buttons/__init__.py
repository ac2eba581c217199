"""The buttons under a public answer. They outlive a restart: all they need is in the message above them."""

from bot.buttons.mark import People
from bot.buttons.under import Buttons, Part, models, together, under, without

__all__ = ["Buttons", "Part", "People", "models", "together", "under", "without"]
