"""What a process of ours may see of the environment it is started from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inference.subprocesses import own_environment

SECRETS = {
    "DISCORD_TOKEN": "token",
    "DISCORD_TOKEN_FILE": "/somewhere/token",
    "WHATSIT_STORE__URL": "postgresql://whatsit:password@db/whatsit",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "GITHUB_TOKEN": "secret",
    "HTTPS_PROXY": "http://me:password@proxy:3128",
    "https_proxy": "http://me:password@proxy:3128",
    "ALL_PROXY": "socks5://me:password@proxy:1080",
    "SSH_AUTH_SOCK": "/run/agent",
    "PGPASSWORD": "password",
}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("secrets")
def test_no_secret_passes_to_a_process_that_decodes_pictures() -> None:
    assert SECRETS.keys().isdisjoint(own_environment())


@pytest.mark.usefixtures("secrets")
def test_only_a_process_that_downloads_hears_of_proxies() -> None:
    passed = SECRETS.keys() & own_environment(network=True).keys()
    assert passed == {"HTTPS_PROXY", "https_proxy", "ALL_PROXY"}


def test_what_the_numeric_libraries_are_told_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "OMP_NUM_THREADS": "1",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OV_CPU_MAX_ISA": "avx2",
        "LC_ALL": "C.UTF-8",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert told.items() <= own_environment().items()


def test_defaults_give_way_to_what_is_set_and_what_is_forced_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "3")
    given = own_environment(defaults={"MALLOC_ARENA_MAX": "1", "TF_X": "1"}, forced={"TF_Y": "2"})
    assert (given["MALLOC_ARENA_MAX"], given["TF_X"], given["TF_Y"]) == ("3", "1", "2")


@pytest.mark.usefixtures("secrets")
def test_our_own_packages_are_found_from_any_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", "import inference.results, config.settings"]
    subprocess.run(command, check=True, env=own_environment(), cwd=tmp_path)
