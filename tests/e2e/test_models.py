"""`whatsit models`: what there is to choose from, and what of it is on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.command import CAT, lines, whatsit
from tests.e2e.terminal import Terminal


def test_the_catalogue_is_listed_and_nothing_is_cached_in_a_new_folder(tmp_path: Path) -> None:
    run = whatsit(
        "models", "--json", variables={"WHATSIT_MODEL__CACHE_DIR": str(tmp_path), "TFHUB_CACHE_DIR": ""}
    )
    models = {line["name"]: line for line in lines(run)}
    assert run.returncode == 0
    assert set(models) == {"mobilenet_v2", "mobilenet_v2_130", "mobilenet_v1_025", "efficientnet_lite0"}
    assert (models["mobilenet_v1_025"]["input_size"], models["mobilenet_v1_025"]["classes"]) == (128, 1001)
    assert models["efficientnet_lite0"]["source"] == "embedded"
    assert not any(model["cached"] for model in models.values())


def test_refresh_says_what_it_did_or_why_not(tmp_path: Path) -> None:
    run = whatsit("models", "refresh", variables={"WHATSIT_MODEL__CACHE_DIR": str(tmp_path)})
    assert (run.returncode, run.stderr) == (0, b"")
    assert "The next start asks the Hub" in run.stdout.decode()
    file = tmp_path / "file"
    file.touch()
    run = whatsit("models", "refresh", variables={"WHATSIT_MODEL__CACHE_DIR": str(file)})
    assert run.returncode == 1
    assert f"whatsit: {file} cannot be written: Not a directory" in run.stderr.decode()


def test_a_narrow_terminal_shows_every_name_whole(tmp_path: Path) -> None:
    with Terminal("models", COLUMNS="40", WHATSIT_MODEL__CACHE_DIR=str(tmp_path)) as terminal:
        for name in ("mobilenet_v2", "mobilenet_v2_130", "mobilenet_v1_025", "efficientnet_lite0, chosen"):
            terminal.wait_for(rf"(?m)^{name}\n    \S")
        assert terminal.end() == 0


@pytest.mark.real_model
def test_a_model_that_was_used_is_on_this_machine() -> None:
    assert whatsit("classify", CAT).returncode == 0
    rows = [line.split("\t") for line in whatsit("models").stdout.decode().splitlines()]
    places = {row[0]: row[4] for row in rows}
    assert (Path(places["efficientnet_lite0"]) / "saved_model.pb").is_file()
