"""`python -m inference.cluster.ray_nodes.deployer SETTINGS LOAD [DIGEST]`: have the cluster run the replicas.

It waits until they answer, and ends; what is deployed goes on. Where the same is deployed already, as after a
new start of the head, it only waits. Another model, or other settings, replace the replicas one by one.
"""

from __future__ import annotations

import hashlib
import logging
import sys
import time
import warnings
from pathlib import Path

import ray
from ray import serve
from ray.serve.config import HTTPOptions

from config.settings import Settings
from inference.cluster.ray_nodes.ray_replica import application, shared_settings

APPLICATION = "whatsit"
NOTE = Path("ray", "deployed")
"""Beside the head's memory: the version of what that has deployed."""
AGAIN_SECONDS = 120.0
EVERYWHERE = "0.0.0.0"  # noqa: S104 - see `http_host`


def main(arguments: list[str]) -> int:
    """Deploy, and return the exit code: 0 when the replicas answer; else standard error says why not."""
    wanted, load, *more = Settings.model_validate_json(arguments[0]), *arguments[1:]
    digest = more[0] if more else None
    ray.init(
        address=str(wanted.ray.head_address),
        log_to_driver=False,
        logging_level=logging.WARNING,
        configure_logging=False,
    )
    serve.start(
        proxy_location="EveryNode",
        http_options=HTTPOptions(host=http_host(wanted), port=wanted.cluster.address.port),
        logging_config={"enable_access_log": False, "log_level": "WARNING"},
    )
    version = hashlib.sha256(f"{digest} {load} {shared_settings(wanted)}".encode()).hexdigest()
    note = wanted.data.dir / NOTE
    if _is_deployed() and note.exists() and note.read_text(encoding="ascii") == version:
        return _wait()
    note.unlink(missing_ok=True)
    try:
        serve.run(application(wanted, digest, load), name=APPLICATION, route_prefix="/", blocking=False)
    except RuntimeError as error:
        print(error, _why(), file=sys.stderr)
        return 1
    note.write_text(version, encoding="ascii")
    return 0


def _is_deployed() -> bool:
    return APPLICATION in serve.status().applications


def _wait() -> int:
    """Wait until what the head remembers runs again."""
    until = time.monotonic() + AGAIN_SECONDS
    while time.monotonic() < until:
        if serve.status().applications[APPLICATION].status == "RUNNING":
            return 0
        time.sleep(0.2)
    print(_why(), file=sys.stderr)
    return 1


def _why() -> str:
    """Return what Serve says of the replicas."""
    state = serve.status().applications.get(APPLICATION)
    return "" if state is None else "\n".join(each.message for each in state.deployments.values())


def http_host(wanted: Settings) -> str:
    """Return where replicas listen on each machine. It is one word for all machines, whose addresses differ.

    So where there are several, replicas listen on every interface, and the secret is what they are guarded
    by. HAProxy, before them, listens where `cluster.listen` says (`haproxy.sh`).
    """
    return wanted.cluster.address.host if wanted.ray.is_alone else EVERYWHERE


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of libraries, and about themselves
    sys.exit(main(sys.argv[1:]))
