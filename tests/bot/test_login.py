"""Where the token comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.connection.login import token
from config.settings import ConfigError, Discord, Settings


def settings(file: Path | None = None) -> Settings:
    return Settings(discord=Discord(token_file=file))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    named, configured = tmp_path / "named", tmp_path / "configured"
    named.write_text("from.named.file\n", encoding="utf-8")
    configured.write_text("  from.configured.file\r\n\n", encoding="utf-8")
    return named, configured


def test_the_variable_wins_then_the_named_file_then_the_configured_one(files: tuple[Path, Path]) -> None:
    named, configured = files
    environ = {"DISCORD_TOKEN": "from.variable", "DISCORD_TOKEN_FILE": str(named)}
    assert token(settings(configured), environ) == "from.variable"
    assert token(settings(configured), environ) == "from.named.file"
    del environ["DISCORD_TOKEN_FILE"]
    assert token(settings(configured), environ) == "from.configured.file"


def test_a_pasted_authorization_is_understood() -> None:
    assert token(settings(), {"DISCORD_TOKEN": "Bot a.b.c "}) == "a.b.c"


def test_none_at_all_says_where_to_get_one() -> None:
    with pytest.raises(ConfigError, match="DISCORD_TOKEN"):
        token(settings(), {"DISCORD_TOKEN": "", "DISCORD_TOKEN_FILE": ""})


@pytest.mark.parametrize("content", ["", " \n", "one two", "a.b.c\nd.e.f\n", "TOKEN = a", "schlüssel"])
def test_a_file_with_something_else_is_named_and_not_repeated(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token.txt"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"token\.txt") as error:
        token(settings(file), {})
    assert not content.strip() or content.strip() not in str(error.value)


def test_a_file_that_is_not_there_names_the_key_and_the_file(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(ConfigError, match=r"DISCORD_TOKEN_FILE names .*missing.*No such file"):
        token(settings(), {"DISCORD_TOKEN_FILE": str(missing)})
    with pytest.raises(ConfigError, match=r"discord\.token_file names .*missing"):
        token(settings(missing), {})


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "picture"
    file.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ConfigError, match="not a text file"):
        token(settings(file), {})


def test_the_variable_is_forgotten_so_that_no_child_process_inherits_it() -> None:
    environ = {"DISCORD_TOKEN": "a.b.c", "HOME": "/"}
    assert token(settings(), environ) == "a.b.c"
    assert environ == {"HOME": "/"}
