"""What Ray is told by environment variables: most of its settings cannot be given in another way.

The names are those of Ray 2.60. They are read when a process of Ray starts, on each machine for itself.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from config.settings import Settings
from inference.subprocesses import ROOT

HAPROXY = Path(__file__).with_name("haproxy.sh")
"""Stands before the HAProxy that Ray brings, and has it listen where we say."""

PLACEMENT = "inference.cluster.ray_nodes.placement.place_everywhere"
"""What Serve's controller calls before it does anything else."""

RECONNECT_SECONDS = 600
"""How long machines and replicas go on without a head before they give up."""
HEALTH_SECONDS = 2
"""Between two looks at an ingress, and at a replica."""
CONTROL_SECONDS = 0.5
"""Between two looks of Serve's controller at everything: with its 0.1 it is most of an idle head's work."""
PATIENCE_SECONDS = 15
"""For the start of an ingress: with Ray's 5, a busy machine lost some that were only slow."""
DRAINING_SECONDS = 3
"""A replica that is to end still answers for so long, in which the ingresses hear of it."""
SLACK_SECONDS = 15
"""Added to `queue.timeout`: by then a node has answered, or never will."""
SECRET_FILE, CACHE_DIR = "WHATSIT_CLUSTER__SECRET_FILE", "WHATSIT_MODEL__CACHE_DIR"
"""Paths differ from machine to machine, so a replica takes them from its own machine's settings."""

PLACE = "whatsit_place"
"""The resource of Ray that says how many replicas a machine takes."""
PLACES_EACH = 2
"""What stands for one place, of which a replica takes one: in an update, a new replica starts beside the
old."""

OURS = re.compile(r"RAY_.*|SERVE_.*|WHATSIT_.*|DISCORD_.*")
"""Variables that are not handed on: Ray's may undo what is set here, and others hold secrets."""


def ray_environment(wanted: Settings, run_dir: Path, token_file: Path, binary: str) -> dict[str, str]:
    """Return the whole environment of Ray on this machine, whose own files are in `run_dir`.

    `binary` is the HAProxy that is started.
    """
    haproxy = run_dir / "ha"
    ray, cluster = wanted.ray, wanted.cluster
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    passed = {name: value for name, value in os.environ.items() if not OURS.fullmatch(name)}
    ours = {
        "PYTHONPATH": path,
        # HAProxy hands bytes straight to a replica. Ray's own proxy costs eight times as much.
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(HAPROXY),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(haproxy / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(haproxy / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(haproxy / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(haproxy),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(haproxy / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(cluster.address.port + 2),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(cluster.address.port + 3),
        "RAY_SERVE_HAPROXY_NBTHREAD": "1",  # one takes thousands of pictures a second
        "RAY_SERVE_HAPROXY_TIMEOUT_SERVER_S": str(int(wanted.queue.timeout) + SLACK_SECONDS),
        "RAY_SERVE_HAPROXY_HEALTH_CHECK_INTER": "1s",
        "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": str(int(wanted.queue.timeout) + SLACK_SECONDS),
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": str(CONTROL_SECONDS),
        "RAY_SERVE_CONTROLLER_CALLBACK_IMPORT_PATH": PLACEMENT,
        # A node's ingress may have another port than the head's.
        "RAY_SERVE_WORKER_PROXY_HTTP_PORT": str(cluster.address.port),
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": str(HEALTH_SECONDS),
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": str(HEALTH_SECONDS),
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": str(PATIENCE_SECONDS),
        "RAY_SERVE_PROXY_MIN_DRAINING_PERIOD_S": str(DRAINING_SECONDS),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": str(DRAINING_SECONDS),
        "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": str(wanted.queue.drain),
        # Who may give orders to Ray, and what it tells others.
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token_file),
        "RAY_USAGE_STATS_ENABLED": "0",
        # The head's memory, from which a new head goes on.
        "RAY_gcs_storage": "rocksdb",
        "RAY_gcs_storage_path": str(wanted.data.dir / "ray"),
        "RAY_gcs_rpc_server_reconnect_timeout_s": str(RECONNECT_SECONDS),
        # Our own supervisor bounds the worker's memory, and `worker.nice` says how nice it is.
        "RAY_memory_monitor_refresh_ms": "0",
        "RAY_worker_niceness": "0",
        "WHATSIT_HAPROXY": binary,
        "WHATSIT_STATS_PORT": str(cluster.address.port + 3),
        "WHATSIT_INGRESS_HOST": cluster.address.host,
        CACHE_DIR: str(wanted.model.cache_dir),
    }
    if cluster.secret_file is not None:
        ours[SECRET_FILE] = str(cluster.secret_file)
    if ray.is_alone:
        # The only way to have everything of Ray listen at 127.0.0.1 and nowhere else.
        ours["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    return {**passed, **ours}
