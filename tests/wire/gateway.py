"""The stub's gateway: HELLO, IDENTIFY, RESUME, heartbeats, events, and the ways it can go wrong."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.wire import strict
from tests.wire.shards import WHOLE, IdentifyLimit, ShardOf
from tests.wire.world import MESSAGE_CONTENT_FLAG, Payload, World, snowflake

__all__ = ["Gateway", "Session"]

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
MESSAGE_CONTENT = 1 << 15
VERIFIED_MESSAGE_CONTENT_FLAG = 1 << 18
CONTENT = ("content", "attachments", "embeds", "components")
INVALID_SHARD, SHARDING_REQUIRED = 4010, 4011


@dataclass
class Session:
    """One IDENTIFY and all RESUMEs of it. `events` are kept for replay, as (sequence, event)."""

    id: str
    intents: int
    socket: web.WebSocketResponse | None
    shard: ShardOf = WHOLE
    sequence: int = 0
    events: list[Payload] = field(default_factory=list)
    resumes: int = 0


class Gateway:
    """All sessions of the stub. `resume_url` is what READY says; None stands for where the client came."""

    def __init__(self, world: World, *, is_strict: bool = False) -> None:
        self.world = world
        self.is_strict = is_strict
        self.sessions: list[Session] = []
        self.resume_url: str | None = None
        self.refuse: int | None = None
        """A close code that answers every IDENTIFY from now on."""
        self.guild_is_late = False
        """The server is not available yet when a session begins; a test emits its GUILD_CREATE later."""
        self.enforce_intents = True
        self.missing_in_ready: str | None = None
        """A key that READY lacks from now on."""
        self.held = False
        """While true, every new connection is refused."""
        self.refused = 0
        self.shards = 1
        """How many shards Discord recommends."""
        self.guilds_per_shard = 2500
        """A shard of more servers is refused."""
        self.limit = IdentifyLimit()
        self.doubles = 0
        """How often a session was begun or resumed while another one of its shard was connected."""
        self._sockets: dict[web.WebSocketResponse, asyncio.Transport] = {}

    @property
    def ready(self) -> list[Session]:
        """The sessions that are connected now."""
        return [session for session in self.sessions if session.socket is not None]

    @property
    def ready_shards(self) -> set[int]:
        """The shards that are connected now."""
        return {session.shard.number for session in self.ready}

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """The WebSocket endpoint."""
        if self.held:
            self.refused += 1
            self.world.changed()
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert request.transport is not None
        self._sockets[socket] = request.transport
        session: Session | None = None
        try:
            await _send(socket, HELLO, {"heartbeat_interval": 41250})
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    continue
                message = json.loads(frame.data)
                if message["op"] == HEARTBEAT:
                    await _send(socket, ACK, None)
                elif message["op"] == IDENTIFY:
                    session = await self._identify(socket, message["d"], str(request.url.with_query(None)))
                elif message["op"] == RESUME:
                    session = await self._resume(socket, message["d"])
        finally:
            self._sockets.pop(socket, None)
            if session is not None and session.socket is socket:
                session.socket = None
            self.world.changed()
        return socket

    async def emit(self, event: str, data: Payload) -> None:
        """Send an event to every session of its shard; those that are away get it when they resume."""
        for session in [session for session in self.sessions if session.shard.gets(event, data)]:
            await self._dispatch(session, event, self._seen_by(session, event, data))

    async def recover(self) -> None:
        """The server becomes available, as after an outage."""
        self.guild_is_late = False
        await self.emit("GUILD_CREATE", self.world.guild())

    async def drop(self) -> None:
        """Cut every connection without a word, as a failing network does. The sessions can be resumed."""
        for session in self.sessions:
            session.socket = None
        for transport in self._sockets.values():
            transport.abort()

    async def ask_to_reconnect(self) -> None:
        """Opcode 7, as Discord sends it before it restarts a gateway."""
        for socket in list(self._sockets):
            await _send(socket, RECONNECT, None)

    async def invalidate(self) -> None:
        """Opcode 9: no session can be resumed any more."""
        for session in self.sessions:
            if session.socket is not None:
                socket, session.socket = session.socket, None
                await _send(socket, INVALID_SESSION, False)
        self.sessions.clear()

    async def end_sessions(self) -> None:
        """End all sessions for good, as Discord does when the bot's token is reset."""
        self.sessions.clear()
        for socket in list(self._sockets):
            await socket.close(code=4004, message=b"Authentication failed.")

    async def close(self) -> None:
        """End all connections in good order."""
        for socket in list(self._sockets):
            await socket.close(code=1001)

    async def _identify(self, socket: web.WebSocketResponse, data: Payload, url: str) -> Session | None:
        if data["token"] != self.world.token:
            await socket.close(code=4004, message=b"Authentication failed.")
            return None
        allowed = self.world.flags & (MESSAGE_CONTENT_FLAG | VERIFIED_MESSAGE_CONTENT_FLAG)
        if self.enforce_intents and data["intents"] & MESSAGE_CONTENT and not allowed:
            await socket.close(code=4014, message=b"Disallowed intent(s).")
            return None
        if self.refuse is not None:
            await socket.close(code=self.refuse)
            return None
        shard = ShardOf(*data.get("shard", WHOLE))
        if not await self._may_identify(socket, shard):
            return None
        self._count_double(shard)
        session = Session(snowflake(), data["intents"], socket, shard)
        self.sessions.append(session)
        ready: Payload = {
            "v": 10,
            "user": self.world.bot,
            "guilds": [{"id": guild_id, "unavailable": True} for guild_id in self._guild_ids(shard)],
            "session_id": session.id,
            **({"shard": list(shard)} if "shard" in data else {}),
            "resume_gateway_url": self.resume_url or url,
            "application": {"id": self.world.application_id, "flags": self.world.flags},
        }
        ready.pop(self.missing_in_ready or "", None)
        await self._dispatch(session, "READY", ready)
        if not self.guild_is_late:
            for guild in self.world.guilds():
                if shard.has(guild["id"]):
                    await self._dispatch(session, "GUILD_CREATE", guild)
        self.world.changed()
        return session

    async def _may_identify(self, socket: web.WebSocketResponse, shard: ShardOf) -> bool:
        if not 0 <= shard.number < shard.total:
            await socket.close(code=INVALID_SHARD, message=b"Invalid shard.")
            return False
        if len(self._guild_ids(shard)) > self.guilds_per_shard:
            await socket.close(code=SHARDING_REQUIRED, message=b"Sharding required.")
            return False
        if self.limit.used_up:
            self.world.token = f"reset-{snowflake()}"
            await self.end_sessions()
            return False
        if not self.limit.takes(shard.number):
            await _send(socket, INVALID_SESSION, False)
            return False
        return True

    def _guild_ids(self, shard: ShardOf) -> list[str]:
        world = self.world
        everywhere = (world.guild_id, *world.added_guilds, *world.hidden_guilds)
        return [guild_id for guild_id in everywhere if shard.has(guild_id)]

    def _count_double(self, shard: ShardOf, but: Session | None = None) -> None:
        self.doubles += any(other.shard == shard and other is not but for other in self.ready)

    async def _resume(self, socket: web.WebSocketResponse, data: Payload) -> Session | None:
        session = next((s for s in self.sessions if s.id == data["session_id"]), None)
        if session is None or data["token"] != self.world.token:
            await _send(socket, INVALID_SESSION, False)
            return None
        self._count_double(session.shard, session)
        session.socket = socket
        session.resumes += 1
        for event in session.events:
            if event["s"] > (data["seq"] or 0):
                await socket.send_json(event)
        await self._dispatch(session, "RESUMED", {})
        self.world.changed()
        return session

    async def _dispatch(self, session: Session, event: str, data: Payload) -> None:
        session.sequence += 1
        if self.is_strict:
            data = strict.event(event, data)
        frame = {"op": DISPATCH, "t": event, "s": session.sequence, "d": data}
        session.events.append(frame)
        if session.socket is not None and not session.socket.closed:
            with suppress(ConnectionResetError):  # the bot was killed just now
                await session.socket.send_json(frame)

    def _seen_by(self, session: Session, event: str, data: Payload) -> Payload:
        """Without the intent, Discord empties messages that are neither to the bot nor from it."""
        if session.intents & MESSAGE_CONTENT or event not in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            return data
        bot = self.world.bot["id"]
        mine = data["author"]["id"] == bot or any(user["id"] == bot for user in data["mentions"])
        if mine or "guild_id" not in data:
            return data
        return data | {key: "" if key == "content" else [] for key in CONTENT}


async def _send(socket: web.WebSocketResponse, op: int, data: Any) -> None:
    await socket.send_json({"op": op, "d": data, "s": None, "t": None})
