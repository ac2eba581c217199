"""A model that one machine has prepared, as another machine takes it."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from config.settings import Model
from inference.models import convert, packing, prepared
from inference.models.loading import load
from inference.results import ModelUnavailable

CARD = prepared.ModelCard(
    name="mine",
    wanted="mine",
    content_hash="0" * 64,
    input_size=32,
    classes=2,
    temperature=1.0,
    precision="f32",
    openvino=version("openvino"),
    recipe=convert.RECIPE,
)
FILES = {
    prepared.CARD: CARD.model_dump_json().encode(),
    prepared.LABELS: b"a\nb",
    convert.MODEL: b"bytes",
    prepared.WEIGHTS: b"bytes",
}


def packed(files: dict[str, bytes], *more: tarfile.TarInfo) -> bytes:
    """The bytes of a prepared model with these files in it, and with members without content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in more:
            archive.addfile(member)
    return out.getvalue()


def receive(content: bytes, cache: Path, digest: str | None = None) -> str:
    """Have the cache take it, and return its SHA-256."""
    digest = digest or hashlib.sha256(content).hexdigest()
    file = cache / "pushed"
    cache.mkdir(exist_ok=True)
    file.write_bytes(content)
    with file.open("r+b") as stream:
        prepared.receive(stream, digest, cache)
    return digest


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def everything_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.real_model
def test_a_pushed_model_answers_without_the_one_it_was_made_from(tmp_path: Path) -> None:
    here = Model(name="efficientnet_lite0")
    made = packing.pack(here, tmp_path, report=lambda *_: None)
    there = here.model_copy(update={"cache_dir": tmp_path / "there"})
    receive(made.file.read_bytes(), there.cache_dir, made.digest)

    loaded = load(prepared.pinned(there, prepared.current(there)), report=lambda *_: None)

    original = load(here, report=lambda *_: None)
    assert (loaded.name, loaded.content_hash, loaded.labels) == (
        original.name,
        original.content_hash,
        original.labels,
    )
    assert (loaded.temperature, loaded.engine.name) == (original.temperature, "openvino")
    assert everything_in(there.cache_dir) & {"engines", "embedded"} == set()


@pytest.mark.real_model
def test_the_same_model_gives_the_same_file(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made = packing.pack(Model(name="efficientnet_lite0"), tmp_path / name, report=lambda *_: None)
        digests.append(made.digest)
    assert digests[0] == digests[1]


def test_the_one_that_was_pushed_last_counts(tmp_path: Path) -> None:
    model = Model(name="mine", cache_dir=tmp_path)
    assert prepared.current(model) is None
    for labels in (b"a\nb", b"c\nd", b"e\nf"):
        digest = receive(packed(FILES | {prepared.LABELS: labels}), tmp_path)
        assert prepared.current(model) == digest


def test_the_last_two_are_kept_so_that_replicas_can_be_replaced_one_by_one(tmp_path: Path) -> None:
    model = Model(name="mine", cache_dir=tmp_path)
    first, second, third = (
        receive(packed(FILES | {prepared.LABELS: labels}), tmp_path) for labels in (b"a\nb", b"c\nd", b"e\nf")
    )
    for kept in (second, third):
        assert Path(prepared.pinned(model, kept).name, prepared.LABELS).exists()
    with pytest.raises(ModelUnavailable, match="whatsit models push"):
        prepared.pinned(model, first)


def test_other_models_are_left_alone(tmp_path: Path) -> None:
    receive(packed(FILES), tmp_path)
    assert prepared.current(Model(name="another", cache_dir=tmp_path)) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no tar at all", "no prepared model"),
        (packed(FILES)[:700], "no prepared model"),
        (packed({name: FILES[name] for name in FILES if name != prepared.WEIGHTS}), "lacks model.bin"),
        (packed(FILES | {"../evil": b"x"}), "'../evil' in it"),
        (packed(FILES | {"/etc/cron.d/evil": b"x"}), "'/etc/cron.d/evil' in it"),
        (packed(FILES, special("evil", tarfile.SYMTYPE, "/etc/passwd")), "'evil' in it"),
        (packed(FILES, special(convert.HEAD, tarfile.SYMTYPE, "/etc/passwd")), "'head.npy' in it"),
        (packed(FILES, special(convert.HEAD, tarfile.LNKTYPE, "model.bin")), "'head.npy' in it"),
        (packed(FILES, special(convert.HEAD, tarfile.FIFOTYPE)), "'head.npy' in it"),
        (packed(FILES | {prepared.CARD: b"{}"}), "cannot be understood"),
        (packed(FILES | {prepared.CARD: b"[" * 100_000}), "card is too long"),
        (
            packed(
                FILES
                | {prepared.CARD: CARD.model_copy(update={"openvino": "1.0"}).model_dump_json().encode()}
            ),
            "Install the same version",
        ),
    ],
)
def test_anything_else_is_refused_and_changes_nothing(content: bytes, said: str, tmp_path: Path) -> None:
    before = receive(packed(FILES), tmp_path / "cache")
    model = Model(name="mine", cache_dir=tmp_path / "cache")
    with pytest.raises(ModelUnavailable, match=said):
        receive(content, tmp_path / "cache")
    assert prepared.current(model) == before
    assert prepared.pinned(model, before).name
    assert everything_in(tmp_path) - everything_in(tmp_path / "cache") == {"cache"} | {
        f"cache/{each}" for each in everything_in(tmp_path / "cache")
    }


def test_a_file_that_was_damaged_on_its_way_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="arrived damaged"):
        receive(packed(FILES), tmp_path, "f" * 64)


def test_a_model_that_was_damaged_later_is_not_loaded(tmp_path: Path) -> None:
    model = Model(name="mine", cache_dir=tmp_path)
    digest = receive(packed(FILES), tmp_path)
    Path(prepared.pinned(model, digest).name, prepared.WEIGHTS).write_bytes(b"other bytes")
    with pytest.raises(ModelUnavailable, match="not on this machine"):
        prepared.pinned(model, digest)


def test_a_member_twice_is_refused(tmp_path: Path) -> None:
    once = packed(FILES)
    twice = once.rstrip(b"\0")
    twice += bytes(-len(twice) % 512) + packed({prepared.LABELS: b"x\ny"})
    with pytest.raises(ModelUnavailable, match=r"'labels\.txt' in it"):
        receive(twice, tmp_path)


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda size: monkeypatch.setattr(prepared, "MOST_BYTES", size)


def test_more_than_a_model_can_have_is_not_unpacked(
    tmp_path: Path, small_limit: Callable[[int], None]
) -> None:
    small_limit(5000)
    with pytest.raises(ModelUnavailable, match=r"'model\.bin' in it"):
        receive(packed(FILES | {prepared.WEIGHTS: bytes(5001)}), tmp_path)
