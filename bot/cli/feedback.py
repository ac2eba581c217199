"""`whatsit feedback`: how often people said that an answer was right, and what it was instead."""

from __future__ import annotations

import argparse
import asyncio
import json

from bot.cli import FAILED, OK
from bot.cli.language import language_for
from bot.cli.settings import complain, settings_for
from bot.cli.terminal import safe
from bot.i18n import N_
from bot.presentation.feedback_lines import certainty_lines, name_lines, rate
from bot.store import GuildSettings, Store, StoreError
from bot.store.feedback import FeedbackSummary, OpinionCount
from config.settings import Settings


def main(args: argparse.Namespace) -> int:
    """Print the summary; return 0, or 1 if the store cannot be read. Raises `ConfigError`."""
    try:
        language = language_for(args)
        summary = asyncio.run(_summary(settings_for(args)))
    except StoreError as error:
        complain(error)
        return FAILED
    if args.json:
        print(json.dumps({"all": _numbers(summary.total), **_by(summary)}))
        return OK
    print(rate(summary.total, language, N_("All answers that were judged: {right} of {all} right")))
    for line in (
        *certainty_lines(summary, language),
        *name_lines(summary, language, others=None, plain=True),
    ):
        print(safe(line))
    return OK


async def _summary(settings: Settings) -> FeedbackSummary:
    store = await Store.open(settings.store, settings.data, guild_defaults=GuildSettings())
    try:
        return await store.feedback.summary()
    finally:
        await store.close()


def _by(summary: FeedbackSummary) -> dict[str, dict[str, object]]:
    return {
        "certainties": {name: _numbers(count) for name, count in summary.certainties.items()},
        "labels": {
            name: _numbers(count) | {"instead": dict(count.instead.most_common())}
            for name, count in summary.labels.items()
        },
    }


def _numbers(count: OpinionCount) -> dict[str, object]:
    return {"right": count.right, "wrong": count.wrong}
