"""A downloaded model that changes is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import settings
from inference.models import first_use, hub, model_cache
from inference.models.loading import locate
from inference.results import ModelUnavailable

HANDLE = "https://hub.invalid/model/5"
FIRST, OTHER = "1" * 64, "2" * 64


def check(tmp_path: Path, digest: str, *, pinned: str | None = None) -> None:
    first_use.check("mine", HANDLE, tmp_path / "model", digest, tmp_path, pinned=pinned)


def test_the_first_one_is_trusted_and_another_is_refused(tmp_path: Path) -> None:
    check(tmp_path, FIRST)
    check(tmp_path, FIRST)
    with pytest.raises(ModelUnavailable, match=f"mine .*not the one.*{OTHER}.*{FIRST}.*Remove that folder"):
        check(tmp_path, OTHER)


def test_a_pinned_one_is_not_trusted_even_at_first(tmp_path: Path) -> None:
    check(tmp_path, FIRST, pinned=FIRST)
    with pytest.raises(ModelUnavailable, match=r"models\.toml names"):
        check(tmp_path, OTHER, pinned=FIRST)


def test_removing_the_file_accepts_the_change(tmp_path: Path) -> None:
    check(tmp_path, FIRST)
    (kept,) = (tmp_path / "first-use").iterdir()
    kept.unlink()
    check(tmp_path, OTHER)


def test_where_nothing_can_be_kept_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "first-use").touch()
    with pytest.raises(ModelUnavailable, match=r"mine .*cannot be told.*model\.cache_dir"):
        check(tmp_path, FIRST)


def test_a_model_from_the_hub_is_checked_whenever_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    wanted = settings.Model(name=HANDLE, cache_dir=tmp_path)
    folder = hub._place(HANDLE, tmp_path)
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    located = locate(wanted, report=lambda *_: None)
    assert located.content_hash(tmp_path) == model_cache.content_hash(folder)
    (folder / "saved_model.pb").write_bytes(b"another graph")
    with pytest.raises(ModelUnavailable, match="not the one"):
        locate(wanted, report=lambda *_: None).content_hash(tmp_path)
