"""What a press under an answer does. What it shows, only the presser sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot.buttons.mark import Mark
from bot.buttons.under import PANEL, VERBS, button, models, packed_in
from bot.delivery.interaction_responses import InteractionResponse, defer
from bot.i18n import N_, Language
from bot.panel import controls
from bot.panel.controls import Press
from bot.policy.in_force import guild_settings
from bot.presentation import answer as answers
from bot.presentation.answer import CONTENT, Answer
from bot.presentation.naming import alt_text, neutral, shorten
from bot.store.feedback import MAX_SAID
from inference.results import ModelInfo

if TYPE_CHECKING:
    from bot.client import Whatsit

    Interaction = discord.Interaction[Whatsit]

__all__ = ["Refused", "obey"]

RANKED, WIDTH = 10, 80
"""Labels that "More" shows, and characters of one."""
TITLE = 45
"""Characters of a form's title, and of a field's."""
ELSE = "else"
"""The option of a menu that asks for another name."""

NOT_YOURS = N_("This is for whoever posted the picture or asked about it.")
NOT_TO_JUDGE = N_("Only whoever posted the picture or asked about it, or a moderator, can say so.")
THANKS = N_("Thank you. That helps me to get better.")


class Refused(Exception):
    """The presser may not, or cannot; the message is a sentence for them, not yet translated."""


async def obey(interaction: Interaction, press: Press, language: Language) -> None:
    """Do what was pressed.

    Raises `Refused`, `OtherModel`, a `StoreError`, or what discord.py raises.
    """
    if press.verb == "dm":
        await _send(interaction, language)
        return
    packed = packed_in(press.values[0]) if press.verb == "pick" and press.values else press.what
    mark, model = Mark.unpack(packed, models(interaction.client))
    mark = mark.under(interaction.message.id if interaction.message else 0)
    match press.verb:
        case "more" | "pick":
            await _more(interaction, mark, model, language, picked=press.verb == "pick")
        case "alt":
            await _alt(interaction, mark, language)
        case "ask" | "yes" | "no" | "said" | "else" | "form":
            if not (_theirs(interaction, mark) or interaction.permissions.manage_messages):
                raise Refused(NOT_TO_JUDGE)
            await _judge(interaction, press, mark, model, language)


async def _send(interaction: Interaction, language: Language) -> None:
    """Copy the whole answer to the presser's direct messages."""
    if await defer(interaction, private=True) and (message := interaction.message):
        copy = Answer(_with_link(message), tuple(message.embeds))
        await InteractionResponse.to(interaction, language, private=True, by_dm=True).deliver(copy, None)


def _with_link(message: discord.Message) -> str:
    linked = f"{message.content}\n{message.jump_url}".strip()
    return linked if len(linked) <= CONTENT else message.content


async def _more(
    interaction: Interaction, mark: Mark, model: ModelInfo, language: Language, *, picked: bool
) -> None:
    """The ten best guesses, and for an image from a menu also what else may be pressed."""
    guild = await guild_settings(interaction.client.store, interaction.guild_id)
    top = RANKED if not picked or "more" in guild.buttons else guild.top
    text = _hidden(mark, answers.body(mark.finding, language, top, WIDTH, listed=True))
    embed = discord.Embed(description=text, color=answers.color(mark.finding))
    embed.set_footer(text=shorten(model.name, 60))
    if not picked:
        await interaction.response.send_message(embed=embed, ephemeral=True)
        return
    embed.title = f"{mark.image + 1}."
    names = [name for name in guild.buttons if name in VERBS and name != "more"]
    view = controls.view(*(button(name, mark.pack(model), language) for name in names))
    await interaction.response.send_message(embed=embed, view=view, ephemeral=True)


async def _alt(interaction: Interaction, mark: Mark, language: Language) -> None:
    """A sentence to paste."""
    if not _theirs(interaction, mark):
        raise Refused(NOT_YOURS)
    sentence = alt_text(mark.finding, language)
    block = _hidden(mark, neutral(sentence, 500)) if mark.spoiler else _to_copy(sentence)
    hint = language.gettext(
        "For those who can't see the picture. Check it, then paste it as its description:"
    )
    await interaction.response.send_message(f"{hint}\n{block}", ephemeral=True)


async def _judge(
    interaction: Interaction, press: Press, mark: Mark, model: ModelInfo, language: Language
) -> None:
    """Was this right? A "no" is kept at once; what it is instead may follow."""
    say, response, packed = language.gettext, interaction.response, mark.pack(model)
    match press.verb:
        case "ask":
            question = say(N_("I said **{label}**. Was that right?"))
            asked = _hidden(mark, question.format(label=neutral(mark.finding.said, WIDTH)))
            yes = controls.button(controls.custom_id(PANEL, "yes", packed), say(N_("Yes")))
            no = controls.button(controls.custom_id(PANEL, "no", packed), say(N_("No")))
            await response.send_message(asked, view=controls.view(yes, no), ephemeral=True)
        case "yes":
            await _keep(interaction, mark, model, right=True)
            await response.edit_message(content=say(THANKS), view=None)
        case "no":
            await _keep(interaction, mark, model, right=False)
            await response.edit_message(
                content=say(N_("Thank you. What is it?")), view=controls.view(_names(mark, packed, language))
            )
        case "said" if press.values and press.values[0] != ELSE:
            await _keep(interaction, mark, model, right=False, said=_named(mark, press.values[0]))
            await response.edit_message(content=say(THANKS), view=None)
        case "said" | "else":
            await response.send_modal(_form(packed, language))
        case "form":
            said = press.typed.get("said", "").strip()
            await _keep(interaction, mark, model, right=False, said=said or None)
            await response.edit_message(content=say(THANKS), view=None)


async def _keep(
    interaction: Interaction, mark: Mark, model: ModelInfo, *, right: bool, said: str | None = None
) -> None:
    await interaction.client.store.feedback.give(
        answer_id=mark.answer,
        image=mark.image,
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        model=model.name,
        label=mark.finding.said,
        right=right,
        said=said,
    )


def _names(mark: Mark, packed: str, language: Language) -> ui.Item[Any]:
    """The other guesses, and room for another name; of a spoiler, which they would give away, only that."""
    another = language.gettext("Something else…")
    if mark.spoiler:
        return controls.button(controls.custom_id(PANEL, "else", packed), another)
    names = {
        str(label.index): shorten(label.name, controls.LABEL)
        for label in mark.finding.labels
        if label.name != mark.finding.said
    }
    return controls.choose(controls.custom_id(PANEL, "said", packed), names | {ELSE: another}, [])


def _named(mark: Mark, index: str) -> str | None:
    return next((label.name for label in mark.finding.labels if str(label.index) == index), None)


def _form(packed: str, language: Language) -> ui.Modal:
    title, field = language.gettext("What is it?"), language.gettext("A word or two")
    form = ui.Modal(title=title[:TITLE], custom_id=controls.custom_id(PANEL, "form", packed), timeout=None)
    form.add_item(ui.Label(text=field[:TITLE], component=ui.TextInput(custom_id="said", max_length=MAX_SAID)))
    form.stop()
    return form


def _theirs(interaction: Interaction, mark: Mark) -> bool:
    return interaction.user.id in (mark.people.asker, mark.people.author)


def _to_copy(text: str) -> str:
    """A block of code, which Discord lets people copy with one click."""
    return "```\n" + text.replace("`", "'") + "\n```"


def _hidden(mark: Mark, text: str) -> str:
    """Behind bars, where the picture is."""
    return f"||{text}||" if mark.spoiler else text
