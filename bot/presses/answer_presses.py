"""What a press under an answer does. What it shows, only the presser sees."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import discord
from discord import ui

from bot.answering.models import Models
from bot.buttons.answer_buttons import PANEL, VERBS, button, packed_in
from bot.buttons.image_mark import ImageMark, OtherModel
from bot.components import controls
from bot.delivery.interaction_responses import InteractionResponse, defer
from bot.discord_limits import MESSAGE_CONTENT, OPTION_LABEL
from bot.i18n import N_, Language
from bot.policy.effective_settings import guild_settings
from bot.presentation import answer as answers
from bot.presentation.answer import Answer
from bot.presentation.errors import SENTENCES
from bot.presentation.naming import alt_text, neutral, shorten
from bot.presentation.spoilers import behind_bars
from bot.presses.errors import InteractionRefused, PressOutdated, Sentences
from bot.presses.press import Press, PressHandler
from bot.store import Store, StoreError
from bot.store.feedback import MAX_SAID
from inference.results import RANKED, ModelInfo, ModelUnavailable

__all__ = ["AnswerPresses"]

Interaction = discord.Interaction[Any]

WIDTH = 80
"""Characters of a label in what a press shows."""
ELSE = "else"
"""The option of a menu that asks for another name."""
JUDGING = frozenset({"ask", "yes", "no", "said", "else", "form"})
"""The verbs that ask whether an answer was right, or say so."""

NOT_YOURS = N_("This is for whoever posted the picture or asked about it.")
NOT_TO_JUDGE = N_("Only whoever posted the picture or asked about it, or a moderator, can say so.")
THANKS = N_("Thank you. This shows moderators and the bot's owner how often I'm right.")
OTHER_MODEL = N_("I no longer use the model that named this picture. Ask me again with `/classify`.")


class _Image(NamedTuple):
    """The image that was pressed about, the model that named it, and the mark as it was packed."""

    mark: ImageMark
    model: ModelInfo
    packed: str


class AnswerPresses(PressHandler):
    """Handles "More", "Was this right?", "Alt text", "Send to my DMs", and what follows from them."""

    panel = PANEL
    sentences: ClassVar[Sentences] = {
        OtherModel: OTHER_MODEL,
        PressOutdated: OTHER_MODEL,
        ModelUnavailable: SENTENCES[ModelUnavailable],
        StoreError: N_("I can't write that down right now. Try again in a minute."),
    }

    def __init__(self, store: Store, models: Models) -> None:
        self._store = store
        self._models = models

    def check(self, interaction: Interaction, press: Press, language: Language) -> None:
        """Refuse to judge, or to describe, an image that is somebody else's; moderators may judge all."""
        if press.verb not in JUDGING | {"alt"}:
            return
        people = self._image(interaction, press).mark.people
        theirs = interaction.user.id in (people.asker, people.author)
        if press.verb == "alt" and not theirs:
            raise InteractionRefused(language.gettext(NOT_YOURS))
        if not theirs and not interaction.permissions.manage_messages:
            raise InteractionRefused(language.gettext(NOT_TO_JUDGE))

    async def act(self, interaction: Interaction, press: Press, language: Language) -> None:
        """Do what was pressed. Raises `OtherModel` if the model that named the image is no longer here."""
        if press.verb == "dm":
            await _send_directly(interaction, language)
            return
        image = self._image(interaction, press)
        match press.verb:
            case "more" | "pick":
                await self._more(interaction, image, language, picked=press.verb == "pick")
            case "alt":
                await _describe(interaction, image.mark, language)
            case "ask":
                await _ask(interaction, image, language)
            case verb if verb in JUDGING:
                await self._judge(interaction, press, image, language)
            case _:
                raise PressOutdated(press)

    def _image(self, interaction: Interaction, press: Press) -> _Image:
        packed = packed_in(press.values[0]) if press.verb == "pick" and press.values else press.what
        mark, model = ImageMark.unpack(packed, self._models.infos())
        mark = mark.under(interaction.message.id if interaction.message else 0)
        return _Image(mark, model, mark.pack(model))

    async def _more(
        self, interaction: Interaction, image: _Image, language: Language, *, picked: bool
    ) -> None:
        """Show the ten best guesses, and for an image from a menu also what else may be pressed."""
        mark, model, packed = image
        guild = await guild_settings(self._store, interaction.guild_id)
        top = RANKED if not picked or "more" in guild.buttons else guild.top
        text = behind_bars(
            answers.body(mark.finding, language, top, WIDTH, listed=True), spoiler=mark.spoiler
        )
        embed = discord.Embed(description=text, color=answers.color(mark.finding))
        embed.set_footer(text=shorten(model.name, 60))
        if not picked:
            await interaction.response.send_message(embed=embed, ephemeral=True)
            return
        embed.title = f"{mark.image + 1}."
        names = [name for name in guild.buttons if name in VERBS and name != "more"]
        view = controls.view(*(button(name, packed, language) for name in names))
        await interaction.response.send_message(embed=embed, view=view, ephemeral=True)

    async def _judge(self, interaction: Interaction, press: Press, image: _Image, language: Language) -> None:
        """Keep an opinion. A "no" is kept at once; what the image shows instead may follow."""
        mark, thanks = image.mark, language.gettext(THANKS)
        response, view = interaction.response, None
        match press.verb:
            case "yes":
                await self._keep(interaction, image, right=True)
            case "no":
                await self._keep(interaction, image, right=False)
                thanks, view = language.gettext(N_("Thank you. What is it?")), _other_names(image, language)
            case "said" if press.values and press.values[0] != ELSE:
                names = {str(label.index): label.name for label in mark.finding.labels}
                await self._keep(interaction, image, right=False, said=names.get(press.values[0]))
            case "form":
                said = press.typed.get("said", "").strip()
                await self._keep(interaction, image, right=False, said=said or None)
            case _:
                await response.send_modal(_form(image.packed, language))
                return
        await response.edit_message(content=thanks, view=view)

    async def _keep(
        self, interaction: Interaction, image: _Image, *, right: bool, said: str | None = None
    ) -> None:
        await self._store.feedback.give(
            answer_id=image.mark.answer,
            image=image.mark.image,
            user_id=interaction.user.id,
            guild_id=interaction.guild_id,
            model=image.model.name,
            label=image.mark.finding.said,
            certainty=image.mark.finding.certainty.name.lower(),
            right=right,
            said=said,
        )


