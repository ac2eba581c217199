"""The catalogue names its models, and what of them is on this machine."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha1
from pathlib import Path

import pytest

from config.settings import Model
from inference.models import catalogue, child_process, embedded
from inference.models.catalogue import CatalogueRow, describe, entries, find


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)


def row(name: str, cache: Path) -> CatalogueRow:
    return next(row for row in describe(Model(cache_dir=cache)) if row.entry.name == name)


def test_the_catalogue_has_the_models_of_the_design() -> None:
    listed = {entry.name: (entry.input_size, entry.classes, entry.temperature) for entry in entries()}
    assert listed == {
        "mobilenet_v2": (224, 1001, 1.0),
        "mobilenet_v2_130": (224, 1001, 1.0),
        "mobilenet_v1_025": (128, 1001, 1.0),
        "efficientnet_lite0": (224, 1000, 0.8),
    }
    for entry in entries():
        assert entry.source == "embedded" or entry.source.startswith("https://tfhub.dev/google/imagenet/")
        assert entry.licence
        assert entry.summary


def test_auto_means_models_that_are_there() -> None:
    assert find(catalogue.AUTO)
    assert find(catalogue.EMBEDDED)


def test_a_model_is_found_by_name_or_address() -> None:
    by_name = find("mobilenet_v2")
    assert by_name
    assert find(by_name.source) is by_name
    assert find("resnet_50") is None


def test_a_model_on_the_machine_is_shown_with_its_size(tmp_path: Path) -> None:
    assert {row.cached for row in describe(Model(cache_dir=tmp_path))} == {None}
    source = row("mobilenet_v2", tmp_path).entry.source
    place = tmp_path / "hub" / sha1(source.encode()).hexdigest()  # noqa: S324 - tensorflow_hub's own name
    (place / "variables").mkdir(parents=True)
    (place / "saved_model.pb").write_bytes(bytes(100))
    (place / "variables/data").write_bytes(bytes(1000))
    found = row("mobilenet_v2", tmp_path)
    assert (found.cached, found.size) == (place, 1100)
    assert row("mobilenet_v2_130", tmp_path).cached is None


def test_the_embedded_model_is_shown_once_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(_: str, arguments: dict[str, str], **__: object) -> None:
        folder = Path(arguments["folder"])
        folder.mkdir()
        (folder / "saved_model.pb").write_bytes(bytes(10))

    assert row("efficientnet_lite0", tmp_path).cached is None
    monkeypatch.setattr(child_process, "run", build)
    built = embedded.ensure(tmp_path, report=lambda *_: None)
    assert row("efficientnet_lite0", tmp_path).cached == built


def test_listing_the_models_imports_nothing_heavy() -> None:
    script = (
        "import sys; from inference.models import catalogue; from config.settings import Model\n"
        "catalogue.describe(Model())\n"
        "print([name for name in ('tensorflow', 'openvino', 'numpy', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
