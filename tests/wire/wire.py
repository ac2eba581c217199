"""The stub as a whole: three loopback servers, and the people who post, delete and run commands."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from tests.wire.cdn import Cdn
from tests.wire.gateway import Gateway
from tests.wire.rest import PREFIX, Rest
from tests.wire.world import Interaction, Payload, World, snowflake

__all__ = ["Trap", "Where", "Wire"]

Where = Literal["guild", "dm", "group"]
SLASH, MESSAGE_MENU, ATTACHMENT_OPTION = 1, 3, 11
COMMAND, COMPONENT = 2, 3


class Trap:
    """A host that must never be reached: it remembers whoever tries."""

    def __init__(self) -> None:
        self.hits: list[str] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The endpoint of everything."""
        self.hits.append(f"{request.method} {request.path} {dict(request.headers)}")
        return web.json_response({})


class Wire:
    """A running stub. `trap` is another host, for redirects and addresses that lead astray.

    It is Discord, or with `strict` a Discord-compatible server: see `tests.wire.strict`.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.world = World()
        self.gateway = Gateway(self.world, is_strict=strict)
        self.rest = Rest(self.world, self.gateway, is_strict=strict)
        self.cdn = Cdn()
        self.trap = Trap()
        self._api = _server(
            ("*", PREFIX + "/{path:.*}", self.rest.serve), ("GET", "/gateway", self.gateway.connect)
        )
        self._files = _server(("GET", "/{path:.*}", self.cdn.serve))
        self._trap = _server(("*", "/{path:.*}", self.trap.serve))

    @property
    def api_url(self) -> str:
        return str(self._api.make_url(PREFIX))

    @property
    def gateway_url(self) -> str:
        return str(self._api.make_url("/gateway").with_scheme("ws"))

    @property
    def addresses(self) -> tuple[str, str, str]:
        """Where the API, the gateway and the files are."""
        return self.api_url, self.gateway_url, self.cdn.origin

    @property
    def trap_url(self) -> URL:
        return self._trap.make_url("/")

    async def __aenter__(self) -> Self:
        for server in (self._api, self._files, self._trap):
            await server.start_server()
        self.cdn.origin = str(self._files.make_url("/").origin())
        self.rest.gateway_url = self.gateway_url
        self.rest.files_url = self.cdn.origin
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.gateway.close()
        for server in (self._api, self._files, self._trap):
            await server.close()

    async def post(
        self,
        *pictures: tuple[str, bytes],
        channel: str | None = None,
        author: Payload | None = None,
        content: str = "",
        ago: float = 0.0,
        **parts: Any,
    ) -> Payload:
        """Somebody posts pictures, given as (file name, bytes), in a channel."""
        channel = channel or self.world.general
        message = self.world.add_message(
            channel,
            author or self.world.person,
            ago=ago,
            content=content,
            attachments=[self.attachment(channel, name, data) for name, data in pictures],
            **parts,
        )
        await self.gateway.emit("MESSAGE_CREATE", message | self._place(channel, message["author"]))
        return message

    async def join(self, shard: tuple[int, int] | None = None) -> str:
        """The bot is added to another server, one of `shard`'s; return the id of its only channel."""
        if shard is not None:
            channel_id = self.world.add_guild(shard)
            *_, guild = self.world.guilds()
            await self.gateway.emit("GUILD_CREATE", guild)
            return channel_id
        guild = self.world.other_guild()
        (channel,) = guild["channels"]
        self.world.channels[channel["id"]] = channel
        self.world.messages[channel["id"]] = {}
        await self.gateway.emit("GUILD_CREATE", guild)
        return str(channel["id"])

    async def post_dm(self, *pictures: tuple[str, bytes], author: Payload | None = None) -> Payload:
        """Somebody sends the bot a direct message."""
        author = author or self.world.person
        return await self.post(*pictures, channel=self.world.dm(author), author=author)

    async def edit(self, message: Payload, **parts: Any) -> None:
        """Somebody edits a message, or (with `embeds` alone) Discord has looked up its links."""
        message.update(parts)
        await self.gateway.emit(
            "MESSAGE_UPDATE", message | self._place(message["channel_id"], message["author"])
        )

    async def purge(self, *messages: Payload) -> None:
        """Somebody deletes messages of one channel in bulk."""
        channel = messages[0]["channel_id"]
        for message in messages:
            self.world.messages[channel].pop(message["id"], None)
        ids = [message["id"] for message in messages]
        await self.gateway.emit(
            "MESSAGE_DELETE_BULK", {"ids": ids, "channel_id": channel} | self._place(channel)
        )

    async def delete(self, message: Payload) -> None:
        """Somebody deletes a message."""
        channel = message["channel_id"]
        self.world.messages[channel].pop(message["id"], None)
        gone = {"id": message["id"], "channel_id": channel}
        await self.gateway.emit("MESSAGE_DELETE", gone | self._place(channel))

    async def slash(
        self, name: str, *pictures: tuple[str, bytes], where: Where = "guild", **options: Any
    ) -> Interaction:
        """Somebody runs `/name` with pictures for its options `picture`, `picture2` and so on."""
        return await self._emitted(self.interaction(name, *pictures, where=where, **options))

    def interaction(
        self, name: str, *pictures: tuple[str, bytes], where: Where = "guild", **options: Any
    ) -> Interaction:
        """What `slash` emits."""
        names = ["picture", *(f"picture{n}" for n in range(2, 6))]
        attached = [self.attachment(self.world.general, *picture) for picture in pictures]
        chosen = [
            {"name": option, "type": ATTACHMENT_OPTION, "value": attachment["id"]}
            for option, attachment in zip(names, attached, strict=False)
        ]
        kinds = {bool: 5, int: 4, str: 3}
        chosen += [
            {"name": key, "type": kinds[type(value)], "value": value} for key, value in options.items()
        ]
        resolved = {"attachments": {attachment["id"]: attachment for attachment in attached}}
        data = {"id": snowflake(), "name": name, "type": SLASH, "options": chosen, "resolved": resolved}
        return self._interact(COMMAND, data, where)

    async def menu(self, name: str, message: Payload, *, where: Where = "guild") -> Interaction:
        """Somebody picks `name` from a message's menu."""
        data = {
            "id": snowflake(),
            "name": name,
            "type": MESSAGE_MENU,
            "target_id": message["id"],
            "resolved": {"messages": {message["id"]: message}},
        }
        return await self._emitted(self._interact(COMMAND, data, where))

    async def press(self, custom_id: str, message: Payload) -> Interaction:
        """Somebody presses a button of the bot's message."""
        data = {"custom_id": custom_id, "component_type": 2}
        return await self._emitted(self._interact(COMPONENT, data, "guild", message=message))

    def attachment(self, channel: str, name: str, data: bytes) -> Payload:
        """A file as messages carry it, hosted by the stub."""
        url = self.cdn.origin + self.cdn.add(channel, name, data)
        return {"id": snowflake(), "filename": name, "size": len(data), "url": url, "proxy_url": url}

    def _interact(self, kind: int, data: Payload, where: Where, **parts: Any) -> Interaction:
        world = self.world
        channel = world.channels[self._channel(where)]
        payload = {
            "id": snowflake(),
            "application_id": world.application_id,
            "type": kind,
            "data": data,
            "channel": channel,
            "channel_id": channel["id"],
            "token": f"interaction-{snowflake()}",
            "version": 1,
            "app_permissions": world.role["permissions"],
            "locale": "en-US",
            "entitlements": [],
            "attachment_size_limit": 10 * 1024 * 1024,
            "context": {"guild": 0, "dm": 1, "group": 2}[where],
        } | parts
        if where == "guild":
            payload |= {
                "guild_id": world.guild_id,
                "guild": {"id": world.guild_id, "features": [], "locale": "en-US"},
                "guild_locale": "en-US",
                "member": world.member(world.person) | {"permissions": world.role["permissions"]},
                "authorizing_integration_owners": {"0": world.guild_id},
            }
        else:  # in a group the bot is no member: it is the person who has installed it
            payload |= {"user": world.person, "authorizing_integration_owners": {"1": world.person["id"]}}
        interaction = Interaction(payload["id"], payload["token"], channel["id"], payload)
        world.interactions[interaction.token] = interaction
        return interaction

    async def _emitted(self, interaction: Interaction) -> Interaction:
        await self.gateway.emit("INTERACTION_CREATE", interaction.payload)
        return interaction

    def _channel(self, where: Where) -> str:
        if where == "guild":
            return self.world.general
        return self.world.dm(self.world.person) if where == "dm" else self.world.group()

    def _place(self, channel: str, author: Payload | None = None) -> Payload:
        if "guild_id" not in self.world.channels[channel]:
            return {}
        place: Payload = {"guild_id": self.world.channels[channel]["guild_id"]}
        if author is not None:
            place["member"] = {k: v for k, v in self.world.member(author).items() if k != "user"}
        return place


def _server(*routes: tuple[str, str, Any]) -> TestServer:
    app = web.Application(client_max_size=64 * 1024 * 1024)
    for method, path, handler in routes:
        app.router.add_route(method, path, handler)
    return TestServer(app, host="127.0.0.1")
