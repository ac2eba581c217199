"""What a press under an answer does. What it shows, only the presser sees."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, ClassVar, NamedTuple

import discord
from discord import ui

from bot.answering.answerer import STOPPED
from bot.answering.ledger import Ledger
from bot.answering.models import Models
from bot.buttons.answer_buttons import (
    NOT_THIS,
    OF_THE_ANSWER,
    PANEL,
    Deletion,
    button,
    heading_of,
    packed_in,
    source_in,
)
from bot.buttons.image_mark import ImageMark, OtherModel
from bot.buttons.mark_seal import MarkSeal
from bot.components import controls
from bot.delivery.channel_permissions import FAILURES
from bot.delivery.interaction_responses import InteractionResponse, defer, say
from bot.delivery.standing_answers import StandingAnswers
from bot.discord_limits import ALT_TEXT, OPTION_LABEL
from bot.i18n import N_, Language
from bot.image_source import ImageSource
from bot.policy.effective_settings import guild_settings
from bot.presentation import answer as answers
from bot.presentation.alt_text import alt_text
from bot.presentation.errors import SENTENCES
from bot.presentation.explanation_sheet import description
from bot.presentation.label_name import LabelName
from bot.presentation.plain_text import shorten
from bot.presentation.spoilers import behind_bars
from bot.presses.direct_copy import direct_copy
from bot.presses.errors import InteractionRefused, PressOutdated, Sentences
from bot.presses.picture_explaining import PictureExplaining
from bot.presses.picture_teaching import PictureTeaching
from bot.presses.press import Press, PressHandler
from bot.store import BUTTONS, Store, StoreError
from bot.store.feedback import MAX_SAID
from bot.teaching.lesson_words import LESSON_SENTENCES
from bot.teaching.teach_form import label_from, teach_form
from bot.work_in_hand import WorkInHand
from config.model_titles import title_of
from inference.charts.client import ChartFailed
from inference.results import RANKED, ModelInfo, ModelUnavailable

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]

WIDTH = 80
"""Characters of a label in what a press shows."""
ELSE = "else"
"""The option of a menu that asks for another name."""
JUDGING = frozenset({"ask", "yes", "no", "said", "else", "form"})
"""The verbs that ask whether an answer was right, or say so."""
TEACHING = frozenset({"not", "what", "name"})
"""The verbs that teach: none of the labels, a form that asks which, and that form."""

NOT_TO_DELETE = N_(
    "Only the person who posted the picture or asked about it, or a moderator, can delete this."
)
NOT_TO_JUDGE = N_(
    "Only the person who posted the picture or asked about it, or a moderator, can answer that."
)
THANKS = N_("Thank you. This shows moderators and the bot's owner how often I'm right.")
OTHER_MODEL = N_("I no longer use the model that named this picture. Show it to me again with `/classify`.")


class _Image(NamedTuple):
    """The image that was pressed about, the model that named it, and the mark as it was packed."""

    mark: ImageMark
    model: ModelInfo
    packed: str


class AnswerPresses(PressHandler):
    """Handles "More", "Was this right?", "Alt text", "Send to my DMs", "Delete", and what follows."""

    panel = PANEL
    sentences: ClassVar[Sentences] = {
        **LESSON_SENTENCES,
        OtherModel: OTHER_MODEL,
        PressOutdated: OTHER_MODEL,
        ModelUnavailable: SENTENCES[ModelUnavailable],
        StoreError: N_("I can't save that right now. Try again in a minute."),
        ChartFailed: N_("I couldn't draw that. Try again in a minute."),
    }

    def __init__(
        self,
        *,
        store: Store,
        models: Models,
        standing: StandingAnswers,
        ledger: Ledger,
        explaining: PictureExplaining,
        teaching: PictureTeaching,
        work: WorkInHand,
        images_of: Callable[[discord.Message], Sequence[ImageSource]],
    ) -> None:
        """`images_of` finds the images of a message."""
        self._explaining = explaining
        self._teaching = teaching
        self._work = work
        self._store = store
        self._models = models
        self._standing = standing
        self._ledger = ledger
        self._images_of = images_of
        self._seal = MarkSeal(store.mark_key)

    def check(self, interaction: Interaction, press: Press, language: Language) -> None:
        """Refuse to judge an image, or to delete an answer, that is somebody else's; moderators may."""
        if press.verb == "delete":
            people, refusal = self._deletion(press).people, NOT_TO_DELETE
        elif press.verb in JUDGING:
            people, refusal = self._image(interaction, press).mark.people, NOT_TO_JUDGE
        else:
            return
        theirs = interaction.user.id in (people.asker, people.author)
        if not theirs and not interaction.permissions.manage_messages:
            raise InteractionRefused(language.gettext(refusal))

    async def act(self, interaction: Interaction, press: Press, language: Language) -> None:
        """Do what was pressed. Raises `OtherModel` if the model that named the image is no longer here."""
        if press.verb == "dm":
            await self._send_directly(interaction, press, language)
            return
        if press.verb == "delete":
            await self._delete(interaction, self._deletion(press), language)
            return
        if press.verb == "described":
            await _give_alt_text(interaction, press.typed.get("text", ""), language)
            return
        image = self._image(interaction, press)
        if press.verb in TEACHING:
            await self._taught_by(interaction, press, image, language)
            return
        match press.verb:
            case "more" | "pick":
                await self._more(interaction, image, language, press=press)
            case "why":
                await self._explain(interaction, image, language)
            case "alt":
                await interaction.response.send_modal(_alt_text_form(image.mark, language))
            case "ask":
                await _ask(interaction, image, language)
            case verb if verb in JUDGING:
                await self._judge(interaction, press, image, language)
            case _:
                raise PressOutdated(press)

    def _image(self, interaction: Interaction, press: Press) -> _Image:
        packed = packed_in(press.values[0]) if press.verb == "pick" and press.values else press.what
        mark, model = ImageMark.unpack(packed, self._models.infos(), self._seal)
        mark = mark.under(interaction.message.id if interaction.message else 0)
        return _Image(mark, model, mark.pack(model, self._seal))

    def _deletion(self, press: Press) -> Deletion:
        try:
            return Deletion.unpack(press.what, self._seal)
        except ValueError as error:
            raise PressOutdated(press) from error

    async def _more(
        self, interaction: Interaction, image: _Image, language: Language, *, press: Press
    ) -> None:
        """Show the ten best guesses, and for an image from a menu also what else may be pressed."""
        mark, model, packed = image
        picked = press.verb == "pick"
        guild = await guild_settings(self._store, interaction.guild_id)
        top = RANKED if not picked or "more" in guild.buttons else guild.top
        text = answers.body(mark.finding, language, top, WIDTH, listed=True)
        taught = await self._explaining.taught_name(interaction.guild_id, mark)
        if taught:
            text = taught.above(text, mark.finding, language, WIDTH)
        text = behind_bars(text, spoiler=mark.spoiler)
        embed = discord.Embed(description=text, color=answers.color(mark.finding))
        embed.set_footer(text=shorten(title_of(model.name), 60))
        if not picked:
            why = button("why", packed, mark.people, language, self._seal)
            await interaction.response.send_message(embed=embed, view=controls.view(why), ephemeral=True)
            return
        value = press.values[0] if press.values else ""
        source = source_in(value)
        if value and interaction.message:
            embed.title = heading_of(interaction.message, value) or f"{mark.image + 1}."
        # What is about the whole answer stands under it, unless the answer is compact or shared with others.
        hidden = OF_THE_ANSWER if guild.style == "compact" else frozenset({"delete"} if source else ())
        is_taught = bool(await self._store.teaching.names(interaction.guild_id or 0))
        untaught = () if is_taught else ("teach",)
        explained = ["why"] if {"more", "why"} & set(guild.buttons) else []
        names = explained + [
            name
            for name in guild.buttons
            if name not in ("more", "why", *untaught) and (name not in OF_THE_ANSWER or name in hidden)
        ]
        names += [NOT_THIS] if mark.taught is not None else []
        buttons = (
            button(name, packed, mark.people, language, self._seal, answer=mark.answer, source=source)
            for name in names
        )
        view = controls.view(*buttons)
        await interaction.response.send_message(embed=embed, view=view, ephemeral=True)

    async def _explain(self, interaction: Interaction, image: _Image, language: Language) -> None:
        """Show where in the picture the model saw its likeliest names."""
        await self._explaining.charge(interaction, language)
        async with self._ledger.open_press(interaction):
            if await defer(interaction, private=True) is None:
                return
            png = await self._explaining.draw(interaction, image.mark, image.model, language)
            taught = await self._explaining.taught_name(interaction.guild_id, image.mark)
            text = description(image.mark.finding.labels, language, taught)
            file = discord.File(BytesIO(png), "why.png", spoiler=image.mark.spoiler, description=text)
            await interaction.edit_original_response(attachments=[file])

    async def _taught_by(
        self, interaction: Interaction, press: Press, image: _Image, language: Language
    ) -> None:
        """Ask a teacher what the picture is, or teach what they say."""
        if press.verb == "what":
            await self._ask_what(interaction, image, language)
        elif press.verb == "not":
            await self._teach(interaction, image, None, language)
        else:
            names = await self._store.teaching.names(interaction.guild_id or 0)
            await self._teach(interaction, image, label_from(press.typed, names), language)

    async def _ask_what(self, interaction: Interaction, image: _Image, language: Language) -> None:
        """Ask a teacher what the picture is, to be taught."""
        guild_id = await self._teaching.check(interaction, language)
        names = await self._store.teaching.names(guild_id)
        form = teach_form(controls.custom_id(PANEL, "name", image.packed), names, language)
        await interaction.response.send_modal(form)

    async def _teach(
        self, interaction: Interaction, image: _Image, name: str | None, language: Language
    ) -> None:
        """Teach what the picture is, or with None that it is none of the server's labels."""
        await self._teaching.check(interaction, language)
        owners = (interaction.user.id, image.mark.people.author, interaction.guild_id)
        with self._work.of(*owners):
            async with self._ledger.open_press(interaction):
                if await defer(interaction, private=True) is not None:
                    await say(
                        interaction, await self._teaching.teach(interaction, image.mark, name, language)
                    )
            return
        await say(interaction, language.gettext(STOPPED))

    async def _send_directly(self, interaction: Interaction, press: Press, language: Language) -> None:
        """Copy the whole answer, and its pictures, to the presser's direct messages."""
        async with self._ledger.open_press(interaction):
            if not await defer(interaction, private=True) or interaction.message is None:
                return
            message = interaction.message
            if press.what and isinstance(interaction.channel, discord.abc.Messageable):
                try:
                    message = await interaction.channel.fetch_message(int(press.what, 16))
                except FAILURES as failure:  # an answer for one person's eyes: then what they picked of it
                    log.debug("The answer %s could not be read to be copied: %s", press.what, failure)
            copy = await direct_copy(message, self._images_of, language)
            await InteractionResponse.to(interaction, language, private=True, by_dm=True).deliver(copy, None)

    async def _delete(self, interaction: Interaction, deletion: Deletion, language: Language) -> None:
        """Delete the answer, or what answers one message in an answer that is shared with others."""
        if not deletion.source and not deletion.answer:
            await interaction.response.defer()
            await interaction.delete_original_response()
            return
        if deletion.source:
            await self._standing.take_away_from([deletion.source])
        elif interaction.channel_id is not None:
            await self._standing.take_away(interaction.channel_id, deletion.answer)
        await interaction.response.edit_message(
            content=language.gettext("The answer is deleted."), embed=None, view=None
        )

    async def _judge(self, interaction: Interaction, press: Press, image: _Image, language: Language) -> None:
        """Keep an opinion. A "no" is kept at once; what the image shows instead may follow."""
        mark, thanks = image.mark, language.gettext(THANKS)
        response, view = interaction.response, None
        match press.verb:
            case "yes":
                await self._keep(interaction, image, right=True)
            case "no":
                await self._keep(interaction, image, right=False)
                thanks = language.gettext(N_("Thank you. What is it?"))
                view = _other_names(image, language)
                if await self._teaching.may(interaction):
                    what = controls.custom_id(PANEL, "what", image.packed)
                    view.add_item(controls.button(what, language.gettext(N_("Teach me this…"))))
            case "said" if press.values and press.values[0] != ELSE:
                names = {str(label.index): label.name for label in mark.finding.labels}
                await self._keep(interaction, image, right=False, said=names.get(press.values[0]))
            case "form":
                said = press.typed.get("said", "").strip()
                # Counted with the others who mean the same, whatever language they say it in.
                said = language.labels.name_of(said) or said
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


