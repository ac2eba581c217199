"""How a Discord-compatible server differs from Discord, as measured with Spacebar.

It refuses a body with a field that its schema does not name, it sends null for, or leaves out, what Discord
always sends, it takes no commands, and what is answered to an interaction goes nowhere.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from aiohttp import web

from tests.wire.world import Payload

__all__ = ["event", "refusal", "response"]

MESSAGE = frozenset(
    {
        *("content", "nonce", "enforce_nonce", "tts", "flags", "embeds", "allowed_mentions"),
        *("message_reference", "components", "sticker_ids", "attachments", "payload_json"),
    }
)
EMBED = frozenset(
    {
        *("title", "type", "description", "url", "timestamp", "color", "footer", "image"),
        *("thumbnail", "video", "provider", "author", "fields"),
    }
)
COMPONENT = frozenset(
    {
        *("type", "custom_id", "style", "label", "emoji", "url", "disabled", "components", "options"),
        *("placeholder", "min_values", "max_values"),
    }
)
COMMAND = frozenset({"name", "description", "type", "options", "default_member_permissions", "nsfw"})
MESSAGES = r"/channels/\d+/messages(/\d+)?"
EXTRA = "must NOT have additional properties"


def refusal(method: str, path: str, body: Any) -> str | None:
    """Return what is wrong with the body of a request; None for nothing."""
    return next(_faults(method, path, body), None)


def response(method: str, path: str, answer: web.Response) -> None:
    """Change an answer of Discord's to that of such a server; Express names a charset with JSON."""
    if path.endswith("/callback"):
        answer.body, answer.content_type = b"", "text/plain"
        answer.set_status(204)
    elif answer.content_type == "application/json":
        assert isinstance(answer.body, bytes)
        data = json.loads(answer.body)
        if path == "/users/@me/guilds" and answer.status == 200:
            for guild in data:
                del guild["permissions"]
        elif re.fullmatch(MESSAGES, path) and answer.status == 200:
            for message in data if isinstance(data, list) else [data]:
                _message(message)
        answer.body = json.dumps(data).encode()
        answer.charset = "utf-8"


def event(kind: str, data: Payload) -> Payload:
    """Return an event of Discord's as such a server sends it."""
    data = copy.deepcopy(data)
    if kind in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}:
        _message(data)
        data.setdefault("guild_id", None)
    if kind == "MESSAGE_UPDATE" and "member" in data:
        data["member"]["roles"] = [{"id": data["guild_id"], "name": "@everyone"}]
    if kind == "CHANNEL_CREATE":
        del data["position"]
    return data


def _message(message: Payload) -> None:
    message["thread"] = None
    if message.get("referenced_message", ...) is None:
        del message["referenced_message"]
    for reaction in message.get("reactions", ()):
        reaction.pop("me", None)


def _faults(method: str, path: str, body: Any) -> Iterator[str]:
    if method in {"POST", "PATCH"} and re.fullmatch(MESSAGES, path):
        if not MESSAGE.issuperset(body):
            yield EXTRA
        for number, embed in enumerate(body.get("embeds") or ()):
            if not EMBED.issuperset(embed):
                yield f"In embeds/{number}: {EXTRA}"
        yield from _component_faults("components", body.get("components") or ())
    elif path.endswith("/commands") and method == "PUT":
        for number, command in enumerate(body):
            if not COMMAND.issuperset(command):
                yield f"In {number}: {EXTRA}"


def _component_faults(place: str, components: Sequence[Payload]) -> Iterator[str]:
    for number, component in enumerate(components):
        inside = f"{place}/{number}"
        if not COMPONENT.issuperset(component):
            yield f"In {inside}: {EXTRA}"
        yield from _component_faults(f"{inside}/components", component.get("components") or ())
