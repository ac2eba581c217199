"""Put the bot together: every service gets just what it uses, and every cog its services."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import discord

from bot.answering.answerer import Answerer
from bot.answering.classifying import ImageClassifying
from bot.answering.image_fetching import ImageFetching
from bot.answering.image_indexing import ImageIndexing
from bot.answering.ledger import Ledger
from bot.answering.message_memory import MessageMemory
from bot.answering.models import Models
from bot.answering.retraction import Retraction
from bot.answering.server_knowledge import knowledge_of
from bot.answering.tally import Tally
from bot.answering.taught_naming import TaughtNaming
from bot.buttons import MarkSeal
from bot.client import Whatsit
from bot.cogs.about import AboutCog
from bot.cogs.catch_up import CatchUpCog
from bot.cogs.classify import ClassifyCog
from bot.cogs.edits import EditsCog
from bot.cogs.erasing import ErasingCog
from bot.cogs.find import FindCog
from bot.cogs.guild_settings import GuildSettingsCog
from bot.cogs.hello import HelloCog
from bot.cogs.help import HelpCog
from bot.cogs.index import IndexCog
from bot.cogs.labels import LabelsCog
from bot.cogs.member_preferences import MemberPreferencesCog
from bot.cogs.messages import MessagesCog
from bot.cogs.offers import OffersCog
from bot.cogs.other_processes import OtherProcessesCog
from bot.cogs.permission_changes import PermissionChangesCog
from bot.cogs.presses import PressesCog
from bot.cogs.privacy import PrivacyCog
from bot.cogs.statistics import StatisticsCog
from bot.cogs.teach import TeachCog
from bot.connection.server import Server
from bot.connection.shards import Shards
from bot.delivery.reactions import Reactions
from bot.delivery.standing_answers import StandingAnswers
from bot.download.downloader import Fetcher
from bot.intake.channel_past import ChannelPast
from bot.intake.message_intake import MessageIntake
from bot.intake.message_requests import MessageRequests
from bot.intake.read_positions import ReadPositions
from bot.policy.audience import Audience
from bot.policy.erasure import Erasure
from bot.policy.quota import Quota
from bot.policy.shared_quota import SharedQuota
from bot.presses.answer_picture import AnswerPictureLookup
from bot.presses.answer_presses import AnswerPresses
from bot.presses.found_pages import FoundPages
from bot.presses.picture_explaining import PictureExplaining
from bot.presses.picture_finding import PictureFinding
from bot.presses.picture_teaching import PictureTeaching
from bot.presses.teach_presses import TeachPresses
from bot.settings_ui.guild_panel_presses import GuildPanelPresses
from bot.settings_ui.hello import HelloPresses
from bot.settings_ui.index_backfill import IndexBackfill
from bot.settings_ui.label_panel import LabelPanelPresses
from bot.settings_ui.member_panel import MemberPanelPresses
from bot.settings_ui.privacy_export import PrivacyExport
from bot.settings_ui.privacy_panel import PrivacyPanelPresses
from bot.settings_ui.setting_words import SettingWords
from bot.settings_ui.settings_import import SettingsImport
from bot.store import Store
from bot.store.store_guard import StoreGuard
from bot.teaching.teacher import Teacher
from bot.tracing.observer import Observer
from bot.tracing.request_tracing import RequestTracing
from config.settings import Settings
from inference.charts.client import ChartPainter
from inference.knowledge.client import Knowledge
from inference.knowledge.image_search import ImageSearch
from inference.serving.client import Classifier


def compose(
    settings: Settings,
    classifier: Classifier,
    fetcher: Fetcher,
    store: Store,
    *,
    intents: discord.Intents | None = None,
    server: Server | None = None,
    another_model: Callable[[Settings], Classifier] | None = None,
    observer: Observer | None = None,
    knowledge: Knowledge | None = None,
    shards: Shards | None = None,
) -> Whatsit:
    """Return the bot, not connected yet. Whoever makes `classifier`, `fetcher` and `store` closes them.

    `intents`: None asks for what the application's flags allow; intents that are given are used as they are.
    `server` is a Discord-compatible server instead of Discord. `another_model` makes a classifier, not
    started yet, for a model that a server chose; without it all have the owner's. `observer` is told what
    happens to requests. `knowledge` knows what servers taught; None is what reads it from the store. `shards`
    makes it one shard's.
    """
    models = Models(settings, classifier, another_model)
    bot = Whatsit(settings, classifier, store, models, intents=intents, server=server, shards=shards)
    work, watch, http_watch = bot.work_in_hand, settings.watch, bot.http_watch

    guard = StoreGuard()
    memory = MessageMemory()
    reactions = Reactions()
    standing = StandingAnswers(bot, store, guard)
    knowledge = knowledge or knowledge_of(settings, store, models)
    store.teaching.on_change = knowledge.forget
    bot.close_too.append(knowledge.close)
    search = ImageSearch(knowledge, index=store.images.all_of, these=store.images.these)
    indexing = ImageIndexing(store, search)
    store.changes.on_gap(knowledge.forget_all)
    store.changes.on_gap(search.forget_all)
    retraction = Retraction(memory, standing, indexing)
    ledger = Ledger(store, guard, work)
    positions = ReadPositions(store, work)
    quota = Quota(settings.limits)
    fetching = ImageFetching(models, fetcher, settings.limits)
    answerer = Answerer(
        settings=settings,
        models=models,
        quota=quota,
        classifying=ImageClassifying(fetching),
        taught=TaughtNaming(store, knowledge, models),
        ledger=ledger,
        memory=memory,
        standing=standing,
        retraction=retraction,
        tally=Tally(store.sums),
        indexing=indexing,
        seal=MarkSeal(store.mark_key),
        work=work,
        tracing=RequestTracing(observer),
        buttons=bot.has_interactions,
    )

    audience = Audience(bot, watch)
    requests = MessageRequests(
        client=bot,
        settings=settings,
        store=store,
        audience=audience,
        reactions=reactions,
        watch=http_watch,
    )
    intake = MessageIntake(
        requests=requests,
        answerer=answerer,
        audience=audience,
        memory=memory,
        positions=positions,
        work=work,
    )

    offers = OffersCog(
        client=bot,
        store=store,
        requests=requests,
        intake=intake,
        answerer=answerer,
        reactions=reactions,
        work=work,
    )
    edits = EditsCog(
        watch=watch,
        audience=audience,
        requests=requests,
        intake=intake,
        answerer=answerer,
        memory=memory,
        standing=standing,
        retraction=retraction,
    )
    export = PrivacyExport(store, ledger)
    words = partial(SettingWords, config=settings, models=models)
    imports = SettingsImport(store.guilds, fetcher)
    painter = ChartPainter(nice=settings.worker.nice)
    lookup = AnswerPictureLookup(requests.images_of)
    teacher = Teacher(store=store, models=models, fetching=fetching, quota=quota, knowledge=knowledge)
    picture_teaching = PictureTeaching(store=store, teacher=teacher, lookup=lookup, limits=settings.limits)
    explaining = PictureExplaining(
        store=store,
        fetching=fetching,
        quota=quota,
        painter=painter,
        lookup=lookup,
        knowledge=knowledge,
        limits=settings.limits,
    )
    finding = PictureFinding(
        client=bot,
        store=store,
        models=models,
        fetching=fetching,
        quota=quota,
        search=search,
        indexing=indexing,
        images_of=requests.images_of,
        limits=settings.limits,
    )
    pages = FoundPages(finding)
    past = ChannelPast(
        store=store,
        models=models,
        fetching=fetching,
        indexing=indexing,
        audience=audience,
        images_of=requests.images_of,
        limits=settings.limits,
    )
    backfill = IndexBackfill(client=bot, store=store, past=past, work=work)
    erasure = Erasure(
        store, work, (bot, models, http_watch.channels, requests, positions, offers, finding, past, backfill)
    )
    handlers = (
        AnswerPresses(
            store=store,
            models=models,
            standing=standing,
            ledger=ledger,
            explaining=explaining,
            teaching=picture_teaching,
            work=work,
            images_of=requests.images_of,
        ),
        GuildPanelPresses(guilds=store.guilds, words=words, imports=imports),
        MemberPanelPresses(store),
        PrivacyPanelPresses(store, erasure, export),
        HelloPresses(store.guilds, words),
        LabelPanelPresses(store, teacher),
        TeachPresses(
            store=store,
            teacher=teacher,
            teaching=picture_teaching,
            ledger=ledger,
            work=work,
            images_of=requests.images_of,
            limits=settings.limits,
        ),
        pages,
        backfill,
    )
    bot.cogs_to_add = [
        MessagesCog(intake),
        edits,
        offers,
        ClassifyCog(tree=bot.tree, settings=settings, store=store, answerer=answerer, work=work),
        CatchUpCog(
            client=bot,
            seconds=watch.catch_up,
            clock=http_watch.clock,
            store=store,
            ledger=ledger,
            positions=positions,
            requests=requests,
            intake=intake,
            offers=offers,
            edits=edits,
            answerer=answerer,
            standing=standing,
            retraction=retraction,
            work=work,
        ),
        PressesCog(client=bot, store=store, work=work, handlers=handlers),
        GuildSettingsCog(store=store, words=words, imports=imports, ledger=ledger),
        MemberPreferencesCog(store),
        PrivacyCog(store, export),
        ErasingCog(bot, store, erasure, settings.privacy),
        PermissionChangesCog(http_watch.channels),
        HelpCog(store),
        AboutCog(store, models, settings.discord.source_url),
        IndexCog(store, backfill),
        FindCog(tree=bot.tree, store=store, finding=finding, pages=pages, ledger=ledger, work=work),
        StatisticsCog(store=store, painter=painter, ledger=ledger, work=work),
        TeachCog(
            tree=bot.tree,
            store=store,
            teacher=teacher,
            ledger=ledger,
            work=work,
            images_of=requests.images_of,
            limits=settings.limits,
        ),
        LabelsCog(
            store=store,
            teacher=teacher,
            knowledge=knowledge,
            painter=painter,
            fetcher=fetcher,
            ledger=ledger,
            work=work,
        ),
    ]
    if store.changes.is_shared:
        bot.cogs_to_add.append(
            OtherProcessesCog(
                client=bot,
                store=store,
                erasure=erasure,
                quota=SharedQuota(quota, store.quota_uses),
                condemned=classifier.share_condemned(store.shared_key),
            )
        )
    if bot.has_interactions:  # a hello is a choice between buttons
        bot.cogs_to_add.append(HelloCog(bot, store))
    return bot
