"""Every way for an image to fail has one sentence, which says what to do next."""

from __future__ import annotations

import pytest

from bot.download.downloader import DownloadError
from bot.i18n import ENGLISH
from bot.presentation.errors import SENTENCES, UNEXPECTED, sentence
from config.settings import Limits
from inference.results import ImageTooLarge, InferenceError


def kinds(base: type[Exception]) -> set[type[Exception]]:
    return {base}.union(*(kinds(kind) for kind in base.__subclasses__()))


@pytest.mark.parametrize("base", [InferenceError, DownloadError])
def test_every_error_has_a_sentence_of_its_own(base: type[Exception]) -> None:
    # One without a code of its own is told apart only where it is raised: elsewhere it is its parent.
    ours = {
        kind
        for kind in kinds(base)
        if kind.__module__.startswith(("bot.", "inference.")) and "code" in vars(kind)
    }
    assert ours - SENTENCES.keys() == set()


def test_the_table_names_no_error_that_cannot_happen() -> None:
    assert SENTENCES.keys() - kinds(InferenceError) - kinds(DownloadError) == set()


@pytest.mark.parametrize("kind", [*SENTENCES, ZeroDivisionError])
def test_a_sentence_is_whole_and_says_what_to_do(kind: type[Exception]) -> None:
    said = sentence(kind("boom"), ENGLISH, Limits())
    assert said.endswith(".")
    assert "{" not in said
    assert "boom" not in said
    assert any(word in said for word in ("Send", "Upload", "Try", "Save")), said


def test_the_limits_that_were_passed_are_named() -> None:
    said = sentence(
        ImageTooLarge("big"), ENGLISH, Limits(image_bytes=10 * 1024 * 1024, image_pixels=50_000_000)
    )
    assert "10 MB and 50 megapixels" in said


def test_an_error_that_nobody_foresaw_has_a_sentence_too() -> None:
    assert sentence(ZeroDivisionError(), ENGLISH, Limits()) == UNEXPECTED
