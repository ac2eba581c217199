"""Run the models that servers chose beside the owner's own, each in a worker of its own."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.erasable_memory import ErasableMemory
from config.settings import Settings
from inference.results import ModelInfo, ModelUnavailable

if TYPE_CHECKING:
    from inference.serving.client import Admission, Classifier

log = logging.getLogger(__name__)

AGAIN = 600.0
"""Seconds until a model that could not be loaded is tried once more."""


class Models(ErasableMemory):
    """Finds what classifies with a model of a given name; a worker starts when its model is first wanted.

    Nobody waits while a model is loaded, or does without an answer because it cannot be: meanwhile the
    owner's own answers, which has been loaded before the bot came online.

    All together hold no more images and bytes than the owner's own may (`queue` in the settings).
    """

    def __init__(
        self,
        settings: Settings,
        usual: Classifier,
        another: Callable[[Settings], Classifier] | None = None,
    ) -> None:
        """`another` makes a classifier from settings, not started yet; None: `usual` is the only one."""
        self._settings = settings
        self._usual = usual
        self._another = another
        self._ready: dict[str, Classifier] = {}
        self._loading: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, float] = {}

    @asynccontextmanager
    async def admit(
        self, size: int, *, group: Hashable = None, model: str | None = None
    ) -> AsyncIterator[Admission]:
        """Admit an image as `Classifier.admit` does, to `model` or, where it is not ready, to the owner's."""
        async with self._of(model).admit(size, group=group) as admission:
            yield admission

    def infos(self) -> tuple[ModelInfo, ...]:
        """Return all models that answer now, the owner's own first."""
        return (self._usual.info, *(classifier.info for classifier in self._ready.values()))

    def info_of(self, model: str | None) -> ModelInfo:
        """Return the model that answers now where `model` was chosen; None: where nothing was."""
        return next((info for info in self.infos() if info.name == model), self._usual.info)

    def running(self) -> tuple[Classifier, ...]:
        """Return what classifies now, the owner's own first."""
        return (self._usual, *self._ready.values())

    @property
    def unusable(self) -> frozenset[str]:
        """The models that could not be loaded; the log says why."""
        return frozenset(self._failed)

    def forget_user(self, user_id: int) -> None:
        """Forget what the person's share of the workers was."""
        self._forget_group(user_id)

    def forget_guild(self, guild_id: int) -> None:
        """Forget what the server's share of the workers was."""
        self._forget_group(guild_id)

    def _forget_group(self, group: int) -> None:
        for classifier in (self._usual, *self._ready.values()):
            classifier.forget_group(group)

    async def close(self) -> None:
        """End all workers but the owner's own."""
        loading = set(self._loading.values())
        for task in loading:
            task.cancel()
        if loading:
            await asyncio.wait(loading)
        for classifier in self._ready.values():
            await classifier.close()
        self._ready.clear()

    def _of(self, model: str | None) -> Classifier:
        if model is None or model not in self._settings.model.allowed or model == self._usual.info.name:
            return self._usual
        if self._another is not None and self._is_due(model):
            loading = self._load(model, self._another)
            self._loading[model] = asyncio.create_task(loading, name=f"load {model}")
        return self._ready.get(model, self._usual)

    def _is_due(self, model: str) -> bool:
        if model in self._ready or model in self._loading:
            return False
        now = asyncio.get_running_loop().time()
        return now - self._failed.get(model, -math.inf) >= AGAIN

    async def _load(self, model: str, another: Callable[[Settings], Classifier]) -> None:
        chosen = self._settings.model.model_copy(update={"name": model, "labels": None})
        classifier = another(self._settings.model_copy(update={"model": chosen}))
        try:
            info = await classifier.start()
        except ModelUnavailable as error:
            log.warning("%s cannot be used, so the usual model answers in its place. %s", model, error)
            self._failed[model] = asyncio.get_running_loop().time()
        else:
            log.info("%s is ready on %s, for servers that chose it.", info.name, info.engine)
            self._failed.pop(model, None)
            self._ready[model] = classifier
        finally:
            del self._loading[model]
            if model not in self._ready:
                await classifier.close()
