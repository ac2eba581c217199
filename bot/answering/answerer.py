"""Answer a request, from "may it be answered?" to striking it out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

import discord

from bot.answering.classifying import ImageClassifying
from bot.answering.image_indexing import ImageIndexing
from bot.answering.ledger import Ledger
from bot.answering.message_memory import MessageMemory
from bot.answering.models import Models
from bot.answering.request import InteractionOrigin, MessageOrigin, Request
from bot.answering.retraction import Retraction
from bot.answering.tally import Tally
from bot.answering.taught_naming import TaughtNaming
from bot.buttons import AnswerButtons, MarkSeal, People, buttons_for
from bot.delivery.destination import Fate
from bot.delivery.reactions import FAILED, OVER_QUOTA
from bot.delivery.standing_answers import StandingAnswers
from bot.i18n import N_
from bot.image_source import fingerprint
from bot.policy.audience import role_ids
from bot.policy.quota import Grant, Quota
from bot.presentation.answer import Answer, Outcome, Writer
from bot.presentation.errors import LASTING
from bot.store import GuildSettings, StoredAnswer
from bot.tracing.request_tracing import RequestTrace, RequestTracing
from bot.work_in_hand import WorkInHand
from config.settings import Settings
from inference.results import NotAnImage, UnsupportedFormat

STOPPED = N_("I stopped: whoever this belongs to has just had me forget everything about them.")


class Answerer:
    """The one way from a request to its answer, whatever event it came from."""

    def __init__(
        self,
        *,
        settings: Settings,
        models: Models,
        quota: Quota,
        classifying: ImageClassifying,
        taught: TaughtNaming,
        ledger: Ledger,
        memory: MessageMemory,
        standing: StandingAnswers,
        retraction: Retraction,
        tally: Tally,
        indexing: ImageIndexing,
        seal: MarkSeal,
        work: WorkInHand,
        tracing: RequestTracing,
        buttons: bool,
    ) -> None:
        """`buttons`: whether there may be any under answers; `seal` signs what they hold."""
        self._tracing = tracing
        self._seal = seal
        self._settings = settings
        self._models = models
        self._quota = quota
        self._classifying = classifying
        self._taught = taught
        self._ledger = ledger
        self._memory = memory
        self._standing = standing
        self._retraction = retraction
        self._tally = tally
        self._indexing = indexing
        self._work = work
        self._has_buttons = buttons

    async def answer(self, request: Request) -> bool:
        """Answer a request; return False if it is not answered and still may be.

        It ends when everything about the asker, the author of the images or the server is erased meanwhile.
        Raises a `StoreError`, and what discord.py raises when Discord cannot be asked for somebody's roles.
        """
        with self._work.of(*request.owners), self._traced(request) as trace:
            return await self._answer(request, trace)
        if isinstance(request.origin, InteractionOrigin):  # its deferred response waits
            await request.destination.refuse(request.language.gettext(STOPPED), "")
        return True

    async def _answer(self, request: Request, trace: RequestTrace) -> bool:
        if not await request.destination.admits():
            trace.turned_away("not_admitted", self._wanted(request))
            return False
        if not await self._claim(request):
            return True
        grant = await self._grant(request, trace)
        if not grant.images:
            self._release(request)
            await self._refuse(request, grant, trace)
            return False
        if request.sentence:
            return await self._deliver(request, Answer.line(request.sentence), None, trace)
        async with self._ledger.open(request, grant, trace):
            outcomes = await self._outcomes(request, grant, trace)
            if request.unasked and outcomes and not any(outcome.is_named for outcome in outcomes):
                await self._fail_quietly(request, outcomes)
                return False
            return not outcomes or await self._deliver(
                request, *await self._words(request, grant, outcomes, trace), trace, outcomes
            )

    async def revise(self, request: Request, standing: StoredAnswer) -> bool:
        """Answer a request in the place of an answer that stands; return False if the quota is used up."""
        with self._work.of(*request.owners), self._traced(request) as trace:
            return await self._revise(request, standing, trace)
        return True

    async def _revise(self, request: Request, standing: StoredAnswer, trace: RequestTrace) -> bool:
        grant = await self._grant(request, trace)
        if not grant.images:
            await request.destination.refuse(grant.line(request.language), OVER_QUOTA)
            return False
        async with self._ledger.open(request, grant, trace):
            outcomes = await self._outcomes(request, grant, trace)
            if request.unasked and outcomes and not any(outcome.is_named for outcome in outcomes):
                if _is_lasting(outcomes):  # what the answer names is no longer in the message
                    self._release(request)
                    await self._standing.take_away_from(request.source_ids)
                await request.destination.refuse("", FAILED)
            elif outcomes:
                words = await self._words(request, grant, outcomes, trace)
                await self._replace(request, standing, words, trace)
                await self._indexing.add(request, outcomes)
        return True

    async def _replace(
        self,
        request: Request,
        standing: StoredAnswer,
        words: tuple[Answer, AnswerButtons | None],
        trace: RequestTrace,
    ) -> None:
        """Put the new answer where the old one stands, or, where that is gone, send it as any other."""
        answer, buttons = words
        with trace.stage("send"):
            replaced = await self._standing.replace(
                standing,
                request.origin.identity,
                answer,
                buttons.view() if buttons else None,
                embeds=request.destination.takes_embeds,
                images=fingerprint(request.images),
                resumed=request.granted is not None,
            )
        if replaced:
            trace.delivered(Fate.SENT.outcome)
        else:
            await self._deliver(request, answer, buttons, trace)

    async def report(self, request: Request, sentence: str) -> None:
        """Say a sentence that is not an answer, such as that something failed; nobody is charged for it."""
        await self._deliver(request, Answer.line(request.language.gettext(sentence)), None, RequestTrace())

    def _traced(self, request: Request) -> AbstractContextManager[RequestTrace]:
        return self._tracing.request(request.way, request.origin.identity, request.asked_at)

    def _wanted(self, request: Request) -> int:
        """Return of how many images an answer would be."""
        return min(len(request.images), self._settings.limits.images_per_answer)

    async def _claim(self, request: Request) -> bool:
        """Take the message up, unless it has an answer; return whether the request is to be answered."""
        origin = request.origin
        if not isinstance(origin, MessageOrigin) or request.leaves_offer:
            return True
        if not self._memory.claim(origin.message_id):
            return False
        if self._memory.is_whole(origin.message_id):  # else it may have been answered without our knowing
            return True
        known = await self._standing.to([origin.message_id])
        # Those who clicked for themselves alone have their answers elsewhere.
        return not any(not origin.clicked or row.channel_id == origin.channel_id for row in known)

    def _release(self, request: Request) -> None:
        if isinstance(request.origin, MessageOrigin):
            self._memory.release(request.origin.message_id)

    async def _grant(self, request: Request, trace: RequestTrace) -> Grant:
        """Charge the asker; a sentence counts like an image, or the bot could be made to talk without end."""
        if request.granted is not None:
            return request.granted
        images = self._wanted(request) or 1
        if images <= request.paid:
            return Grant(images)
        grant = await self._charge(
            request.asker, images - request.paid, request.guild_id, request.guild, request.in_force.guild
        )
        grant = replace(grant, images=grant.images + request.paid)
        trace.turned_away("over_quota", self._wanted(request) - grant.images)
        return grant

    async def charge_look(self, member: discord.Member, settings: GuildSettings) -> bool:
        """Charge a member for a message that is looked up; return False if the quota is used up."""
        grant = await self._charge(member, 1, member.guild.id, member.guild, settings)
        return bool(grant.images)

    async def _charge(
        self,
        asker: discord.abc.Snowflake,
        images: int,
        guild_id: int | None,
        guild: discord.Guild | None,
        settings: GuildSettings,
    ) -> Grant:
        if guild_id is not None and settings.unlimited_roles:
            roles = await role_ids(guild, asker)
            if not roles.isdisjoint(settings.unlimited_roles):
                return self._quota.take_unlimited(asker.id, images, guild_id=guild_id)
        return self._quota.take(asker.id, images, guild_id=guild_id, settings=settings)

    async def _refuse(self, request: Request, grant: Grant, trace: RequestTrace) -> None:
        """Say that the images are too many: in words where only the asker reads them."""
        line = grant.line(request.language)
        if isinstance(request.origin, MessageOrigin) and request.guild_id is None:
            await self._deliver(request, Answer.line(line), None, trace)
        else:
            await request.destination.refuse(line, OVER_QUOTA)

    async def _fail_quietly(self, request: Request, outcomes: Sequence[Outcome]) -> None:
        """Show by a reaction alone that nothing could be named: nobody asked, so nobody wants words.

        Where a later look may succeed, it is the reaction that somebody may click.
        """
        self._release(request)
        reaction = FAILED if _is_lasting(outcomes) else request.in_force.guild.emoji
        await request.destination.refuse("", reaction)

    async def _outcomes(self, request: Request, grant: Grant, trace: RequestTrace) -> list[Outcome]:
        """Fetch and classify what is granted; empty where nobody waits, or where no file is an image."""
        async with request.destination.waiting() as promise:
            if promise is None:
                return []
            await self._ledger.promised(request, promise)
            is_taught = await self._taught.has_labels(request.guild_id)
            with self._retraction.cancels_with(request.source_ids):
                outcomes = await self._classifying.classify(
                    request.images[: grant.images],
                    group=request.group,
                    model=request.in_force.guild.model,
                    on_cost=partial(self._quota.charge, request.asker.id, request.guild_id),
                    features="indexed" if self._indexing.place_of(request) else "query" if is_taught else "",
                    trace=trace,
                )
                if is_taught and request.guild_id is not None:
                    outcomes = await self._taught.named(request.guild_id, outcomes)
        return [outcome for outcome in outcomes if not (request.unasked and _was_no_image(outcome))]

    async def _words(
        self, request: Request, grant: Grant, outcomes: Sequence[Outcome], trace: RequestTrace
    ) -> tuple[Answer, AnswerButtons | None]:
        """Put the outcomes into words, with the buttons under them."""
        seen_before = await self._indexing.seen_before(request, outcomes)
        is_taught = await self._taught.has_labels(request.guild_id)
        notice = ""
        if is_taught and request.guild_id is not None and not request.destination.private:
            notice = await self._taught.notice(request.guild_id, outcomes, request.language)
        with trace.stage("words"):
            return self._written(
                request, grant, outcomes, "\n".join(filter(None, (seen_before, notice))), is_taught=is_taught
            )

    def _written(
        self,
        request: Request,
        grant: Grant,
        outcomes: Sequence[Outcome],
        notes: str,
        *,
        is_taught: bool,
    ) -> tuple[Answer, AnswerButtons | None]:
        guild, language, destination = request.in_force.guild, request.language, request.destination
        writer = Writer(
            self._settings,
            language,
            top=request.top,
            apart=destination.stands_apart,
            quiet=request.unasked,
            guild=guild,
        )
        answer = writer.write(
            outcomes,
            notes,
            writer.left_out(request.found),
            grant.line(language),
            destination.source_link,
        )
        if not self._has_buttons:
            return answer, None
        buttons = buttons_for(
            outcomes,
            People(request.asker.id, request.author_id),
            language,
            guild=guild,
            models=self._models.infos(),
            seal=self._seal,
            pointless=destination.pointless_buttons,
            is_taught=is_taught,
        )
        return answer, buttons

    async def _deliver(
        self,
        request: Request,
        answer: Answer,
        buttons: AnswerButtons | None,
        trace: RequestTrace,
        outcomes: Sequence[Outcome] = (),
    ) -> bool:
        """Send the answer, unless its message is deleted or it is late; return whether it was sent.

        `outcomes` are those that are counted then, if the server wants that.
        """
        if self._memory.is_deleted(request.source_ids) or not await request.destination.admits():
            return False
        with trace.stage("send"):
            delivered = await request.destination.deliver(answer, buttons)
        trace.delivered(delivered.fate.outcome)
        match delivered.fate:
            case Fate.SENT if delivered.message is not None:
                await self._ledger.answered(request, delivered.message)
                if self._memory.is_deleted(request.source_ids):  # deleted while the answer was on its way
                    await self._standing.take_away_from(request.source_ids)
            case Fate.OFFERED:
                self._release(request)
            case Fate.POSTPONED:
                self._release(request)
                self._ledger.leave_open(request)
        if delivered.fate is Fate.SENT:
            self._tally.count(request, outcomes)
            await self._indexing.add(request, outcomes)
            if self._memory.is_deleted(request.source_ids):  # deleted while it was put there
                await self._indexing.forget_messages(request.source_ids)
        return delivered.fate is Fate.SENT


def _was_no_image(outcome: Outcome) -> bool:
    """Return whether a file of unknown kind turned out to be no image: then nobody asked for anything."""
    return not outcome.source.certain and isinstance(outcome.result, NotAnImage | UnsupportedFormat)


def _is_lasting(outcomes: Sequence[Outcome]) -> bool:
    """Return whether none of the images could be named, and none can be later."""
    return all(isinstance(outcome.result, LASTING) for outcome in outcomes)
