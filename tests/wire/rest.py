"""The stub's REST API: the routes the bot uses, the failures a test plans, and a record of every request."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.wire import strict
from tests.wire.gateway import Gateway
from tests.wire.world import (
    ANY,
    THREAD,
    Fault,
    Interaction,
    Payload,
    Request,
    World,
    json_response,
    snowflake,
)

__all__ = ["PREFIX", "Rest"]

PREFIX = "/api/v10"
EPHEMERAL = 64
LOADING = 128
DEFERRED = (5, 6)
WITH_MESSAGE = (4, 5)

Handler = Callable[["Rest", "Call"], Awaitable[web.Response]]


class Call:
    """One request as a route sees it: the parts of its path, its query and its body."""

    def __init__(
        self, parts: dict[str, str], query: dict[str, str], body: Any, files: list[tuple[str, bytes]]
    ):
        self.parts, self.query, self.body, self.files = parts, query, body or {}, files

    def __getitem__(self, part: str) -> str:
        return self.parts[part]


_routes: list[tuple[str, re.Pattern[str], Handler]] = []


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Serve `path`, whose `{names}` are the parts of the call."""

    def register(handler: Handler) -> Handler:
        _routes.append((method, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)), handler))
        return handler

    return register


class Rest:
    """Answers requests from `world`, changes it, and tells `gateway`."""

    def __init__(self, world: World, gateway: Gateway, *, is_strict: bool = False) -> None:
        self.world = world
        self.is_strict = is_strict
        self.gateway = gateway
        self.gateway_url = ""
        self.files_url: str | None = ""
        """What the server says of its file host; None if it is not one that says such things."""

    async def serve(self, request: web.Request) -> web.Response:
        """The endpoint of every request under the prefix."""
        path = request.path.removeprefix(PREFIX)
        body, files = await _content(request)
        fault = self._fault(request.method, path)
        if fault is not None and not fault.applied:
            response = fault.response()
        else:
            response = await self._answer(request, path, body, files)
            if fault is not None:
                response = fault.response()
        if self.is_strict:
            strict.response(request.method, path, response)
        self.world.requests.append(
            Request(
                request.method,
                path,
                dict(request.query),
                body,
                files,
                request.headers.get("Authorization"),
                time.monotonic(),
                response.status,
            )
        )
        self.world.changed()
        return response

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.world.faults:
            if fault.times and fault.method == method and fault.path.fullmatch(path):
                fault.times -= 1
                return fault
        for pace in self.world.paces:
            if pace.method in (method, ANY) and pace.path.fullmatch(path) and (refusal := pace.refusal()):
                return refusal
        return None

    async def _answer(
        self, request: web.Request, path: str, body: Any, files: list[tuple[str, bytes]]
    ) -> web.Response:
        reason = strict.refusal(request.method, path, body) if self.is_strict else None
        if reason is not None:
            return _error(400, 50035, f"Invalid Form Body: {reason}")
        public = path.startswith(("/interactions/", "/webhooks/", "/policies/"))
        if not public and request.headers.get("Authorization") != f"Bot {self.world.token}":
            return _error(400 if self.is_strict else 401, 0, "401: Unauthorized")
        if any(
            interaction.expired and token in path for token, interaction in self.world.interactions.items()
        ):
            return _error(401, 50027, "Invalid Webhook Token")
        for method, pattern, handler in _routes:
            match = pattern.fullmatch(path)
            if match is not None and method == request.method:
                return await handler(self, Call(match.groupdict(), dict(request.query), body, files))
        self.world.unknown.append(f"{request.method} {path}")
        return _error(404, 0, "404: Not Found")

    async def post(self, channel_id: str, call: Call, **parts: Any) -> Payload:
        """A message of the bot's, as POST makes it, and the event that tells of it."""
        body: Payload = call.body
        reference = body.get("message_reference")
        if reference is not None:
            parts["message_reference"] = {key: str(value) for key, value in reference.items()}
            parts["referenced_message"] = self.world.messages[channel_id].get(str(reference["message_id"]))
        known = ("content", "embeds", "components", "flags", "nonce")
        message = self.world.add_message(
            channel_id, self.world.bot, **{key: body[key] for key in known if body.get(key)}, **parts
        )
        message["attachments"] = _uploaded(call)
        if not message["flags"] & EPHEMERAL:
            channel = self.world.channels[channel_id]
            place = {"guild_id": channel["guild_id"]} if "guild_id" in channel else {}
            await self.gateway.emit("MESSAGE_CREATE", message | place)
        return message


@route("GET", "/users/@me")
async def me(rest: Rest, _call: Call) -> web.Response:
    return json_response(rest.world.bot)


@route("GET", "(/oauth2)?/applications/@me")
async def application(rest: Rest, _call: Call) -> web.Response:
    world = rest.world
    about = {
        "id": world.application_id,
        "name": "Whatsit",
        "icon": None,
        "description": "",
        "summary": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "owner": world.person,
        "flags": world.flags,
        "team": None,
        "bot": world.bot,
    }
    return json_response(about)


