"""What servers teach: labels with examples, within limits, and changed so that each change can be undone."""

from __future__ import annotations

import pytest

from bot.store import Store
from bot.store.taught_results import (
    MOST_EXAMPLES,
    MOST_LABELS,
    AlreadyTaught,
    NameTaken,
    NewExample,
    NoSuchLabel,
    NothingToUndo,
    TooManyExamples,
    TooManyLabels,
)
from bot.store.teaching_changes import MOST_CHANGES
from tests.bot.store.conftest import Place

GUILD, ELSEWHERE, ALICE, BOB, CHANNEL = 4, 5, 31, 32, 21
KIND, OTHER_KIND = "model-f32-1.1", "model-int8-1.1"


def example(number: int, user_id: int = ALICE, channel_id: int | None = CHANNEL) -> NewExample:
    return NewExample(number.to_bytes(4), user_id, channel_id, 1000 + number)


async def taught(store: Store, guild_id: int = GUILD, kind: str = KIND) -> dict[str, list[int]]:
    """The examples of each label, by the numbers that `example` was given."""
    names = await store.teaching.names(guild_id)
    found: dict[str, list[int]] = {name: [] for name in names.values()}
    for row in await store.teaching.examples(guild_id, kind):
        found.setdefault("" if row.label is None else names[row.label], []).append(
            int.from_bytes(row.fingerprint)
        )
    return found


async def teach(store: Store, name: str | None, *numbers: int, kind: str = KIND) -> int | None:
    examples = [example(number) for number in numbers]
    return (await store.teaching.teach(GUILD, name, kind, examples)).label


async def test_a_label_is_there_again_after_a_restart(place: Place) -> None:
    async with place.opened() as store:
        first = await store.teaching.teach(GUILD, "Fluffy", KIND, [example(1), example(2)])
        assert (first.added, first.total, first.known) == (2, 2, 0)
        second = await store.teaching.teach(GUILD, "fluffy", KIND, [example(2), example(3)])
        assert (second.label, second.added, second.total, second.known) == (first.label, 1, 3, 1)
        await teach(store, None, 9)
    async with place.opened() as store:
        assert await taught(store) == {"Fluffy": [1, 2, 3], "": [9]}
        assert await taught(store, ELSEWHERE) == {}
        counts = await store.teaching.counts(GUILD)
        assert [(each.name, each.kinds) for each in counts] == [("Fluffy", {KIND: 3}), ("", {KIND: 1})]
        (newest, *_) = await store.teaching.examples_of(GUILD, first.label)
        assert (newest.user_id, newest.channel_id, newest.message_id) == (ALICE, CHANNEL, 1003)


async def test_fingerprints_of_two_models_do_not_mix(store: Store) -> None:
    await teach(store, "Fluffy", 1)
    await teach(store, "Fluffy", 1, 2, kind=OTHER_KIND)
    assert await taught(store) == {"Fluffy": [1]}
    assert await taught(store, kind=OTHER_KIND) == {"Fluffy": [1, 2]}
    assert (await store.teaching.counts(GUILD))[0].kinds == {KIND: 1, OTHER_KIND: 2}


async def test_a_picture_is_taught_once(store: Store) -> None:
    await teach(store, "Fluffy", 1)
    with pytest.raises(AlreadyTaught) as refused:
        await teach(store, "Bello", 1)
    assert refused.value.name == "Fluffy"
    assert await taught(store) == {"Fluffy": [1]}


async def test_what_is_too_much_is_refused_and_nothing_is_taught(store: Store) -> None:
    await teach(store, "Fluffy", *range(MOST_EXAMPLES - 1))
    with pytest.raises(TooManyExamples):
        await teach(store, "Fluffy", 1001, 1002)
    await teach(store, "Fluffy", 1001)
    for number in range(MOST_LABELS - 1):
        await teach(store, f"label {number}", 2000 + number)
    with pytest.raises(TooManyLabels):
        await teach(store, "one more", 3000)
    await teach(store, None, 3000)
    assert len((await taught(store))["Fluffy"]) == MOST_EXAMPLES


