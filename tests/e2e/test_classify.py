"""`whatsit classify`, with the real model, as it is typed and as a script reads it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psutil
import pytest
from PIL import Image

from tests.e2e.command import CAT, COFFEE, HOPPER, ROOT, TIMEOUT, WHATSIT, environment, lines, whatsit
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.real_model


def test_json_gives_one_object_a_line_in_the_order_asked_for(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(CAT.read_bytes()[:5000])
    text = tmp_path / "text.jpg"
    text.write_text("not a picture")
    asked = [HOPPER, tmp_path / "nowhere.jpg", CAT, broken, text, COFFEE]

    run = whatsit("classify", "--json", "--top", "3", *asked)

    assert run.returncode == 1
    found = lines(run)
    assert [line["source"] for line in found] == [str(path) for path in asked]
    hopper, nowhere, cat, damaged, words, coffee = found
    assert hopper["labels"][0]["label"] == "military uniform"
    assert cat["labels"][0]["label"] in {"Egyptian cat", "tabby", "tiger cat"}
    assert coffee["labels"][0]["label"] in {"espresso", "cup", "coffee mug"}
    assert nowhere["error"]["code"] == "not_found"
    assert damaged["error"]["code"] == "corrupt_image"
    assert words["error"]["code"] == "not_an_image"
    assert all(set(line["error"]) == {"code", "message"} for line in (nowhere, damaged, words))

    assert set(cat) == {"source", "model", "engine", "size", "labels", "coarse", "views", "crops", "ms"}
    assert (cat["model"], cat["size"], cat["views"]) == ("efficientnet_lite0", [451, 300], "auto")
    assert cat["crops"] in {1, 3}
    assert set(cat["ms"]) == {"decode", "predict"}
    assert [set(label) for label in cat["labels"]] == [{"label", "index", "probability"}] * 3
    chances = [label["probability"] for label in cat["labels"]]
    assert chances == sorted(chances, reverse=True)
    assert 0 < sum(chances) <= 1
    assert cat["coarse"][0]["name"] == "cat"
    assert cat["coarse"][0]["probability"] >= sum(chances[:2])


def test_standard_input_a_folder_and_tabs_where_there_is_no_terminal(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    shutil.copy(CAT, tmp_path / "deep" / "b.png")
    shutil.copy(HOPPER, tmp_path / "a.JPG")
    (tmp_path / "notes.txt").write_text("left alone")
    (tmp_path / ".hidden.png").write_text("left alone")

    run = whatsit("classify", "--views", "1", "-", tmp_path, stdin=COFFEE.read_bytes())

    assert run.returncode == 0
    rows = [line.split("\t") for line in run.stdout.decode().splitlines()]
    assert [row[0] for row in rows] == ["-", f"{tmp_path}/a.JPG", f"{tmp_path}/deep/b.png"]
    assert rows[2][1].startswith(("Egyptian cat ", "tabby ", "tiger cat "))
    assert len(rows[1]) == 1 + 5
    assert run.stderr == b""


def test_names_are_said_in_the_language_asked_for_and_json_keeps_the_english_ones_too() -> None:
    german = whatsit("classify", "--top", "1", COFFEE, variables={"LC_ALL": "de_DE.UTF-8"}).stdout.decode()
    assert re.search(r"\tEspresso \d+,\d\xa0%$", german.rstrip("\n"))
    japanese = lines(whatsit("--lang", "ja", "classify", "--json", "--top", "1", COFFEE))[0]
    assert (japanese["labels"][0]["label"], japanese["labels"][0]["word"]) == ("espresso", "エスプレッソ")
    assert all(coarse["word"] != coarse["name"] for coarse in japanese["coarse"])
    plain = lines(whatsit("classify", "--json", "--top", "1", COFFEE, variables={"LC_ALL": "ja_JP.UTF-8"}))[0]
    assert "word" not in plain["labels"][0]
    assert whatsit("--lang", "tlh", "classify", COFFEE).returncode == 2


def test_explain_draws_where_the_one_picture_was_seen(tmp_path: Path) -> None:
    drawing = tmp_path / "why.png"
    done = whatsit("classify", "--explain", drawing, COFFEE)
    assert done.returncode == 0, done.stderr
    with Image.open(drawing) as drawn:
        assert (drawn.format, drawn.width > 1000) == ("PNG", True)
    two = whatsit("classify", "--explain", drawing, COFFEE, CAT)
    assert (two.returncode, two.stdout) == (2, b"")
    assert b"--explain draws one picture, and 2 were named" in two.stderr
    nowhere = whatsit("classify", "--explain", tmp_path / "no" / "why.png", COFFEE)
    assert nowhere.returncode == 1
    assert b"espresso" in nowhere.stdout
    assert b"could not be made" in nowhere.stderr


def test_a_terminal_reads_japanese() -> None:
    with Terminal("--lang", "ja", "classify", str(COFFEE)) as terminal:
        terminal.wait_for("モデル: efficientnet_lite0")
        terminal.wait_for("エスプレッソ")


def test_views_are_set_and_named() -> None:
    run = whatsit("classify", "--json", "--views", "tutorial", CAT)
    assert (lines(run)[0]["views"], lines(run)[0]["crops"]) == ("tutorial", 1)


def test_a_terminal_sees_what_discord_would_show() -> None:
    with Terminal("classify", str(CAT), str(COFFEE), "--views") as terminal:
        terminal.wait_for("efficientnet_lite0 on .*, views: auto")
        terminal.wait_for(
            r"chelsea.png +crops: \d\n +cat \d\d% *\n +█+░+ +\d\d% (Egyptian cat|tabby|tiger cat) *\n"
        )
        terminal.wait_for(r"coffee.png +crops: \d\n +█+.* +\d\d% espresso")
        assert terminal.end() == 0


def test_a_narrow_terminal_shows_path_and_names_whole_and_says_when_it_is_not_sure() -> None:
    unsure = {"WHATSIT_ANSWERS__MIN_CONFIDENCE": "1"}
    with Terminal("classify", str(COFFEE), COLUMNS="40", **unsure) as terminal:
        shown = terminal.wait_for(r"(?s)views: +\n?auto\n(.*)\n +I'm not sure\. Maybe an espresso\? *\n")
        assert shown[1].replace("\n", "") == str(COFFEE)
        assert len(shown[1].splitlines()) == -(-len(str(COFFEE)) // 40)
        terminal.wait_for(r"% chocolate sauce *\n")
        assert terminal.end() == 0


def test_a_terminal_sees_each_picture_as_soon_as_it_is_named() -> None:
    with Terminal("classify", str(CAT), "-") as terminal:
        terminal.wait_for("Egyptian cat|tabby|tiger cat")
        assert terminal.end() == 1, "standard input, which nothing was typed into, is no picture"


def test_what_is_printed_goes_where_it_was_sent_while_a_terminal_shows_the_bar() -> None:
    ours, theirs = os.openpty()
    shown: list[bytes] = []

    def show() -> None:
        """Read as a terminal does: one that nobody reads takes some kilobytes, and then holds the writer."""
        with suppress(OSError):  # how a terminal says that its last writer is gone
            while some := os.read(ours, 4096):
                shown.append(some)

    screen = Thread(target=show)
    screen.start()
    try:
        run = subprocess.run(
            [*WHATSIT, "classify", "--json", CAT, COFFEE],
            stdout=subprocess.PIPE,
            stderr=theirs,
            env=environment(),
            cwd=ROOT,
            check=True,
            timeout=TIMEOUT,
        )
    finally:
        os.close(theirs)
        screen.join()
        os.close(ours)
    assert [line["source"] for line in lines(run)] == [str(CAT), str(COFFEE)]
    assert b"".join(shown), "the bar"


def test_a_name_that_is_no_utf8_is_valid_json(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(os.fsdecode(name)).symlink_to(CAT)
    run = whatsit("classify", "--json", os.fsdecode(name))
    assert run.returncode == 0
    assert lines(run)[0]["source"] == f"{tmp_path}/caf\\xe9.png"


def test_a_model_that_cannot_be_had_is_said_once_and_for_every_picture(tmp_path: Path) -> None:
    run = whatsit("classify", "--json", "--model", tmp_path / "no_model", CAT, HOPPER)
    assert run.returncode == 1
    assert [line["error"]["code"] for line in lines(run)] == ["model_unavailable"] * 2
    assert "no_model" in run.stderr.decode()
    assert "Traceback" not in run.stderr.decode()


def test_a_reader_that_leaves_early_is_no_error_to_speak_of() -> None:
    with subprocess.Popen(
        [*WHATSIT, "classify", "--json", *[str(CAT)] * 50],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["labels"]
        process.stdout.close()
        complaint = process.stderr.read()
    assert complaint == b""


def test_ctrl_c_ends_it_quietly_and_leaves_no_process() -> None:
    with subprocess.Popen(
        [*WHATSIT, "classify", "--json", *[str(CAT)] * 5000],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(WHATSIT_QUEUE__VERDICTS="0"),
        cwd=ROOT,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        children = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint == b""
    assert children
    psutil.wait_procs(children, timeout=10)
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def test_the_process_that_holds_the_gateway_never_imports_pixels_or_tensors() -> None:
    script = (
        "import sys; from bot.cli import main; code = main(sys.argv[1:]);"
        "heavy = {'numpy', 'PIL', 'tensorflow', 'tensorflow_hub', 'openvino'} & set(sys.modules);"
        "sys.exit(f'{code} {heavy}' if heavy or code else 0)"
    )
    run = whatsit("classify", CAT, command=(sys.executable, "-c", script))
    assert (run.returncode, run.stderr.decode()) == (0, "")
