"""The buttons under a public answer. They outlive a restart: all they need is in the message above them."""

from bot.buttons.answer_buttons import AnswerButtons, MergedPart, buttons_for, merged_view, view_without
from bot.buttons.image_mark import People
from bot.buttons.mark_seal import MarkSeal

__all__ = ["AnswerButtons", "MarkSeal", "MergedPart", "People", "buttons_for", "merged_view", "view_without"]
