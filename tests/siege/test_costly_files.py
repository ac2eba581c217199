"""The search brings a costly file back from its genes, and survives what hangs or kills a decoder."""

from __future__ import annotations

import os
import random
import signal

import pytest

from tests.inference.hostile import png
from tests.siege.costly_files import FORMATS, costly_files
from tests.siege.genes import Genes
from tests.siege.measured_decoder import MeasuredDecoder


def test_the_same_genes_make_the_same_choices() -> None:
    genes = Genes("a")
    choices = [genes.number(1, 1000), genes.choice("abc"), genes.chance(0.5), genes.bytes(9)]
    again = Genes("a", genes.numbers)
    assert [again.number(1, 1000), again.choice("abc"), again.chance(0.5), again.bytes(9)] == choices
    changed = genes.changed(random.Random(1))  # noqa: S311 - nothing secret
    assert changed.numbers != genes.numbers
    assert all(0 <= number < 1 for number in changed.numbers)


def test_a_file_comes_back_from_its_genes() -> None:
    for found in costly_files(7, 3, formats=("bmp", "gif")):
        assert FORMATS[found.form](Genes(found.genes.seed, found.genes.numbers)) == found.data
        assert found.cost.core_ms >= 0


def test_what_is_refused_says_why_and_what_is_decoded_has_an_estimate() -> None:
    with MeasuredDecoder() as decoder:
        decoded = decoder.cost(png(64, 64, pixels=(b"\0" + bytes(192)) * 64))
        assert decoded.refused is None
        assert decoded.estimate is not None
        refused = decoder.cost(png(1, 50_000_000))
        assert refused.estimate is None
        assert str(refused.refused).startswith("image_too_large")


def test_a_decoder_that_hangs_or_dies_is_replaced() -> None:
    with MeasuredDecoder(deadline=0.2) as decoder:
        os.kill(decoder.pid, signal.SIGSTOP)
        assert decoder.cost(png(64, 64)).refused == "no answer within 0.2 s"
        decoder.deadline = 20.0
        os.kill(decoder.pid, signal.SIGKILL)
        died = decoder.cost(png(64, 64))
        assert died.refused == "the process died with exit code -9"
        assert died.core_ms == pytest.approx(20_000)
        assert decoder.cost(png(64, 64, pixels=(b"\0" + bytes(192)) * 64)).refused is None
