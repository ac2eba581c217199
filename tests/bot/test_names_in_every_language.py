"""A person reads what things are called in their language; what is kept is the English name."""

from __future__ import annotations

import json
import re

import pytest

from bot.i18n import LOCALES, languages
from tests.bot.moderation import moderator, said
from tests.bot.pressing import now, options, private
from tests.world import World, classified, picture

LANGUAGES = [file.stem for file in LOCALES.glob("*.po")]
RANKED = (("tabby", 0.4), ("tiger cat", 0.35), ("lynx", 0.1), ("quill", 0.05), ("mousetrap", 0.04))
CATS = classified(*RANKED, coarse={"cat": 0.92})
ENGLISH = re.compile(rf"(?i)\b(?:cat|{'|'.join(name for name, _ in RANKED)})\b")


@pytest.mark.whatsit(limits={"user_burst": 100})
@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_english_name_is_left_in_what_is_sent(world: World, language: str) -> None:
    speech, mod = languages.of(language), moderator(world)
    say = speech.gettext
    world.classifier.otherwise = CATS
    for member in (world.alice.id, mod.id):
        await world.bot.store.members.update(member, {"language": language})
    await world.bot.store.guilds.update(world.guild.id, {"language": language})
    before = len(world.env.http_requests)

    def files(number: int) -> list[tuple[str, bytes]]:
        return [picture(f"{each}.png", bytes([each])) for each in range(number)]

    await world.alice.send(world.channel, attachments=files(1))
    answer = world.answers()[-1]
    await world.alice.click(answer, label=say("More"))
    form = await world.alice.click(answer, label=say("Alt text"))
    await world.alice.submit_modal(form, {"text": "…"})
    question = private(await world.alice.click(answer, label=say("Was this right?")))
    await world.alice.click(question, label=say("No"))
    form = await world.alice.select(now(world, question), ["else"])
    await world.alice.submit_modal(form, {"said": speech.labels.form("lynx").upper()})
    (opinion,) = await world.bot.store.feedback.on(answer.id)
    assert (opinion.label, opinion.said) == ("cat", "lynx")
    assert speech.labels.form("lynx") in said(await mod.slash(world.channel, "settings feedback"))

    for style in ("bars", "compact"):
        await world.bot.store.guilds.update(world.guild.id, {"style": style})
        for probability in (0.95, 0.8, 0.5, 0.1):
            world.classifier.otherwise = classified(("tabby", probability), *RANKED[1:3])
            await world.alice.send(world.channel, attachments=files(1))
        await world.alice.send(world.channel, attachments=files(10))
        menu = world.answers()[-1]
        await world.alice.select(menu, [next(iter(options(menu).values()))])
    await mod.slash(world.channel, "stats")
    await world.alice.slash(world.channel, "classify", picture=picture(), top=10)

    sent = [request.json for request in world.env.http_requests[before:] if request.json]
    texts = json.dumps(sent, ensure_ascii=False)
    assert speech.labels.form("tabby") in texts
    assert ENGLISH.findall(texts) == []
