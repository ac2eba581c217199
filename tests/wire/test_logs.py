"""The log of a real bot, as its owner's programs read it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import psutil

from tests.inference.fakes import Deed, deed, picture
from tests.wire.bots import process
from tests.wire.metrics import FAKE_MODEL
from tests.wire.wire import Wire


async def test_in_json_every_line_is_an_object_and_each_image_has_one(wire: Wire, tmp_path: Path) -> None:
    async with process(wire, tmp_path, {"WHATSIT_LOG__FORMAT": "json"}, load_from=FAKE_MODEL) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        (worker,) = psutil.Process(bot.pid).children()
        await wire.post(("a.png", picture(1)), ("b.png", b"no picture"), ("c.png", deed(Deed.PRINT)))
        await wire.world.until(wire.world.answers)
        bot.tell(signal.SIGTERM)
        _, _, err = await bot.end()
    lines = [json.loads(line) for line in err.splitlines()]
    assert {"event", "level", "logger", "timestamp"} <= set.intersection(*map(set, lines))
    images = [line for line in lines if line["event"] == "image"]
    assert sorted(image["outcome"] for image in images) == ["named", "named", "not_an_image"]
    assert len({image["id"] for image in images}) == 3
    for image in images:
        assert {"way", "queue_ms", "download_ms", "wait_ms", "words_ms", "send_ms", "total_ms"} <= set(image)
        assert ("decode_ms" in image) == (image["outcome"] == "named")
    (chatter,) = [line for line in lines if "chatter" in line["event"]]
    assert chatter["pid"] == worker.pid
    assert any(line["logger"] == "discord.gateway" for line in lines)


async def test_in_text_nothing_is_coloured_where_there_is_no_terminal(wire: Wire, tmp_path: Path) -> None:
    async with process(wire, tmp_path, {"WHATSIT_LOG__LEVEL": "warning"}, load_from=FAKE_MODEL) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        await wire.post(("a.png", deed(Deed.CRASH)))
        await wire.world.until(wire.world.reactions.__len__)
        bot.tell(signal.SIGTERM)
        _, _, err = await bot.end()
    assert "[warning  ] Replacing the worker" in err
    assert "The worker says: Fatal Python error: Aborted" in err
    assert "[info" not in err
    assert "\x1b" not in err
