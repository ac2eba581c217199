"""`whatsit feedback`: how often people said that an answer was right, and what it was instead."""

from __future__ import annotations

import argparse
import asyncio
import json

from bot.cli import FAILED, OK, USAGE
from bot.cli.settings import complain, settings_for
from bot.cli.terminal import safe
from bot.presentation.naming import Certainty
from bot.store import GuildSettings, Store, StoreError
from bot.store.feedback import FeedbackSummary, OpinionCount
from config.settings import ConfigError, Settings


def main(args: argparse.Namespace) -> int:
    """Print the summary; return 0, 1 if the store cannot be read, 2 for an unusable configuration."""
    try:
        summary = asyncio.run(_summary(settings_for(args)))
    except ConfigError as error:
        complain(error)
        return USAGE
    except StoreError as error:
        complain(error)
        return FAILED
    if args.json:
        print(json.dumps({"all": _numbers(summary.total), **_by(summary)}))
        return OK
    print(f"All answers that were judged: {_rate(summary.total)}")
    for certainty in reversed(Certainty):
        if count := summary.certainties.get(certainty.name.lower()):
            print(f"Said as {certainty.name.lower().replace('_', ' ')}: {_rate(count)}")
    for label, count in summary.labels.items():
        instead = ", ".join(f"{safe(name)} ({times})" for name, times in count.instead.most_common())
        print(f"{safe(label)}: {_rate(count)}{f'; it was {instead}' if instead else ''}")
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


def _rate(count: OpinionCount) -> str:
    return f"{count.right} of {count.all} right"
