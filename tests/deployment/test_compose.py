"""The compose file: what its specification says of it, and that it fits the Dockerfile and the settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from compose_spec import PyCompose

from config.listen_address import ListenAddress
from config.loading import load

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "compose.yaml").read_text(encoding="utf-8")
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    read: dict[str, Any] = PyCompose.from_yaml(TEXT).to_dict()["services"]
    return read


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("read_only: true", "readonly: true"),
        ("restart: unless-stopped", "restart: sometimes"),
        ("interval: 10s", "interval: often"),
    ],
)
def test_what_is_not_of_the_specification_is_found(right: str, wrong: str) -> None:
    assert right in TEXT
    with pytest.raises(ValueError, match=wrong.partition(":")[0]):
        PyCompose.from_yaml(TEXT.replace(right, wrong, 1))


def test_the_bot_alone_runs_where_no_profile_is_named(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if not service.get("profiles")] == ["bot"]


def test_the_bot_has_no_rights_and_no_port(services: dict[str, Any]) -> None:
    bot = services["bot"]
    assert bot["read_only"] is True
    assert bot["cap_drop"] == ["ALL"]
    assert bot["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in bot


def test_what_is_published_is_for_this_machine_alone() -> None:
    published = re.findall(r"^ +ports: (.*)$", TEXT, re.MULTILINE)
    assert published
    assert all(re.fullmatch(r'\["127\.0\.0\.1:\d+:\d+"\]', ports) for ports in published)


def test_the_volumes_of_the_image_are_kept(services: dict[str, Any]) -> None:
    mounted = {str(volume).split(":")[1] for volume in services["bot"]["volumes"]}
    volumes = re.search(r"^VOLUME (.*)$", DOCKERFILE, re.MULTILINE)
    assert volumes is not None
    assert mounted == set(re.findall(r'"(.*?)"', volumes[1]))


def test_what_the_bot_is_told_are_settings_and_prometheus_finds_it(services: dict[str, Any]) -> None:
    told = services["bot"]["environment"]
    settings = load(environ=told)
    port = ListenAddress.parse(settings.metrics.listen)
    assert port is not None
    scraped = (REPOSITORY / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    assert f'targets: ["bot:{port.port}"]' in scraped


def test_the_dockerfile_sets_settings_and_asks_where_the_metrics_are() -> None:
    (block,) = re.findall(r"^ENV (.*?[^\\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    variables = dict(part.split("=", 1) for part in re.findall(r"[\w.]+=\S+", block))
    settings = load(environ=variables)
    assert str(settings.data.dir) == "/data"
    assert str(settings.model.cache_dir) == "/cache"
    assert f"http://{settings.metrics.listen}/healthz" in DOCKERFILE


def test_what_the_image_is_made_of_is_not_ignored() -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert "*" in ignored
    assert sources == {line[1:] for line in ignored if line.startswith("!")}


def test_postgresql_s_driver_is_the_one_that_the_tests_use() -> None:
    pins = [
        re.search(r"^asyncpg==\S+ \\\n(?:    --hash=\S+(?: \\)?\n)+", text, re.MULTILINE)
        for text in (
            (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
            for name in ("dev.txt", "postgres.txt")
        )
    ]
    assert pins[0] is not None
    assert pins[1] is not None
    assert pins[0][0] == pins[1][0]