def _alt_text_form(mark: ImageMark, language: Language) -> ui.Modal:
    """A form with a sentence that describes the picture, to be made better by somebody who sees it."""
    text = ui.TextInput[Any](
        custom_id="text",
        style=discord.TextStyle.paragraph,
        default=alt_text(mark.finding, mark.kind, language),
        max_length=ALT_TEXT,
    )
    field = ui.Label[Any](
        text=language.gettext(N_("Description")),
        description=language.gettext(N_("For those who can't see the picture. Change what is not right.")),
        component=text,
    )
    title = BUTTONS["alt_text"]
    return controls.form(controls.custom_id(PANEL, "described"), language.gettext(title), field)


async def _give_alt_text(interaction: Interaction, text: str, language: Language) -> None:
    """Show the text to paste, in a block of code, which Discord lets people copy with one click."""
    hint = language.gettext(N_("Copy this, and paste it as the picture's description:"))
    block = "```\n" + text.strip().replace("```", "'''") + "\n```"
    await interaction.response.send_message(f"{hint}\n{block}", ephemeral=True)


async def _ask(interaction: Interaction, image: _Image, language: Language) -> None:
    """Ask whether the answer was right."""
    question = language.gettext(N_("I said **{label}**. Was that right?"))
    asked = behind_bars(
        question.format(label=LabelName(image.mark.finding.said, language, WIDTH)),
        spoiler=image.mark.spoiler,
    )
    yes = controls.button(controls.custom_id(PANEL, "yes", image.packed), language.gettext(N_("Yes")))
    no = controls.button(controls.custom_id(PANEL, "no", image.packed), language.gettext(N_("No")))
    await interaction.response.send_message(asked, view=controls.view(yes, no), ephemeral=True)


def _other_names(image: _Image, language: Language) -> ui.View:
    """Return a menu of the other guesses, or for a spoiler, which they would give away, only a button."""
    another, finding = language.gettext("Something else…"), image.mark.finding
    if image.mark.spoiler:
        return controls.view(controls.button(controls.custom_id(PANEL, "else", image.packed), another))
    names = {
        str(label.index): str(LabelName(label.name, language, OPTION_LABEL, plain=True))
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