@route("GET", "/gateway(/bot)?")
async def where_is_the_gateway(rest: Rest, _call: Call) -> web.Response:
    gateway = rest.gateway
    about = {"url": rest.gateway_url, "shards": gateway.shards}
    return json_response(about | {"session_start_limit": gateway.limit.as_told()})


@route("GET", "/policies/instance/domains")
async def domains(rest: Rest, _call: Call) -> web.Response:
    if rest.files_url is None:
        return _error(404, 0, "404: Not Found")
    return json_response({"cdn": rest.files_url, "gateway": rest.gateway_url, "defaultApiVersion": 10})


@route("PUT", "/applications/{application}/commands")
async def put_commands(rest: Rest, call: Call) -> web.Response:
    rest.world.commands = [
        {"description": "", "default_member_permissions": None, "dm_permission": True}
        | command
        | {"id": snowflake(), "application_id": call["application"], "version": "1"}
        for command in call.body
    ]
    return json_response(rest.world.commands)


@route("GET", "/applications/{application}/commands")
async def get_commands(rest: Rest, _call: Call) -> web.Response:
    return json_response(rest.world.commands)


@route("GET", "/users/@me/guilds")
async def my_guilds(rest: Rest, _call: Call) -> web.Response:
    about = {"id": rest.world.guild_id, "name": "Wire", "permissions": rest.world.role["permissions"]}
    return json_response([about | {"icon": None, "owner": False, "features": []}])


@route("GET", "/guilds/{guild}/threads/active")
async def active_threads(rest: Rest, _call: Call) -> web.Response:
    threads = [channel for channel in rest.world.channels.values() if channel["type"] == THREAD]
    return json_response({"threads": threads, "members": [], "has_more": False})


@route("GET", "/channels/{channel}")
async def get_channel(rest: Rest, call: Call) -> web.Response:
    channel = rest.world.channels.get(call["channel"])
    return _error(404, 10003, "Unknown Channel") if channel is None else json_response(channel)


@route("POST", "/users/@me/channels")
async def open_dm(rest: Rest, call: Call) -> web.Response:
    user = rest.world.person | {"id": str(call.body["recipient_id"])}
    return json_response(rest.world.channels[rest.world.dm(user)])


@route("GET", "/channels/{channel}/messages")
async def history(rest: Rest, call: Call) -> web.Response:
    messages = [m for m in rest.world.messages[call["channel"]].values() if not m["flags"] & EPHEMERAL]
    messages.sort(key=lambda message: int(message["id"]))
    limit = int(call.query.get("limit", 50))
    if "after" in call.query:
        messages = [m for m in messages if int(m["id"]) > int(call.query["after"])][:limit]
    elif "before" in call.query:
        messages = [m for m in messages if int(m["id"]) < int(call.query["before"])]
    return json_response([_as_it_stands(rest, message) for message in messages[-limit:][::-1]])


@route("GET", "/channels/{channel}/messages/{message}")
async def get_message(rest: Rest, call: Call) -> web.Response:
    message = rest.world.messages[call["channel"]].get(call["message"])
    if message is None:
        return _error(404, 10008, "Unknown Message")
    return json_response(_as_it_stands(rest, message))


@route("POST", "/channels/{channel}/messages")
async def post_message(rest: Rest, call: Call) -> web.Response:
    channel, body = call["channel"], call.body
    nonce = str(body.get("nonce", ""))
    reference = body.get("message_reference")
    if body.get("enforce_nonce") and (channel, nonce) in rest.world.nonces:
        return json_response(rest.world.messages[channel][rest.world.nonces[channel, nonce]])
    if reference and str(reference["message_id"]) not in rest.world.messages[channel]:
        return _error(400, 50035, "Invalid Form Body: Unknown message")
    message = await rest.post(channel, call)
    if nonce:
        rest.world.nonces[channel, nonce] = message["id"]
    return json_response(message)


@route("PATCH", "/channels/{channel}/messages/{message}")
async def edit_message(rest: Rest, call: Call) -> web.Response:
    message = rest.world.messages[call["channel"]].get(call["message"])
    if message is None:
        return _error(404, 10008, "Unknown Message")
    message.update({key: value for key, value in call.body.items() if key in message})
    return json_response(message)


@route("DELETE", "/channels/{channel}/messages/{message}")
async def delete_message(rest: Rest, call: Call) -> web.Response:
    if rest.world.messages[call["channel"]].pop(call["message"], None) is None:
        return _error(404, 10008, "Unknown Message")
    return web.Response(status=204)


