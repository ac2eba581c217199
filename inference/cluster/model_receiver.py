"""Takes the models that `whatsit models push` brings: `PUT /v1/models/SHA256`, with the secret of the
cluster."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile

from aiohttp import web

from config.listen_address import ListenAddress
from inference.cluster.ports import listen
from inference.models import prepared
from inference.results import ModelUnavailable
from inference.serving.cluster_client.answer_protocol import MODELS_PATH
from inference.serving.cluster_client.cluster_secret import WRONG, SecretCheck

log = logging.getLogger(__name__)

REFUSED, WRONG_SECRET, TOO_LARGE = 422, 401, 413


class ModelReceiver:
    """Unpacks prepared models into `cache_dir`, one at a time. `secret`: None lets everybody push."""

    def __init__(self, cache_dir: Path, secret: str | None) -> None:
        self._cache_dir = cache_dir
        self._secret = SecretCheck(secret)
        self._turn = asyncio.Lock()

    def add_to(self, application: web.Application) -> None:
        """Have `application` take models too."""
        application.router.add_put(MODELS_PATH + "{digest}", self.put)

    @asynccontextmanager
    async def listening(self, setting: str, address: ListenAddress) -> AsyncIterator[None]:
        """Listen at `address`, which is that of `setting`. Raises `ConfigError` where that cannot be."""
        application = web.Application()
        self.add_to(application)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            await listen(runner, setting, address)
            yield
        finally:
            await runner.cleanup()

    async def put(self, request: web.Request) -> web.Response:
        """Take one model."""
        if not self._secret.trusts(request.headers.get("Authorization")):
            return web.Response(status=WRONG_SECRET, text=WRONG)
        digest = request.match_info["digest"]
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            return web.Response(status=REFUSED, text="The address does not end in a SHA-256.")
        if (request.content_length or 0) > prepared.MOST_BYTES:
            return web.Response(
                status=TOO_LARGE, text=f"A prepared model may have {prepared.MOST_BYTES:,} bytes."
            )
        async with self._turn:
            try:
                card = await self._take(request, digest)
            except ModelUnavailable as error:
                return web.Response(status=REFUSED, text=str(error))
        log.info("The model %s (%s) was pushed to this machine.", card.name, digest[:12])
        return web.Response(text=card.name)

    async def _take(self, request: web.Request, digest: str) -> prepared.ModelCard:
        with TemporaryFile() as file:
            size = 0
            async for chunk in request.content.iter_chunked(prepared.CHUNK_BYTES):
                size += len(chunk)
                if size > prepared.MOST_BYTES:
                    raise ModelUnavailable(f"A prepared model may have {prepared.MOST_BYTES:,} bytes.")
                await asyncio.to_thread(file.write, chunk)
            file.seek(0)
            return await asyncio.to_thread(prepared.receive, file, digest, self._cache_dir)
