"""The background of a model is computed once, kept, and computed again when something about it changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from config.settings import Limits
from inference.images.decode import decode
from inference.knowledge.background_bank import PICTURES, BackgroundBank
from inference.results import Busy, Classification, ModelInfo, ModelUnavailable

INFO = ModelInfo(
    name="tiny",
    engine="fake",
    input_size=32,
    classes=2,
    note=None,
    content_hash="ab" * 32,
    preprocessing=1,
    features=4,
)


class Worker:
    """Gives each picture a fingerprint of its own, and counts the pictures."""

    def __init__(self, *, busy_at: int = -1, info: ModelInfo = INFO) -> None:
        self.looked = 0
        self.busy_at = busy_at
        self.info = info

    async def classify(self, picture: bytes) -> Classification:
        if self.looked == self.busy_at:
            self.busy_at = -1
            raise Busy("full")
        self.looked += 1
        fingerprint = bytes(4) + len(picture).to_bytes(self.info.features, "big")
        return Classification(
            (),
            "tiny",
            "fake",
            (1, 1),
            1,
            0,
            0,
            fingerprint=fingerprint,
            fingerprint_kind=self.info.fingerprints,
        )


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number in range(5):
        file = tmp_path / "pictures" / "drawings" / f"{number}.webp"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * (number + 1))
    return tmp_path / "pictures"


async def test_it_is_computed_once_also_over_a_restart(tmp_path: Path, pictures: Path) -> None:
    worker = Worker()
    first = await BackgroundBank(tmp_path, pictures).fingerprints(INFO, worker.classify)
    again = await BackgroundBank(tmp_path, pictures).fingerprints(INFO, worker.classify)
    assert list(first) == list(again) == [bytes(7) + bytes((number,)) for number in range(1, 6)]
    assert worker.looked == 5


async def test_another_number_format_or_other_pictures_make_another(tmp_path: Path, pictures: Path) -> None:
    worker = Worker()
    bank = BackgroundBank(tmp_path, pictures)
    await bank.fingerprints(INFO, worker.classify)
    worker.info = dataclasses.replace(INFO, precision="int8")
    await bank.fingerprints(worker.info, worker.classify)
    assert worker.looked == 10
    worker.info = INFO
    (pictures / "drawings" / "0.webp").write_bytes(b"another")
    await bank.fingerprints(INFO, worker.classify)
    assert worker.looked == 15


async def test_fingerprints_of_two_models_are_not_mixed_when_one_takes_the_others_place(
    tmp_path: Path, pictures: Path
) -> None:
    worker = Worker()
    bank = BackgroundBank(tmp_path, pictures)

    async def classify(picture: bytes) -> Classification:
        if worker.looked == 3:
            worker.info = dataclasses.replace(INFO, content_hash="cd" * 32)
        return await worker.classify(picture)

    with pytest.raises(ModelUnavailable, match="another model"):
        await bank.fingerprints(INFO, classify)
    assert len(await bank.fingerprints(worker.info, worker.classify)) == 5
    worker.info = INFO
    assert len(await bank.fingerprints(INFO, worker.classify)) == 5


async def test_a_file_that_is_not_whole_is_computed_again(tmp_path: Path, pictures: Path) -> None:
    worker = Worker()
    bank = BackgroundBank(tmp_path, pictures)
    whole = await bank.fingerprints(INFO, worker.classify)
    (file,) = (tmp_path / "background").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    assert await bank.fingerprints(INFO, worker.classify) == whole
    assert worker.looked == 10


async def test_after_an_error_it_goes_on_where_it_stopped(tmp_path: Path, pictures: Path) -> None:
    worker = Worker(busy_at=3)
    bank = BackgroundBank(tmp_path, pictures)
    with pytest.raises(Busy):
        await bank.fingerprints(INFO, worker.classify)
    assert len(await bank.fingerprints(INFO, worker.classify)) == 5
    assert worker.looked == 5


async def test_where_it_cannot_be_kept_it_is_still_given(
    tmp_path: Path, pictures: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "background").write_text("a file in the way")
    assert len(await BackgroundBank(tmp_path, pictures).fingerprints(INFO, Worker().classify)) == 5
    assert "model.cache_dir" in caplog.text


async def test_a_model_without_features_is_an_error_that_says_so(tmp_path: Path) -> None:
    worker = Worker()
    info = dataclasses.replace(INFO, features=0)
    with pytest.raises(ModelUnavailable, match="The model tiny cannot be taught"):
        await BackgroundBank(tmp_path).fingerprints(info, worker.classify)
    assert worker.looked == 0


def test_the_pictures_that_come_with_whatsit_can_all_be_read() -> None:
    files = sorted(PICTURES.glob("*/*.webp"))
    assert len(files) > 100
    assert sum(file.stat().st_size for file in files) < 500_000
    for file in files:
        assert decode(file.read_bytes(), input_size=32, views="auto", limits=Limits()).size == (192, 192)
