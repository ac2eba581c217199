"""Where the metrics are served: only this machine reads them unless another address is written out."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.listen_address import ListenAddress
from config.loading import load
from config.settings import ConfigError


@pytest.mark.parametrize(
    ("text", "means", "is_loopback"),
    [
        ("9464", "127.0.0.1:9464", True),
        ("localhost:9464", "127.0.0.1:9464", True),
        ("127.0.0.1:1", "127.0.0.1:1", True),
        ("[::1]:9464", "[::1]:9464", True),
        ("0.0.0.0:9464", "0.0.0.0:9464", False),
        ("192.168.1.2:65535", "192.168.1.2:65535", False),
        ("[::]:9464", "[::]:9464", False),
    ],
)
def test_an_address_or_a_port_of_this_machine(text: str, means: str, is_loopback: bool) -> None:
    address = ListenAddress.parse(text)
    assert address is not None
    assert str(address) == means
    assert address.is_loopback is is_loopback


@pytest.mark.parametrize("text", [":9464", "*:9464", "whatsit.example:9464", "::1:9464", "[127.0.0.1]:9464"])
def test_what_does_not_say_whom_it_lets_in_is_refused_with_what_each_way_means(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(environ={"WHATSIT_METRICS__LISTEN": text})
    assert f'metrics.listen cannot be "{text}"' in str(refused.value)
    assert "At 127.0.0.1:9464 this machine alone can read it" in str(refused.value)
    assert "at 0.0.0.0:9464 everybody can who reaches this machine" in str(refused.value)


@pytest.mark.parametrize("text", ["0", "65536", "127.0.0.1:", "127.0.0.1", "-1", "metrics", "1²"])
def test_without_a_port_it_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ConfigError, match=r"must end in a port, from 1 to 65535, as 127\.0\.0\.1:9464 does"):
        load(environ={"WHATSIT_METRICS__LISTEN": text})


def test_nothing_is_served_unless_it_is_asked_for() -> None:
    assert load(environ={}).metrics.address is None


def test_a_port_may_be_a_number_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "whatsit.toml"
    file.write_text("[metrics]\nlisten = 9464\n")
    assert load(file, {}).metrics.address == ("127.0.0.1", 9464)