@route("PUT", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me")
async def react(rest: Rest, call: Call) -> web.Response:
    if call["message"] not in rest.world.messages[call["channel"]]:
        return _error(404, 10008, "Unknown Message")
    rest.world.reactions.append((call["message"], call["emoji"]))
    return web.Response(status=204)


@route("DELETE", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me")
async def unreact(rest: Rest, call: Call) -> web.Response:
    rest.world.reactions = [r for r in rest.world.reactions if r != (call["message"], call["emoji"])]
    return web.Response(status=204)


@route("POST", "/channels/{channel}/typing")
async def typing(_rest: Rest, _call: Call) -> web.Response:
    return web.Response(status=204)


@route("POST", "/interactions/{id}/{token}/callback")
async def callback(rest: Rest, call: Call) -> web.Response:
    interaction = rest.world.interactions.get(call["token"])
    if interaction is None or interaction.id != call["id"]:
        return _error(404, 10062, "Unknown interaction")
    if interaction.callback is not None:
        return _error(400, 40060, "Interaction has already been acknowledged.")
    interaction.callback = call.body
    kind, data = call.body["type"], call.body.get("data") or {}
    about: Payload = {"interaction": {"id": interaction.id, "type": 2}}
    if kind in WITH_MESSAGE:
        flags = (data.get("flags") or 0) | (LOADING if kind in DEFERRED else 0)
        message = await rest.post(
            interaction.channel_id, Call({}, {}, data | {"flags": flags}, call.files), application_id="0"
        )
        interaction.message_ids.append(message["id"])
        about["resource"] = {"type": kind, "message": message}
        about["interaction"]["response_message_id"] = message["id"]
    if call.query.get("with_response", "").lower() in ("true", "1"):
        return json_response(about)
    return web.Response(status=204)


@route("POST", "/webhooks/{application}/{token}")
async def follow_up(rest: Rest, call: Call) -> web.Response:
    interaction = _acknowledged(rest, call)
    if interaction is None:
        return _error(404, 10015, "Unknown Webhook")
    original = rest.world.messages[interaction.channel_id][interaction.message_ids[0]]
    if original["flags"] & LOADING:  # the first follow-up of a deferred response takes its place
        original.update({key: value for key, value in call.body.items() if key in original})
        original["flags"] &= ~LOADING
        return json_response(original)
    message = await rest.post(interaction.channel_id, call)
    interaction.message_ids.append(message["id"])
    return json_response(message)


@route("GET", "/webhooks/{application}/{token}/messages/{message}")
async def get_response(rest: Rest, call: Call) -> web.Response:
    message = _response(rest, call)
    return _error(404, 10008, "Unknown Message") if message is None else json_response(message)


@route("PATCH", "/webhooks/{application}/{token}/messages/{message}")
async def edit_response(rest: Rest, call: Call) -> web.Response:
    message = _response(rest, call)
    if message is None:
        return _error(404, 10008, "Unknown Message")
    message.update({key: value for key, value in call.body.items() if key in message})
    if call.files:
        message["attachments"] = _uploaded(call)
    message["flags"] &= ~LOADING
    return json_response(message)


@route("DELETE", "/webhooks/{application}/{token}/messages/{message}")
async def delete_response(rest: Rest, call: Call) -> web.Response:
    message = _response(rest, call)
    if message is None:
        return _error(404, 10008, "Unknown Message")
    del rest.world.messages[message["channel_id"]][message["id"]]
    return web.Response(status=204)


def _as_it_stands(rest: Rest, message: Payload) -> Payload:
    """A message with what it replies to now (null once that is deleted), and the bot's reactions."""
    emojis = [emoji for source, emoji in rest.world.reactions if source == message["id"]]
    if emojis:
        reactions = [{"emoji": {"id": None, "name": unquote(e)}, "count": 1, "me": True} for e in emojis]
        message = message | {"reactions": reactions}
    reference = message.get("message_reference")
    if reference is None:
        return message
    replied_to = rest.world.messages[message["channel_id"]].get(str(reference["message_id"]))
    return message | {"referenced_message": replied_to}


def _acknowledged(rest: Rest, call: Call) -> Interaction | None:
    interaction = rest.world.interactions.get(call["token"])
    return interaction if interaction is not None and interaction.message_ids else None


def _response(rest: Rest, call: Call) -> Payload | None:
    interaction = _acknowledged(rest, call)
    if interaction is None:
        return None
    wanted = interaction.message_ids[0] if call["message"] == "@original" else call["message"]
    return rest.world.messages[interaction.channel_id].get(wanted)


async def _content(request: web.Request) -> tuple[Any, list[tuple[str, bytes]]]:
    """The JSON of a request and the files that came with it."""
    if not request.content_type.startswith("multipart/"):
        text = await request.text()
        return (json.loads(text) if text else None), []
    body: Any = None
    files = []
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files.append((value.filename, value.file.read()))
        elif name == "payload_json":
            body = json.loads(str(value))
    return body, files


def _uploaded(call: Call) -> list[Payload]:
    """The files that came with a request, as a message carries them."""
    return [
        {"id": snowflake(), "filename": name, "size": len(data), "url": "", "proxy_url": ""}
        for name, data in call.files
    ]


def _error(status: int, code: int, message: str) -> web.Response:
    return json_response({"code": code, "message": message}, status=status)
