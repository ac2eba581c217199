"""The figures of `whatsit evaluate`."""

from __future__ import annotations

import pytest

from bot.cli.evaluation import Evaluation, JudgedPicture
from bot.cli.evaluation_sheets import confusion_sheet, mistakes_sheet, reliability_sheet
from inference.charts.sheet import ConfusionPanel, ThumbnailsPanel

LABELS = ("ants", "bees", "cats")


def picture(truth: int, *said: int, probability: float = 0.9) -> JudgedPicture:
    labels = tuple(LABELS[number] if number >= 0 else "sofa" for number in said)
    return JudgedPicture(f"set/{truth}.jpg", truth, said, labels, probability)


def evaluation(*pictures: JudgedPicture) -> Evaluation:
    return Evaluation(LABELS, pictures)


def test_top_1_counts_first_labels_and_top_5_the_first_five() -> None:
    found = evaluation(picture(0, 0, 1), picture(0, 1, 0), picture(1, -1, 2, -1, 0, 1), picture(1, 2, 0, -1))
    assert (found.top_1, found.top_5) == (0.25, 0.75)


def test_recall_is_of_the_pictures_of_a_class() -> None:
    found = evaluation(picture(0, 0), picture(0, 0), picture(0, 1), picture(1, -1))
    assert [found.recall(label) for label in range(3)] == [pytest.approx(2 / 3), 0.0, None]
    assert found.counts == [[2, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_the_calibration_error_is_how_far_percentages_are_off() -> None:
    right = [picture(0, 0, probability=0.75) for _ in range(3)]
    honest = evaluation(*right, picture(0, 1, probability=0.75))
    boastful = evaluation(*(picture(0, 1, probability=1.0) for _ in range(4)))
    assert honest.calibration_error == pytest.approx(0)
    assert boastful.calibration_error == pytest.approx(1)
    mixed = evaluation(*honest.pictures, *boastful.pictures)
    assert mixed.calibration_error == pytest.approx(0.5)
    assert [each.pictures for each in mixed.bins] == [0, 0, 0, 0, 0, 0, 0, 4, 0, 4]


def test_few_pictures_leave_much_open() -> None:
    few, many = (evaluation(*[picture(0, 0)] * count) for count in (3, 3000))
    assert few.top_1_interval == pytest.approx((0.4385, 1.0), abs=1e-3)
    assert many.top_1_interval[0] > 0.998
    half = evaluation(*[picture(0, 0), picture(0, 1)] * 50).top_1_interval
    assert half == pytest.approx((0.4038, 0.5962), abs=1e-3)


def test_the_worst_mistakes_are_those_it_was_most_sure_of() -> None:
    found = evaluation(*(picture(0, said, probability=sure / 10) for said, sure in enumerate([10, 3, 8])))
    assert [mistake.probability for mistake in found.worst(5)] == [0.8, 0.3]
    assert len(found.worst(1)) == 1


def test_a_matrix_has_a_column_for_something_else_only_if_that_was_said() -> None:
    for said, others in ((1, ()), (-1, ("something else",))):
        (row,) = confusion_sheet("mine", evaluation(picture(0, said))).rows
        ((panel,),) = row.stacks
        assert isinstance(panel, ConfusionPanel)
        assert panel.others == others


def test_charts_of_an_evaluation_without_mistakes_say_so() -> None:
    found = evaluation(picture(0, 0))
    (row,) = mistakes_sheet("mine", found, []).rows
    ((panel,),) = row.stacks
    assert isinstance(panel, ThumbnailsPanel)
    assert (panel.thumbnails, panel.nothing) == ((), "There are no mistakes.")
    assert "calibration error is 10.0%" in reliability_sheet("mine", found).subtitle
