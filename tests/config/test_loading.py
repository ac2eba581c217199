"""Settings come from a file and from variables, and whatever is wrong with them is said all at once."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from config.loading import DEFAULT_FILE, load, variable
from config.settings import ConfigError, Settings, sections


def write(folder: Path, text: str) -> Path:
    file = folder / "whatsit.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_shipped_file_changes_nothing() -> None:
    assert load(environ={}) == Settings()


def test_a_file_sets_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "[answers]\ntop = 5\n[watch]\nchannels = [1, 2]\n"), {})
    assert settings.answers.top == 5
    assert settings.watch.channels == (1, 2)
    assert settings.model == Settings().model


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "[answers]\ntop = 5\nmin_confidence = 0.5\n")
    settings = load(file, {"WHATSIT_ANSWERS__TOP": "7"})
    assert (settings.answers.top, settings.answers.min_confidence) == (7, 0.5)


def test_a_variable_names_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "[answers]\ntop = 9\n")
    assert load(environ={"WHATSIT_CONFIG": str(file)}).answers.top == 9


def test_an_empty_variable_counts_as_unset() -> None:
    assert load(environ={"WHATSIT_ANSWERS__TOP": ""}) == Settings()


@pytest.mark.parametrize("text", ["[3, 4]", "3, 4", "3,4"])
def test_a_list_in_a_variable_is_json_or_has_commas(text: str) -> None:
    assert load(environ={"WHATSIT_WATCH__CHANNELS": text}).watch.channels == (3, 4)


def test_an_empty_list_in_a_variable_watches_nothing() -> None:
    assert load(environ={"WHATSIT_WATCH__CHANNELS": "[]"}).watch.channels == ()


def test_a_home_folder_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/grace")
    assert load(environ={"WHATSIT_MODEL__CACHE_DIR": "~/models"}).model.cache_dir == Path(
        "/home/grace/models"
    )


def test_one_view_may_be_written_as_a_number(tmp_path: Path) -> None:
    assert load(write(tmp_path, "[model]\nviews = 1\n"), {}).model.views == "1"


def test_settings_can_be_sent_to_the_worker() -> None:
    settings = load(environ={"WHATSIT_ANSWERS__TOP": "7"})
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301  # made on the line itself


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[model]\nviews = "3"', 'line 2: model.views cannot be "3". Allowed: "auto" | "1" | "tutorial".'),
        ("[model]\nnmae = 1", "line 2: there is no setting model.nmae. Did you mean name?"),
        ("[modle]", "line 1: there is no setting modle. Did you mean model?"),
        ("[queue]\nimages = 0", "line 2: queue.images cannot be 0. Allowed: whole number > 0."),
        ("queue.images = 0", "line 1: queue.images cannot be 0."),
        ("[limits]\nimages_per_answer = 11", "Allowed: whole number >= 1 and <= 10."),
        ("[watch]\nlinks = 7", "line 2: watch.links cannot be 7. Allowed: true | false."),
        ("[worker]\ndeadline = inf", "worker.deadline cannot be"),
        ("[download]\nhosts = ['a/b']", 'download.hosts cannot be "a/b". Allowed: a list, each a host name'),
        ("model = 3", "line 1: model: must be a table: [model]."),
        ('[discord]\napi_url = "https://a/api"', "api_url and gateway_url go together"),
        ('[discord]\napi_url = "a"', "Allowed: an address that begins with https://"),
        ("[answers", "is not valid TOML"),
    ],
)
def test_a_fault_in_the_file_names_key_place_and_allowed_values(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "WHATSIT_ANSWERS__TOP",
            "11",
            'WHATSIT_ANSWERS__TOP: answers.top cannot be "11". Allowed: whole number',
        ),
        ("WHATSIT_ANSWER__TOP", "1", "there is no such setting. Did you mean WHATSIT_ANSWERS__TOP?"),
        ("WHATSIT_MODEL", "{}", "WHATSIT_MODEL: there is no such setting. Did you mean WHATSIT_MODEL__"),
        ("WHATSIT_FOO", "1", f"WHATSIT_FOO: there is no such setting. {DEFAULT_FILE} lists what there is."),
        ("WHATSIT_WATCH__CHANNELS", "[1,", "WHATSIT_WATCH__CHANNELS: watch.channels cannot be"),
        (
            "WHATSIT_WATCH__CHANNELS",
            "general",
            'watch.channels cannot be "general". Allowed: a list, each whole',
        ),
    ],
)
def test_a_fault_in_a_variable_names_it(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ={name: value})
    assert said in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, "[answers]\ntop = 0\n[queue]\nimages = 0\n")
    with pytest.raises(ConfigError) as caught:
        load(file, {"WHATSIT_TOPP": "1", "WHATSIT_WORKER__NICE": "99"})
    assert len(str(caught.value).splitlines()) == 4


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read: No such file"):
        load(tmp_path / "nowhere.toml", {})
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, {})
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not a text file in UTF-8"):
        load(binary, {})


def test_every_setting_has_its_variable() -> None:
    names = {variable(section, key) for section, schema in sections().items() for key in schema.model_fields}
    for name in names:
        with pytest.raises(ConfigError) as caught:
            load(environ={name + "X": "1"})
        assert f"Did you mean {name}?" in str(caught.value)