async def test_every_change_can_be_undone(store: Store) -> None:
    teaching = store.teaching
    fluffy = await teach(store, "Fluffy", 1, 2)
    bello = await teach(store, "Bello", 3)
    assert fluffy
    assert bello
    stages = [await taught(store)]
    await teach(store, "Bello", 4)
    stages.append(await taught(store))
    await teaching.rename(GUILD, bello, "Hasso")
    stages.append(await taught(store))
    await teaching.merge(GUILD, fluffy, bello)
    assert await taught(store) == {"Hasso": [1, 2, 3, 4]}
    stages.append(await taught(store))
    (newest, *_) = await teaching.examples_of(GUILD, bello)
    await teaching.remove_examples(GUILD, [newest.example])
    stages.append(await taught(store))
    await teaching.remove_label(GUILD, bello)
    assert await taught(store) == {}
    stages.append({})
    assert await teaching.load(GUILD, KIND, {"Fluffy": [b"a", b"b", b"a"], "Bello": [b"c"]}, [b"d"]) == 4
    assert {name: len(found) for name, found in (await taught(store)).items()} == {
        "Fluffy": 2, "Bello": 1, "": 1,
    }  # fmt: skip
    undone = []
    for stage in reversed(stages):
        undone.append((await teaching.undo(GUILD)).what)
        assert await taught(store) == stage
    assert undone == ["import", "remove", "remove", "merge", "rename", "teach"]
    await teaching.undo(GUILD)
    await teaching.undo(GUILD)
    assert await taught(store) == {}
    with pytest.raises(NothingToUndo):
        await teaching.undo(GUILD)


async def test_only_the_last_changes_can_be_undone_and_what_older_ones_removed_is_gone(place: Place) -> None:
    async with place.opened() as store:
        label = await teach(store, "Fluffy", 1)
        assert label
        await store.teaching.remove_label(GUILD, label)
        for number in range(MOST_CHANGES):
            await teach(store, "Bello", 100 + number)
        for _ in range(MOST_CHANGES):
            await store.teaching.undo(GUILD)
        with pytest.raises(NothingToUndo):
            await store.teaching.undo(GUILD)
        assert await place.rows("SELECT name FROM taught_label") == []
        assert await place.rows("SELECT example FROM taught_example") == []


async def test_a_change_that_is_old_is_forgotten_with_what_it_removed(place: Place) -> None:
    async with place.opened() as store:
        label = await teach(store, "Fluffy", 1)
        await teach(store, "Bello", 2)
        assert label
        await store.teaching.remove_label(GUILD, label)
        place.clock.advance(days=29)
        assert await store.purge() == 0
        place.clock.advance(days=2)
        assert await store.purge() == 5
        assert await place.rows("SELECT name FROM taught_label") == [("Bello",)]
        assert await taught(store) == {"Bello": [2]}


async def test_a_name_belongs_to_one_label(store: Store) -> None:
    fluffy, bello = await teach(store, "Fluffy", 1), await teach(store, "Bello", 2)
    assert fluffy
    assert bello
    with pytest.raises(NameTaken):
        await store.teaching.rename(GUILD, fluffy, "BELLO")
    await store.teaching.rename(GUILD, fluffy, "FLUFFY")
    assert await store.teaching.find(GUILD, "fluffy") == fluffy
    assert set((await store.teaching.names(GUILD)).values()) == {"FLUFFY", "Bello"}


async def test_what_is_not_there_cannot_be_changed(store: Store) -> None:
    label = await teach(store, "Fluffy", 1)
    assert label
    for change in (
        store.teaching.rename(GUILD, label + 1, "Bello"),
        store.teaching.rename(ELSEWHERE, label, "Bello"),
        store.teaching.merge(GUILD, label, label),
        store.teaching.remove_label(GUILD, label + 1),
        store.teaching.remove_examples(ELSEWHERE, [1]),
    ):
        with pytest.raises(NoSuchLabel):
            await change
    assert await taught(store) == {"Fluffy": [1]}


async def test_a_person_s_pictures_are_taken_out_also_those_that_an_undo_could_bring_back(
    place: Place,
) -> None:
    async with place.opened() as store:
        changed: list[int] = []
        store.teaching.on_change = changed.append
        examples = [example(1), example(2, BOB), example(3)]
        await store.teaching.teach(GUILD, "Fluffy", KIND, examples)
        await store.teaching.remove_examples(GUILD, [3])
        changed.clear()
        await store.erase_user(ALICE)
        assert changed == [GUILD]
        assert await taught(store) == {"Fluffy": [2]}
        await store.teaching.undo(GUILD)
        assert await taught(store) == {"Fluffy": [2]}


async def test_a_server_that_is_gone_leaves_nothing_in_memory_either(store: Store) -> None:
    await teach(store, "Fluffy", 1)
    await store.teaching.names(GUILD)
    await store.erase_guild(GUILD)
    assert not store.teaching._names
    assert await taught(store) == {}


async def test_a_channel_that_is_gone_leaves_the_examples_without_a_link(place: Place) -> None:
    async with place.opened() as store:
        await store.teaching.teach(GUILD, "Fluffy", KIND, [example(1), example(2, channel_id=CHANNEL + 1)])
        await store.erase_channel(GUILD, CHANNEL)
        assert await taught(store) == {"Fluffy": [1, 2]}
        links = await place.rows("SELECT channel_id, message_id FROM taught_example ORDER BY example")
        assert links == [(None, None), (CHANNEL + 1, 1002)]
