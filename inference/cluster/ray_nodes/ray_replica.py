"""What Ray Serve runs: the replica that knows no server, behind the requests that HAProxy hands on."""

from __future__ import annotations

import os
from pathlib import Path

from ray import serve
from ray.serve.config import AutoscalingConfig
from starlette.requests import Request
from starlette.responses import Response

from config.loading import load as load_settings
from config.secret_file import read_secret
from config.settings import Settings
from inference.cluster.ray_nodes.environment import CACHE_DIR, HEALTH_SECONDS, PLACE, SECRET_FILE
from inference.cluster.replica import NodeResponse, Replica, refused
from inference.models import prepared
from inference.serving.cluster_client.answer_protocol import (
    ANSWER_PATH,
    HEALTH_PATH,
    STATE_PATH,
    too_large,
)

LOAD = "inference.models.loading:load"
HEALTH_TIMEOUT = 10
CONSTRUCTIONS = 3
"""How often a replica that cannot start is tried again before the deployment has failed."""
SPARE_REQUESTS = 64
"""More requests than images, so that it is our own replica that says 429, and says it at once."""
LOOK_BACK_SECONDS = 6
"""Over which the number of images in hand is averaged, to see whether replicas have to come or go."""


class RayReplica:
    """One whole classifier on this machine, with its supervised worker.

    `wanted` is `Settings` as JSON. `digest` is the prepared model that is loaded, None for whatever
    `model.name` names on this machine. `load` is what `Replica` takes.
    """

    async def __init__(self, wanted: str, digest: str | None, load: str) -> None:  # type: ignore[misc] # Serve awaits it
        os.environ.pop("OMP_NUM_THREADS", None)  # Ray sets it to 1, and the worker uses every core
        self._replica = _replica(Settings.model_validate_json(wanted), digest, load)
        await self._replica.start()

    async def __call__(self, request: Request) -> Response:
        """Answer one request of HTTP."""
        authorization = request.headers.get("Authorization")
        match request.method, request.url.path:
            case "POST", path if path == ANSWER_PATH:
                return await self._answer(request, authorization)
            case "GET", path if path == STATE_PATH:
                return _http(self._replica.state(authorization, request.query_params.get("model") or None))
            case "GET", path if path == HEALTH_PATH:
                return _http(self._replica.health())
            case _:
                return Response(status_code=404)

    async def check_health(self) -> None:
        """Answer Ray, every few seconds. A replica whose event loop no longer turns is replaced."""

    async def __del__(self) -> None:
        replica = getattr(self, "_replica", None)
        if replica is not None:
            await replica.close()

    async def _answer(self, request: Request, authorization: str | None) -> Response:
        if (turned_away := self._replica.turns_away(authorization)) is not None:
            return _http(turned_away)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._replica.most_body_bytes:
                return _http(refused(too_large(len(body), self._replica.most_bytes)))
        return _http(await self._replica.answer(bytes(body), authorization))


def shared_settings(wanted: Settings) -> str:
    """Return what replicas on all machines are given of the settings, as JSON."""
    return wanted.model_dump_json(exclude={"discord", "store", "metrics", "privacy"})


def application(wanted: Settings, digest: str | None, load: str) -> serve.Application:
    """Return what Ray Serve deploys: see `RayReplica`."""
    ray = wanted.ray
    options = serve.deployment(
        name="replica",
        max_ongoing_requests=wanted.queue.images + SPARE_REQUESTS,
        max_queued_requests=wanted.queue.images + SPARE_REQUESTS,
        autoscaling_config=AutoscalingConfig(
            min_replicas=ray.min_replicas,
            initial_replicas=ray.min_replicas,
            max_replicas=ray.max_replicas,
            target_ongoing_requests=ray.images_per_replica,
            upscale_delay_s=ray.scale_up_seconds,
            downscale_delay_s=ray.scale_down_seconds,
            look_back_period_s=LOOK_BACK_SECONDS,
        ),
        ray_actor_options={"num_cpus": 0, "resources": {PLACE: 1}},
        max_surge_percent=100,
        health_check_period_s=HEALTH_SECONDS,
        health_check_timeout_s=HEALTH_TIMEOUT,
        graceful_shutdown_wait_loop_s=1,
        graceful_shutdown_timeout_s=wanted.queue.drain,
        max_constructor_retry_count=CONSTRUCTIONS,
        logging_config={"enable_access_log": False},
    )
    deployment: serve.Deployment = options(RayReplica)
    return deployment.bind(shared_settings(wanted), digest, load)


def build(arguments: dict[str, str]) -> serve.Application:
    """Return what KubeRay has Serve deploy: see `deploy/cluster/rayservice.yaml`.

    `arguments` may have "model", the SHA-256 of a model that was pushed, for a rolling update to it; without
    it the one that was pushed last is taken. The settings are those of `WHATSIT_CONFIG` where this is called.
    """
    wanted = load_settings()
    return application(wanted, arguments.get("model") or prepared.current(wanted.model), LOAD)


def _replica(wanted: Settings, digest: str | None, load: str) -> Replica:
    """Return the replica by the settings of the whole cluster, and by this machine's own paths."""
    if (cache_dir := os.environ.get(CACHE_DIR)) is not None:
        wanted = wanted.model_copy(
            update={"model": wanted.model.model_copy(update={"cache_dir": Path(cache_dir)})}
        )
    secret_file = os.environ.get(SECRET_FILE)
    secret = read_secret(Path(secret_file), "cluster.secret_file") if secret_file else None
    return Replica(wanted, secret=secret, model=prepared.pinned(wanted.model, digest), load=load)


def _http(response: NodeResponse) -> Response:
    headers = {} if response.retry_after is None else {"Retry-After": str(response.retry_after)}
    return Response(
        response.body, status_code=response.status, media_type="application/json", headers=headers
    )