async def _send_directly(interaction: Interaction, language: Language) -> None:
    """Copy the whole answer to the presser's direct messages, with a link where there is room."""
    if await defer(interaction, private=True) and (message := interaction.message):
        linked = f"{message.content}\n{message.jump_url}".strip()
        note = linked if len(linked) <= MESSAGE_CONTENT else message.content
        copy = Answer(note, tuple(message.embeds))
        await InteractionResponse.to(interaction, language, private=True, by_dm=True).deliver(copy, None)


async def _describe(interaction: Interaction, mark: ImageMark, language: Language) -> None:
    """Show a sentence to paste, in a block of code, which Discord lets people copy with one click."""
    sentence = alt_text(mark.finding, language)
    block = "```\n" + sentence.replace("`", "'") + "\n```"
    hint = language.gettext(
        "For those who can't see the picture. Check it, then paste it as its description:"
    )
    shown = behind_bars(neutral(sentence, 500), spoiler=True) if mark.spoiler else block
    await interaction.response.send_message(f"{hint}\n{shown}", ephemeral=True)


async def _ask(interaction: Interaction, image: _Image, language: Language) -> None:
    """Ask whether the answer was right."""
    question = language.gettext(N_("I said **{label}**. Was that right?"))
    asked = behind_bars(
        question.format(label=neutral(image.mark.finding.said, WIDTH)), spoiler=image.mark.spoiler
    )
    yes = controls.button(controls.custom_id(PANEL, "yes", image.packed), language.gettext(N_("Yes")))
    no = controls.button(controls.custom_id(PANEL, "no", image.packed), language.gettext(N_("No")))
    await interaction.response.send_message(asked, view=controls.view(yes, no), ephemeral=True)


def _other_names(image: _Image, language: Language) -> ui.View:
    """The other guesses, and room for another name; of a spoiler, which they would give away, only that."""
    another, finding = language.gettext("Something else…"), image.mark.finding
    if image.mark.spoiler:
        return controls.view(controls.button(controls.custom_id(PANEL, "else", image.packed), another))
    names = {
        str(label.index): shorten(label.name, OPTION_LABEL)
        for label in finding.labels
        if label.name != finding.said
    }
    return controls.view(
        controls.select(controls.custom_id(PANEL, "said", image.packed), names | {ELSE: another})
    )


def _form(packed: str, language: Language) -> ui.Modal:
    title, field = language.gettext("What is it?"), language.gettext("A word or two")
    text = ui.TextInput[Any](custom_id="said", max_length=MAX_SAID)
    return controls.form(
        controls.custom_id(PANEL, "form", packed), title, ui.Label(text=field, component=text)
    )
