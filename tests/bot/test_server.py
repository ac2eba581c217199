"""The addresses of a self-hosted server, before anything is sent to them."""

from __future__ import annotations

import discord.http
import pytest
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.connection.server import Server, own_url, rest_proxy_of, use
from config.settings import ConfigError, Discord


def server(api: str = "https://chat.example/api/v9", gateway: str = "wss://gateway.chat.example") -> Server:
    found = Server.of(Discord(api_url=api, gateway_url=gateway))
    assert found is not None
    return found


def test_without_addresses_it_is_discord() -> None:
    assert Server.of(Discord()) is None


def test_a_slash_at_the_end_does_not_matter() -> None:
    assert server("https://chat.example/api/v9/", "wss://gateway.chat.example/") == server()


@pytest.mark.parametrize(
    "api",
    [
        "https://chat.example/api",
        "https://chat.example/api/v8",
        "https://chat.example",
        "https://user@chat.example/api/v9",
        "https://chat.example/api/v9?x=1",
        "https:///api/v9",
        "https://discord.com/api/v10",
        "https://canary.discord.com/api/v10",
        "https://[::1/api/v9",
    ],
)
def test_an_api_that_cannot_be_is_one_error_that_names_it(api: str) -> None:
    with pytest.raises(ConfigError, match=r"discord\.api_url"):
        server(api=api)


@pytest.mark.parametrize("gateway", ["wss:///", "wss://gateway.discord.gg", "wss://chat.example?v=9"])
def test_a_gateway_that_cannot_be_likewise(gateway: str) -> None:
    with pytest.raises(ConfigError, match=r"discord\.gateway_url"):
        server(gateway=gateway)


def test_a_token_in_the_clear_over_the_internet_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    server("http://127.0.0.1:3001/api/v9", "ws://192.168.0.7:3001")
    server("http://localhost:3001/api/v9", "ws://spacebar:3001")
    assert caplog.text == ""
    server("http://chat.example/api/v9")
    assert "unencrypted" in caplog.text


def test_its_file_hosts_replace_discords_and_join_the_owners() -> None:
    assert server().file_hosts(["cdn.discordapp.com", "media.discordapp.net", "pictures.example"]) == [
        "https://chat.example",
        "pictures.example",
    ]


def test_it_is_one_switch_and_switches_back() -> None:
    before = (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE, discord.http.INTERNAL_API_VERSION)
    parse = discord.http.json_or_text
    use(server())
    try:
        assert Route("GET", "/users/@me").url == "https://chat.example/api/v9/users/@me"
        assert URL("wss://gateway.chat.example") == DiscordWebSocket.DEFAULT_GATEWAY
        assert Asset.BASE == "https://chat.example"
        assert discord.http.INTERNAL_API_VERSION == 9
    finally:
        use(None)
    after = (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE, discord.http.INTERNAL_API_VERSION)
    assert after == before
    assert discord.http.json_or_text is parse
    assert "gateway" not in vars(DiscordWebSocket)


def test_a_proxy_has_the_same_paths_and_the_api_keeps_its_own_address() -> None:
    use(None, rest_proxy_of(Discord(rest_proxy_url="http://127.0.0.1:8080/")))
    try:
        assert Route("GET", "/users/@me").url == "http://127.0.0.1:8080/api/v10/users/@me"
        assert own_url("/gateway/bot") == "https://discord.com/api/v10/gateway/bot"
    finally:
        use(None)
    assert Route("GET", "/users/@me").url == "https://discord.com/api/v10/users/@me"


@pytest.mark.parametrize("address", ["http:///x", "https://discord.com/api/v10", "http://user@10.0.0.1"])
def test_a_proxy_that_cannot_be_is_one_error_that_names_it(address: str) -> None:
    with pytest.raises(ConfigError, match="rest_proxy_url"):
        rest_proxy_of(Discord(rest_proxy_url=address))


def test_a_proxy_is_for_discord_alone() -> None:
    discord = Discord(
        api_url="https://chat.example/api/v9",
        gateway_url="wss://chat.example",
        rest_proxy_url="http://127.0.0.1:8080",
    )
    with pytest.raises(ConfigError, match="rest_proxy_url is for Discord"):
        rest_proxy_of(discord)
