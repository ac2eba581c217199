"""From every version up and down again, with what is in it; also when many start at once, or one dies."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

import discord
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from bot.store import upgrading
from bot.store.database import connect
from bot.store.migrations import HEAD, VERSION_TABLE
from bot.store.tables import Base
from tests.bot.store.conftest import Clock, Place

SCRIPTS = ScriptDirectory(upgrading.__file__.replace("upgrading.py", "migrations"))
VERSIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]

SOURCE, ANSWER = (discord.utils.time_snowflake(Clock.time) + number for number in (1, 2))

# What a Whatsit of that version may have written; every version has its own line here.
WRITTEN = {
    "0001": f"""
        INSERT INTO guild_setting (guild_id, field, value) VALUES (4, 'top', '5');
        INSERT INTO open_message (message_id, channel_id, guild_id, user_id, asked, accepted_at)
            VALUES (1, 2, 4, 3, true, 1772366400000);
        INSERT INTO answer (source_id, answer_id, channel_id, guild_id, user_id)
            VALUES ({SOURCE}, {ANSWER}, 2, 4, 3)
    """,  # noqa: S608 - two numbers
    "0002": f"""
        INSERT INTO guild_setting (guild_id, field, value) VALUES (4, 'top', '5');
        INSERT INTO answer (source_id, answer_id, channel_id, guild_id, user_id, images)
            VALUES ({SOURCE}, {ANSWER}, 2, 4, 3, 9223372036854775807)
    """,  # noqa: S608 - two numbers
    "0003": f"""
        INSERT INTO guild_setting (guild_id, field, value) VALUES (4, 'top', '5');
        INSERT INTO answer (source_id, answer_id, channel_id, guild_id, user_id, images)
            VALUES ({SOURCE}, {ANSWER}, 2, 4, 3, 9223372036854775807);
        INSERT INTO feedback (answer_id, image, user_id, guild_id, model, label, "right", said, certainty)
            VALUES ({ANSWER}, 0, 3, 4, 'mobilenet_v2', 'tabby', false, 'lynx', 'probably')
    """,  # noqa: S608 - two numbers
    "0004": f"""
        INSERT INTO guild_setting (guild_id, field, value) VALUES (4, 'top', '5');
        INSERT INTO departed_guild (guild_id, left_at) VALUES (4, 1772366400000);
        INSERT INTO answer (source_id, answer_id, channel_id, guild_id, user_id, images)
            VALUES ({SOURCE}, {ANSWER}, 2, 4, 3, 9223372036854775807)
    """,  # noqa: S608 - two numbers
    "0005": f"""
        INSERT INTO guild_setting (guild_id, field, value) VALUES (4, 'top', '5');
        INSERT INTO answer (source_id, answer_id, channel_id, guild_id, user_id, images)
            VALUES ({SOURCE}, {ANSWER}, 2, 4, 3, 9223372036854775807);
        INSERT INTO daily_sum (guild_id, day, kind, name, count) VALUES (4, 20513, 'name', 'tabby', 3)
    """,  # noqa: S608 - two numbers
    "0006": f"""
        INSERT INTO guild_setting (guild_id, field, value) VALUES (4, 'top', '5');
        INSERT INTO answer (source_id, answer_id, channel_id, guild_id, user_id, images)
            VALUES ({SOURCE}, {ANSWER}, 2, 4, 3, 9223372036854775807);
        INSERT INTO taught_label (guild_id, label, name) VALUES (4, 7, 'Fluffy')
    """,  # noqa: S608 - two numbers
    "0007": f"""
        INSERT INTO guild_setting (guild_id, field, value) VALUES (4, 'top', '5');
        INSERT INTO answer (source_id, answer_id, channel_id, guild_id, user_id, images)
            VALUES ({SOURCE}, {ANSWER}, 2, 4, 3, 9223372036854775807);
        INSERT INTO backfill (channel_id, guild_id, before_id, messages, images, state, progress_channel_id,
                              progress_message_id, language)
            VALUES (2, 4, 9, 100, 3, 'running', 2, 8, 'en')
    """,  # noqa: S608 - two numbers
    "0008": f"""
        INSERT INTO guild_setting (guild_id, field, value) VALUES (4, 'top', '5');
        INSERT INTO answer (source_id, answer_id, channel_id, guild_id, user_id, images)
            VALUES ({SOURCE}, {ANSWER}, 2, 4, 3, 9223372036854775807);
        INSERT INTO quota_use (person, images_until, core_until) VALUES (1, 1772366400000, 1772366400000)
    """,  # noqa: S608 - two numbers
}


async def go(place: Place, revision: str) -> None:
    up = await version(place) is None or revision > str(await version(place))
    which = partial(command.upgrade if up else command.downgrade, revision=revision)
    await asyncio.to_thread(upgrading.change, place.location, which)


async def version(place: Place) -> str | None:
    engine = connect(place.location, pooled=False)
    async with engine.connect() as connection:
        return await connection.run_sync(upgrading.version)


async def tables(place: Place) -> set[str]:
    engine = connect(place.location, pooled=False)
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


def test_versions_are_four_digits_in_a_row_and_the_code_knows_the_last() -> None:
    assert [f"{number:04}" for number in range(1, len(VERSIONS) + 1)] == VERSIONS
    assert SCRIPTS.get_current_head() == HEAD
    assert set(WRITTEN) == set(VERSIONS)


@pytest.mark.parametrize("old", VERSIONS)
async def test_every_version_goes_up_and_down_and_keeps_what_it_holds(place: Place, old: str) -> None:
    place.data.dir.mkdir()
    await go(place, old)
    engine = connect(place.location, pooled=False)
    async with engine.begin() as connection:
        for statement in WRITTEN[old].split(";"):
            await connection.exec_driver_sql(statement)
    async with place.opened() as store:
        assert (await store.guilds.get(4)).top == 5
        assert [answer.answer_id for answer in await store.answers.to([SOURCE])] == [ANSWER]
    assert await version(place) == HEAD
    for step in [known for known in reversed(VERSIONS) if known >= old]:
        if step != HEAD:
            await go(place, step)
    assert await version(place) == old
    assert await place.rows("SELECT answer_id FROM answer") == [(ANSWER,)]
    await asyncio.to_thread(upgrading.change, place.location, partial(command.downgrade, revision="base"))
    assert await tables(place) == {VERSION_TABLE}
    async with place.opened() as store:
        assert (await store.guilds.get(4)).top == 3


async def test_the_migrations_build_what_the_tables_say(place: Place) -> None:
    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return list(compare_metadata(context, Base.metadata))

    async with place.opened():
        pass
    engine = connect(place.location, pooled=False)
    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []


async def test_an_upgrade_that_fails_leaves_everything_as_it_was(place: Place) -> None:
    place.data.dir.mkdir()

    def fail_at_the_end(alembic: Config) -> None:
        command.upgrade(alembic, HEAD)
        raise RuntimeError("the light went out")

    with pytest.raises(RuntimeError, match="the light went out"):
        await asyncio.to_thread(upgrading.change, place.location, fail_at_the_end)
    assert await tables(place) == set()
    async with place.opened() as store:
        await store.notes.set("now", "it works")


STARTERS = """
import alembic.command  # once for all of them
import asyncio, os, sys
from pathlib import Path
from bot.store import GuildSettings, Store
from config.settings import Data, StoreSettings as Settings

async def start(name: str) -> None:
    os.read(go, 1)
    url = None if sys.argv[2] == "None" else sys.argv[2]
    store = await Store.open(Settings(url=url), Data(dir=Path(sys.argv[1])), guild_defaults=GuildSettings())
    await store.notes.set(name, "was here")
    await store.close()

go, gun = os.pipe()
children = []
for number in range(6):
    children.append(os.fork())
    if children[-1] == 0:
        os.close(gun)
        asyncio.run(start(str(number)))
        os._exit(0)
os.close(gun)  # the end of the pipe lets all of them go at once
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


async def test_processes_that_start_at_once_wait_for_each_other(place: Place) -> None:
    starters = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTERS, str(place.data.dir), str(place.store.url)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await starters.communicate()
    assert (starters.returncode, errors.decode()) == (0, "")
    assert len(await place.rows("SELECT key FROM meta WHERE key <> 'mark key'")) == 6
