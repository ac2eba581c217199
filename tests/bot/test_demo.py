"""The demo's simulated Discord, as somebody at its terminal or on its page meets it."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from bot.cli.demo_transcript import show
from bot.delivery.reactions import FAILED
from bot.demo.stage import Stage, staged
from bot.store import seen
from bot.store.retention import Retention
from config.settings import Settings
from inference.results import CorruptImage
from inference.serving.client import Classifier
from tests.world import FakeClassifier, picture

AT_ONCE = 3.0
"""Seconds. Each action takes about a tenth of one; a timer that is waited for has five or more to go."""


def on_stage() -> AbstractAsyncContextManager[Stage]:
    return staged(Settings(), cast("Classifier", FakeClassifier()))


@pytest.mark.parametrize("age", [1, 5, 12, 25, 40])
async def test_nothing_waits_for_the_upkeep_of_the_store_however_old_the_last_message_is(
    age: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ages are simulated: the timers that an action starts have that much less to go."""
    monkeypatch.setattr(seen, "FLUSH_AFTER", max(seen.FLUSH_AFTER - age, 0.0))
    soon = timedelta(seconds=30 - age) if age < 30 else timedelta(minutes=15)
    monkeypatch.setattr("bot.store.store.Retention", partial(Retention, interactions=soon))
    async with on_stage() as stage:
        file = tmp_path / "cat.png"
        await asyncio.to_thread(file.write_bytes, b"cat")
        began = time.perf_counter()
        await stage.alice.send(stage.channel, attachments=[picture()])
        await stage.alice.slash(stage.channel, "classify", picture=picture())
        exchange = await stage.post_file(file)
        answer = stage.channel.last_message
        assert answer is not None
        await stage.alice.click(answer, label="More")
        assert time.perf_counter() - began < AT_ONCE
    assert "Egyptian cat" in str(exchange.answers[0].embeds[0].description)


async def test_an_answer_to_classify_shows_the_picture_as_on_discord() -> None:
    async with on_stage() as stage:
        await stage.alice.slash(stage.channel, "classify", picture=picture())
        answer = stage.channel.last_message
        assert answer is not None
        assert answer.embeds[0].thumbnail.url in stage.env.backend.cdn._blobs


async def test_a_file_that_cannot_be_named_shows_the_reaction_that_stands_for_an_answer(
    tmp_path: Path,
) -> None:
    file = tmp_path / "cut short.png"
    await asyncio.to_thread(file.write_bytes, b"cut short")
    model = FakeClassifier(otherwise=CorruptImage("cut short"))
    async with staged(Settings(), cast("Classifier", model)) as stage:
        exchange = await stage.post_file(file)
    console = Console(record=True, width=80)
    show(console, exchange.what, exchange.answers, exchange.reactions)
    assert console.export_text().splitlines()[:2] == [
        "● alice posts cut short.png in #pictures",
        f"    the bot reacts with {FAILED}",
    ]
