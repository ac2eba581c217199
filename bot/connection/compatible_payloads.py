"""Translate between discord.py and a Discord-compatible server, which is like Discord but not quite.

Measured with Spacebar, whose schemas allow no field that they do not name.
"""

from __future__ import annotations

from typing import Any

NEVER_NULL = ("guild_id",)
"""Discord leaves these out instead; discord.py takes null for an id."""
MEMBERS = ("member", "members")


def sendable(body: Any) -> Any:
    """Return the body of a request without the fields that only say what is the default."""
    if not isinstance(body, dict) or not body.get("embeds"):
        return body
    embeds = [
        {key: value for key, value in embed.items() if (key, value) != ("flags", 0)}
        for embed in body["embeds"]
    ]
    return {**body, "embeds": embeds}


def received(data: Any) -> Any:
    """Return an event or the body of a response as discord.py can parse it; `data` itself is changed."""
    if isinstance(data, list):
        for item in data:
            received(item)
    elif isinstance(data, dict):
        _mend(data)
        for value in data.values():
            received(value)
    return data


def _mend(data: dict[str, Any]) -> None:
    """Mend one object, known by the fields that it has."""
    is_message = "author" in data and "channel_id" in data
    for key in [key for key, value in data.items() if value is None]:
        # Of a message nothing is null but what it replied to, if that was deleted.
        if key in NEVER_NULL or (is_message and key != "referenced_message"):
            del data[key]
    if is_message:
        data.setdefault("content", "")
    if "permission_overwrites" in data and data.get("position") is None:  # a channel
        data["position"] = 0
    if "emoji" in data and "count" in data and data.get("me") is None:  # the reactions of a message
        data["me"] = False
    for key in MEMBERS:
        for member in data[key] if isinstance(data.get(key), list) else [data.get(key)]:
            if isinstance(member, dict) and isinstance(member.get("roles"), list):
                member["roles"] = [role["id"] if isinstance(role, dict) else role for role in member["roles"]]
