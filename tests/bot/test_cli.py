"""The `whatsit` command where no model is needed: usage, settings, sources, links."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

import pytest

from bot.cli import main
from bot.cli.sources import Source, Unreadable, sources_of
from bot.cli.terminal import safe
from tests.e2e.command import whatsit


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither settings nor a token come from whoever runs these tests."""
    for name in [name for name in os.environ if name.startswith(("WHATSIT_", "DISCORD_"))]:
        monkeypatch.delenv(name)


def test_help_names_every_command_and_loads_none_of_them() -> None:
    script = (
        "import sys; from bot.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print('loaded:', {'discord', 'aiohttp', 'rich', 'pydantic', 'simcord'} & set(sys.modules))"
    )
    run = whatsit(command=(sys.executable, "-c", script))
    said = run.stdout.decode()
    assert run.returncode == 0
    assert "loaded: set()" in said
    for command in ("run", "demo", "classify", "models", "doctor", "invite"):
        assert f"\n    {command} " in said


def test_the_links_are_there_without_loading_what_only_a_bot_needs() -> None:
    script = (
        "import sys; from bot.cli import main\n"
        "code = main(['invite', '--id', '5'])\n"
        "print(code, 'loaded:', {'sqlalchemy', 'alembic', 'bot.client'} & set(sys.modules))"
    )
    said = whatsit(command=(sys.executable, "-c", script)).stdout.decode()
    assert "client_id=5" in said
    assert "0 loaded: set()" in said


@pytest.mark.parametrize(
    "typed",
    [
        [],
        ["frobnicate"],
        ["classify"],
        ["classify", "--top", "0", "a.jpg"],
        ["classify", "--top", "many", "a.jpg"],
        ["classify", "--views", "3", "a.jpg"],
        ["invite", "--id", "-1"],
    ],
)
def test_bad_usage_is_exit_code_2(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(typed)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: whatsit")


@pytest.mark.parametrize("command", [["run"], ["demo"], ["classify", "a.jpg"], ["models"], ["invite"]])
def test_a_bad_setting_is_exit_code_2_and_named(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WHATSIT_ANSWERS__TOP", "99")
    assert main(command) == 2
    assert "WHATSIT_ANSWERS__TOP: answers.top cannot be" in capsys.readouterr().err


def test_a_config_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", "--config", str(tmp_path / "no.toml"), "a.jpg"]) == 2
    assert "no.toml: cannot be read" in capsys.readouterr().err


def test_standard_input_can_be_read_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", "-", "-"]) == 2
    assert "only once" in capsys.readouterr().err


def test_a_folder_stands_for_its_pictures_in_order_of_name(tmp_path: Path) -> None:
    for name in ("b.png", "a.HEIC", "c.txt", ".d.png", "sub/e.webp", ".git/f.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [source.name for source in sources_of(["x.jpg", str(tmp_path)])]
    assert names == ["x.jpg", f"{tmp_path}/a.HEIC", f"{tmp_path}/b.png", f"{tmp_path}/sub/e.webp"]


def test_a_folder_without_pictures_says_so(tmp_path: Path) -> None:
    (source,) = sources_of([str(tmp_path)])
    with pytest.raises(Unreadable) as caught:
        source.read(10)
    assert caught.value.code == "no_images"


def test_no_more_is_read_than_allowed(tmp_path: Path) -> None:
    (tmp_path / "long.jpg").write_bytes(b"x" * 100)
    assert Source(str(tmp_path / "long.jpg")).read(10) == b"x" * 10


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileNotFoundError(2, "No such file"), "not_found"),
        (PermissionError(13, "Permission denied"), "permission_denied"),
        (OSError(5, "Input/output error"), "unreadable"),
    ],
)
def test_what_the_system_says_has_a_code(error: OSError, code: str) -> None:
    assert Unreadable.of(error).code == code


def test_a_name_cannot_play_tricks_on_the_terminal() -> None:
    assert safe("cat \x1b[2J\n\udcff é.jpg") == r"cat \x1b[2J\n\udcff é.jpg"


def test_run_logs_without_colour_where_there_is_no_terminal_also_in_a_container(tmp_path: Path) -> None:
    script = (
        "import sys, discord.utils; discord.utils.is_docker = lambda: True\n"
        "from bot.cli import main; sys.exit(main(['run']))"
    )
    nowhere = {
        "DISCORD_TOKEN": "a.b.c",
        "WHATSIT_DATA__DIR": str(tmp_path),
        "WHATSIT_DISCORD__API_URL": "http://127.0.0.1:1/api/v10",
        "WHATSIT_DISCORD__GATEWAY_URL": "ws://127.0.0.1:1",
    }
    run = whatsit(command=(sys.executable, "-c", script), variables=nowhere)
    assert run.returncode == 1
    assert "[error    ] 127.0.0.1 cannot be reached" in run.stderr.decode()
    assert b"\x1b" not in run.stderr


def test_invite_reads_the_application_from_the_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = base64.urlsafe_b64encode(b"123456789012345678").decode().rstrip("=")
    monkeypatch.setenv("DISCORD_TOKEN", f"{first}.aaaaaa.bbbbbb")
    assert main(["invite"]) == 0
    server, account = capsys.readouterr().out.splitlines()
    assert "client_id=123456789012345678&scope=bot+applications.commands&permissions=274877992000" in server
    assert account.endswith("client_id=123456789012345678&scope=applications.commands&integration_type=1")


def test_invite_never_repeats_a_token_it_cannot_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "hunter2")
    assert main(["invite"]) == 2
    assert "hunter2" not in "".join(capsys.readouterr())


def test_invite_of_a_server_of_its_own_needs_no_id_and_says_who_adds_the_bot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "eyJhbGciOiJFUzUxMiJ9.eyJpZCI6IjEifQ.c2lnbmF0dXJl")  # a JWT
    monkeypatch.setenv("WHATSIT_DISCORD__API_URL", "https://chat.example/api/v9")
    monkeypatch.setenv("WHATSIT_DISCORD__GATEWAY_URL", "wss://chat.example")
    assert main(["invite"]) == 1
    assert "add the bot there as that server does it" in capsys.readouterr().err


def test_invite_without_a_token_says_where_to_get_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["invite"]) == 2
    assert "discord.com/developers/applications" in capsys.readouterr().err
