"""A model that was trained is the same to the bot, the command line and everybody's TensorFlow Hub."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from config.settings import Model
from inference.models.loading import load
from tests.training.drawn_set import draw_set
from tests.training.round_trip import RoundTrip, differs_most, logits_of, round_trip

KINDS = ["check_patterns", "discs", "stripes"]


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore:pkg_resources is deprecated:UserWarning")  # tensorflow_hub
def test_a_folder_becomes_a_model_that_everybody_loads(tmp_path: Path) -> None:
    """One test, because training takes a while."""
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    base = tiny.save(tmp_path / "base", "named")
    train = draw_set(tmp_path / "train", KINDS, 12, seed=1, hues=True)
    (train / "discs" / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    (train / "discs" / "again.jpg").write_bytes((train / "discs" / "000.jpg").read_bytes())
    test = draw_set(tmp_path / "test", KINDS, 4, seed=2, hues=True)
    trip = round_trip(str(base), train, test, tmp_path, "--fine-tune", "--epochs", "12")

    assert (trip.model / "assets/labels.txt").read_text() == "check patterns\ndiscs\nstripes\n"
    assert "tells 3 classes. It learnt from 30 pictures" in trip.said
    assert "of 6 others right" in trip.said
    assert "1 picture was left out (unreadable): " in trip.notes
    assert "1 picture was left out (copies): " in trip.notes
    figures_belong_together(trip)
    for folder, names in (
        (trip.model / "assets.extra", {"learning_curve.png", "confusion_matrix.png"}),
        (tmp_path / "evaluation", {"confusion_matrix.png", "reliability.png", "mistakes.png"}),
    ):
        assert {file.name for file in folder.iterdir()} == names
        for file in folder.iterdir():
            with Image.open(file) as image:
                assert image.width == 1650
    assert {file.name for file in tmp_path.iterdir()} == {"base", "train", "test", "trained", "evaluation"}

    files = [Path(said["source"]) for said in trip.named]
    assert len(files) == 12
    assert differs_most(trip, logits_of(trip.model, files, tiny.SIZE)) < 1e-3

    model = load(Model(name=str(trip.model)), report=lambda *_: None)
    prediction = model.engine.predict(np.zeros((2, tiny.SIZE, tiny.SIZE, 3), np.uint8))
    assert model.labels == ("check patterns", "discs", "stripes")
    assert prediction.features is not None
    assert prediction.features.shape == (2, tiny.WIDTH)


def figures_belong_together(trip: RoundTrip) -> None:
    found = trip.evaluation
    right = sum(row[number] for number, row in enumerate(found["confusion"]))
    assert found["pictures"] == 12
    assert found["top_1"] == pytest.approx(right / 12)
    assert found["top_1"] >= 0.75
    assert found["top_5"] == 1
    assert [each["pictures"] for each in found["classes"]] == [4, 4, 4]
    assert sum(each["pictures"] for each in found["bins"]) == 12
    assert len(found["mistakes"]) == 12 - right
