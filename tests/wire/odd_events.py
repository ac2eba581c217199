"""Every event the bot hears, as Discord sends it, and odd copies of each."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.wire.wire import Wire
from tests.wire.world import Payload, snowflake

__all__ = ["EVENTS", "SECRET", "event", "odd"]

SECRET = "what somebody wrote"  # noqa: S105 - what no line of the log may repeat
EVENTS = (
    "GUILD_CREATE",
    "GUILD_UPDATE",
    "GUILD_DELETE",
    "GUILD_ROLE_CREATE",
    "GUILD_ROLE_UPDATE",
    "GUILD_ROLE_DELETE",
    "CHANNEL_CREATE",
    "CHANNEL_UPDATE",
    "CHANNEL_DELETE",
    "CHANNEL_PINS_UPDATE",
    "THREAD_CREATE",
    "THREAD_UPDATE",
    "THREAD_DELETE",
    "THREAD_LIST_SYNC",
    "THREAD_MEMBERS_UPDATE",
    "MESSAGE_CREATE",
    "MESSAGE_UPDATE",
    "MESSAGE_DELETE",
    "MESSAGE_DELETE_BULK",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "MESSAGE_REACTION_REMOVE_ALL",
    "MESSAGE_REACTION_REMOVE_EMOJI",
    "INTERACTION_CREATE",
)
OTHERS: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 0.5, 2**70, "", "x", SECRET, [], {}, [None], [{}], ["x"], {"id": None}, {"x": []}]
)


def event(wire: Wire, kind: str) -> Payload:
    """What Discord sends with an event of this kind.

    What concerns a server as a whole is told of another server than the one where pictures are posted.
    """
    guild_id, channel_id = wire.world.guild_id, wire.world.general
    place: Payload = {"guild_id": guild_id, "channel_id": channel_id}
    channel = {**wire.world.channels[channel_id], "id": snowflake(), "name": "new"}
    thread = {
        **channel,
        "type": 11,
        "parent_id": channel_id,
        "owner_id": wire.world.person["id"],
        "message_count": 0,
        "member_count": 1,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 60,
            "archive_timestamp": "2024-01-01T00:00:00+00:00",
            "locked": False,
        },
    }
    member = {key: value for key, value in wire.world.member(wire.world.person).items() if key != "user"}
    message = {
        **wire.world.add_message(channel_id, wire.world.person, content=SECRET),
        "guild_id": guild_id,
        "member": member,
        "attachments": [wire.attachment(channel_id, "cat.png", b"\x89PNG and so on")],
        "message_reference": {**place, "message_id": snowflake(), "type": 0},
        "referenced_message": None,
        "sticker_items": [{"id": snowflake(), "name": "wave", "format_type": 1}],
        "reactions": [{"emoji": {"id": None, "name": "x"}, "count": 1, "me": False}],
        "mentions": [wire.world.bot],
    }
    del wire.world.messages[channel_id][message["id"]]  # an odd one must not be found there, either
    reaction = {
        **place,
        "user_id": wire.world.person["id"],
        "message_id": message["id"],
        "emoji": {"id": None, "name": "x"},
        "member": wire.world.member(wire.world.person),
        "burst": False,
        "type": 0,
    }
    role = {**wire.world.role, "id": snowflake(), "name": "new"}
    other = wire.world.other_guild()
    if kind == "INTERACTION_CREATE":
        return wire.interaction("classify", ("cat.png", b"\x89PNG and so on")).payload
    payloads: dict[str, Payload] = {
        "GUILD_CREATE": other,
        "GUILD_UPDATE": other,
        "GUILD_DELETE": {"id": other["id"], "unavailable": True},
        "GUILD_ROLE_CREATE": {"guild_id": guild_id, "role": role},
        "GUILD_ROLE_UPDATE": {"guild_id": guild_id, "role": role},
        "GUILD_ROLE_DELETE": {"guild_id": guild_id, "role_id": role["id"]},
        "CHANNEL_PINS_UPDATE": {**place, "last_pin_timestamp": "2024-01-01T00:00:00+00:00"},
        "THREAD_LIST_SYNC": {"guild_id": guild_id, "threads": [thread], "members": []},
        "THREAD_MEMBERS_UPDATE": {"guild_id": guild_id, "id": thread["id"], "member_count": 1},
        "MESSAGE_DELETE": {**place, "id": message["id"]},
        "MESSAGE_DELETE_BULK": {**place, "ids": [message["id"], snowflake()]},
        "MESSAGE_REACTION_REMOVE_EMOJI": reaction,
        "MESSAGE_REACTION_REMOVE_ALL": {**place, "message_id": message["id"]},
    }
    by_family = {"CHANNEL": channel, "THREAD": thread, "MESSAGE_REACTION": reaction, "MESSAGE": message}
    family = next((name for name in ("MESSAGE_REACTION", "CHANNEL", "THREAD") if kind.startswith(name)), "")
    return copy.deepcopy(payloads.get(kind) or by_family[family or "MESSAGE"])


@st.composite
def odd(draw: st.DrawFn, payload: Payload) -> Any:
    """Draw a copy in which something is missing, null or of a wrong type, at any depth."""
    data = copy.deepcopy(payload)
    if draw(st.integers(0, 19)) == 0:
        return draw(OTHERS)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(data))
        if not places:
            break
        inside, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["drop", "null", "object", "other"])):
            case "drop":
                del inside[key]
            case "null":
                inside[key] = None
            case "object":  # roles, as some servers send them
                inside[key] = {"id": copy.deepcopy(inside[key])}
            case _:
                inside[key] = copy.deepcopy(draw(OTHERS))
    return json.loads(json.dumps(data))


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each (container, key) in `data`, at any depth."""
    keys = list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in keys:
        yield data, key
        yield from _places(data[key])
