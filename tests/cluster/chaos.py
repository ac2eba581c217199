"""What goes wrong in a cluster, one thing after another, while pictures keep coming."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import io
import tarfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from tempfile import TemporaryFile

import psutil

from inference.cluster.model_push import push
from inference.models import convert, prepared
from inference.results import HarmfulImage
from inference.serving.client import Classifier
from tests.cluster.engines import DENIED, Spying, spying
from tests.cluster.machines import SECRET, Machine
from tests.cluster.traffic import AT_ONCE, Traffic, traffic
from tests.inference.fakes import Deed, deed

RECOVERY_SECONDS = 120.0
AFTER_SECONDS = 2.0
"""For which pictures still come when all is well again."""
LOOK_SECONDS = 0.1
MANY, FEW = 48, 2
"""At once: three times what `ray.images_per_replica` wants another replica for, and what one does alone."""
WARM_UP = 20
"""Answers before anything happens."""
MOST_DEATHS = 2
"""Of children, for one hostile picture, in the whole cluster."""


@dataclass(frozen=True)
class Outcome:
    """What an event did to the pictures. `lost` counts what was not answered with the right label."""

    name: str
    answered: int
    lost: int
    silence: float
    most_silence: float
    note: str = ""

    @property
    def is_well(self) -> bool:
        """Whether no picture was lost, and it was not silent for too long."""
        return not self.lost and self.answered > 0 and self.silence <= self.most_silence

    def __str__(self) -> str:
        verdict = "ok" if self.is_well else "FAILED"
        return (
            f"{self.name:<28} {self.answered:>6} answered {self.lost:>3} lost, silent {self.silence:5.2f} "
            "s of "
            f"{self.most_silence:g}  {verdict} {self.note}"
        )


class Chaos:
    """Two machines with an ingress each, and what is done to them."""

    def __init__(self, classifier: Classifier, machines: list[Machine]) -> None:
        self._classifier = classifier
        self._machines = machines

    async def replica_killed(self) -> Outcome:
        """kill -9 one of two replicas. Its worker ends with it; another one comes on the same machine."""
        victim = self._replicas()[-1]

        async def act(_coming: Traffic) -> None:
            victim.kill()
            await until(
                lambda: (
                    victim not in self._replicas() and all(machine.workers() for machine in self._machines)
                )
            )

        return await self._during("a replica is killed", act, most_silence=1.0)

    async def worker_killed(self) -> Outcome:
        """kill -9 the worker child of one replica; the replica stays."""
        before = self._replicas()
        victim = self._workers()[-1]

        async def act(_coming: Traffic) -> None:
            victim.kill()
            await until(lambda: victim not in self._workers() and len(self._workers()) > 1)

        outcome = await self._during("a worker child is killed", act, most_silence=1.0)
        assert self._replicas() == before, "a replica died with its child"
        return outcome

    async def ingress_killed(self) -> Outcome:
        """kill -9 one of two HAProxies; Ray starts another one."""
        machine = self._machines[-1]

        async def act(_coming: Traffic) -> None:
            victim = machine.ingress()  # only now, since Ray replaces it when replicas come and go
            assert victim is not None
            victim.kill()
            await until(lambda: machine.ingress() not in (None, victim) and machine.is_reached())

        return await self._during("an ingress is killed", act, most_silence=1.0)

    async def head_killed(self) -> Outcome:
        """Cut the power of the head, and start it again at once with what it remembers."""
        head, node = self._machines
        before = node.replicas()

        async def act(_coming: Traffic) -> None:
            head.kill()
            await asyncio.sleep(AFTER_SECONDS)
            head.start()
            await head.deployed()
            await until(lambda: len(self._workers()) > 1 and head.is_reached())

        outcome = await self._during("the head is killed", act, most_silence=30.0)
        assert set(before) <= set(node.replicas()), "the replicas of another machine died with the head"
        where = " and ".join(str(len(machine.replicas())) for machine in self._machines)
        return replace(outcome, note=f"{outcome.note}, replicas are on {where}")

    async def hostile_picture(self) -> Outcome:
        """Send a picture that kills whoever looks at it, five times: it is refused each time."""
        replicas, seen = self._replicas(), set(self._every_worker())

        async def act(_coming: Traffic) -> None:
            watching = asyncio.create_task(self._watch_workers(seen))
            for _ in range(5):
                try:
                    await self._classifier.classify(deed(Deed.CRASH, 7))
                except HarmfulImage:
                    continue
                raise AssertionError("a picture that kills was named")
            await until(lambda: len(self._workers()) > 1)
            watching.cancel()

        outcome = await self._during("a hostile picture, 5 times", act, most_silence=15.0)
        deaths = len(seen - set(self._every_worker()))
        assert self._replicas() == replicas, "a hostile picture killed a replica"
        assert 0 < deaths <= MOST_DEATHS, f"{deaths} child deaths"
        return replace(outcome, note=f"{deaths} child deaths, 0 replica deaths")

    async def worker_spies(self) -> Outcome:
        """Have a worker, as one that a picture has taken over, try to get at Ray's token, ports and
        sockets."""
        found: list[str] = []

        async def act(_coming: Traffic) -> None:
            for what in Spying:
                try:
                    answer = await self._classifier.classify(spying(what))
                except HarmfulImage:
                    found.append(f"{what.name.lower()}: killed")
                    continue
                assert answer.labels[0].index == DENIED, f"a worker reached {what.name}"
                found.append(f"{what.name.lower()}: denied")
            await until(lambda: len(self._workers()) > 1)

        outcome = await self._during("a worker spies", act, most_silence=15.0)
        return replace(outcome, note=", ".join(found))

    async def model_updated(self) -> Outcome:
        """Push another model to both machines: the replicas are replaced one by one."""
        name = f"fake-{time.monotonic_ns()}"

        async def act(coming: Traffic) -> None:
            for machine in reversed(self._machines):  # the head last, which then has the others take it
                await asyncio.to_thread(push_model, machine, name)
            began = time.monotonic()
            while time.monotonic() - began < RECOVERY_SECONDS:
                coming.models.clear()
                await asyncio.sleep(1)
                if set(coming.models) == {name}:
                    return
            raise AssertionError(f"not every replica has the new model: {coming.models}")

        return await self._during("the model is updated", act, most_silence=1.0)

    async def scaled(self) -> Outcome:
        """Ask so much that a second replica comes, and then so little that it goes again."""

        async def act(coming: Traffic) -> None:
            await until(lambda: len(self._workers()) > 1)
            coming.ease(FEW)
            await until(lambda: len(self._workers()) == 1)

        return await self._during("scaled 1 -> 2 -> 1", act, most_silence=1.0, at_once=MANY)

    async def _during(
        self,
        name: str,
        act: Callable[[Traffic], Awaitable[None]],
        *,
        most_silence: float,
        at_once: int = AT_ONCE,
    ) -> Outcome:
        async with traffic(self._classifier, at_once) as coming:
            await until(lambda: len(coming.times) > WARM_UP)
            since = time.monotonic()
            await act(coming)
            took = time.monotonic() - since
            await asyncio.sleep(AFTER_SECONDS)
            silence = coming.silence(since)
        for end, times in coming.ends.items():
            if end != "right":
                print(f"  {times} times: {end}")
        return Outcome(
            name, len(coming.times), coming.lost, silence, most_silence, f"well again after {took:.1f} s"
        )

    async def settled(self, replicas: int) -> None:
        """Wait until so many replicas have their workers, and every ingress finds one."""

        def is_settled() -> bool:
            for machine in self._machines:
                machine.supervise()
            return len(self._workers()) == replicas and all(
                machine.ingress() and machine.is_reached() for machine in self._machines
            )

        await until(is_settled)

    def _replicas(self) -> list[psutil.Process]:
        return [each for machine in self._machines for each in machine.replicas()]

    def _workers(self) -> list[psutil.Process]:
        """Return one worker for each replica that has one."""
        return [each for machine in self._machines for each in machine.workers()]

    def _every_worker(self) -> list[psutil.Process]:
        return [each for machine in self._machines for each in machine.every_worker()]

    async def _watch_workers(self, seen: set[psutil.Process]) -> None:
        while True:
            seen.update(self._every_worker())
            await asyncio.sleep(LOOK_SECONDS)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what is to become true within `RECOVERY_SECONDS`. Raises TimeoutError."""
    async with asyncio.timeout(RECOVERY_SECONDS):
        while not condition():  # noqa: ASYNC110 - it is about other processes
            await asyncio.sleep(LOOK_SECONDS)


def push_model(machine: Machine, name: str) -> None:
    """Push a model, which is none but for its card, for what the machine's settings ask for."""
    card = prepared.ModelCard(
        name=name,
        wanted=machine.settings.model.name,
        content_hash=hashlib.sha256(name.encode()).hexdigest(),
        input_size=32,
        classes=256,
        temperature=1.0,
        precision="f32",
        openvino=importlib.metadata.version("openvino"),
        recipe=convert.RECIPE,
    )
    with TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for member in sorted(prepared.NEEDED):
                content = card.model_dump_json().encode() if member == prepared.CARD else b"nothing"
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        push(file, digest, machine.models_url, SECRET)
