"""A real Prometheus (Debian: prometheus) that reads a bot by the rules of docs/alerts.yml, but faster."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.wire.metrics import free_port

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "docs" / "alerts.yml"
FASTER = "s"
"""What stands in the place of `m`, for minutes, in every duration of the rules: sixty times as fast."""
PATIENCE = 90.0
"""Seconds a test waits for an alert to fire or to resolve."""


def missing() -> str | None:
    """What keeps alerts from being tried on this machine, and the way out."""
    lacking = [program for program in ("prometheus", "promtool") if shutil.which(program) is None]
    return f"{lacking[0]} is not installed (Debian: prometheus)" if lacking else None


def in_quick_motion(rules: str) -> str:
    """The rules with seconds in the place of minutes, in `for: 5m` and `[15m]`, and nothing else changed."""
    return re.sub(
        r"(?<=for: )(\d+)m\b|(?<=\[)(\d+)m(?=\])", lambda found: f"{found[1] or found[2]}{FASTER}", rules
    )


class Prometheus:
    """A running Prometheus."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def alerts(self) -> dict[str, str]:
        """The state of each alert that is there: "pending" or "firing"."""
        data = await self._get("alerts")
        states: dict[str, str] = {}
        for alert in data["alerts"]:
            assert alert["annotations"]["runbook"]
            assert "<no value>" not in alert["annotations"]["summary"]
            if states.get(alert["labels"]["alertname"]) != "firing":
                states[alert["labels"]["alertname"]] = alert["state"]
        return states

    async def query(self, expression: str) -> list[float]:
        """The values of an expression now."""
        data = await self._get("query", query=expression)
        return [float(sample["value"][1]) for sample in data["result"]]

    async def until_quiet(self) -> None:
        """Wait until the bot has been read, and nothing is wrong with it."""
        async with asyncio.timeout(PATIENCE):
            while await self.query("min(whatsit_ready)") != [1]:  # noqa: ASYNC110 - elsewhere
                await asyncio.sleep(0.2)
        await self._until(lambda alerts: not alerts, "no alert")

    async def until_firing(self, name: str) -> None:
        await self._until(lambda alerts: alerts.get(name) == "firing", f"{name} to fire")

    async def until_resolved(self, name: str) -> None:
        await self._until(lambda alerts: name not in alerts, f"{name} to resolve")

    async def is_firing(self, name: str) -> bool:
        return (await self.alerts()).get(name) == "firing"

    async def _until(self, holds: Callable[[dict[str, str]], bool], what: str) -> None:
        alerts: dict[str, str] = {}
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds(alerts := await self.alerts()):  # noqa: ASYNC110 - elsewhere
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}; there are {alerts}") from None

    async def _get(self, path: str, **query: str) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self._port}/api/v1/{path}", params=query) as response,
        ):
            answer = await response.json()
        assert answer["status"] == "success", answer
        return answer["data"]


@asynccontextmanager
async def prometheus(folder: Path, targets: Sequence[int]) -> AsyncIterator[Prometheus]:
    """Start one that reads the metrics at these ports every second, and keeps its data in `folder`."""
    rules = folder / "alerts.yml"
    rules.write_text(in_quick_motion(ALERTS.read_text(encoding="utf-8")))
    config = folder / "prometheus.yml"
    config.write_text(
        json.dumps(  # which is YAML
            {
                "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(rules)],
                "scrape_configs": [
                    {
                        "job_name": "whatsit",
                        "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in targets]}],
                    }
                ],
            }
        )
    )
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    )
    try:
        await _until_ready(port, process)
        yield Prometheus(port)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _until_ready(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        while process.returncode is None:
            with suppress(aiohttp.ClientConnectionError):
                async with session.get(f"http://127.0.0.1:{port}/-/ready") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise AssertionError(f"prometheus ended with {process.returncode}")
