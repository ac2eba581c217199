"""Damaged files of every format end in crops or a typed error: no crash, no hang, no bloat, no warning.

`FUZZ_N` is the number of mutants in all; every one of them comes back by its name and number.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import Limits
from inference.images.headers import ImageHeader, header
from inference.results import CorruptImage, ImageTooLarge, NotAnImage, UnsupportedFormat
from tests.fuzz.corpus import mutant, names, originals
from tests.fuzz.victim import Victim

N = int(os.environ.get("FUZZ_N", "1500"))
ONE_SHARE = -(-N // len(names()))
pytestmark = pytest.mark.timeout(0)  # a hang is the victim's, and has a deadline of its own
seeded = settings(max_examples=max(100, N // 10), deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    with Victim() as process:
        yield process


@pytest.mark.parametrize("name", names())
def test_damaged_files_end_in_crops_or_a_typed_error(victim: Victim, name: str) -> None:
    assert victim.decode(originals()[name]) is None
    found = {number: victim.decode(mutant(name, number)) for number in range(ONE_SHARE)}
    wrong = [f"tests.fuzz.corpus {name} {number}: {what}" for number, what in found.items() if what]
    assert not wrong, "\n".join(wrong[:5])


patches = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=8), st.integers(0, 8)),
    min_size=1,
    max_size=6,
)


@seeded
@given(name=st.sampled_from(names()), edits=patches)
def test_patched_files_end_in_crops_or_a_typed_error(
    victim: Victim, name: str, edits: list[tuple[float, bytes, int]]
) -> None:
    data = bytearray(originals()[name])
    for share, put, removed in edits:
        at = int(share * len(data))
        data[at : at + removed] = put
    wrong = victim.decode(bytes(data))
    assert wrong is None, wrong


BEGINNINGS = [data[:n] for data in originals().values() for n in (2, 4, 12, 16, 32, 64)]


@seeded
@given(start=st.sampled_from(BEGINNINGS), rest=st.binary(max_size=300))
def test_headers_of_anything_end_in_a_header_or_a_typed_error(start: bytes, rest: bytes) -> None:
    try:
        found = header(start + rest, limits=Limits())
    except (NotAnImage, UnsupportedFormat, ImageTooLarge, CorruptImage):
        return
    assert isinstance(found, ImageHeader)
    assert min(found.size) > 0


def test_a_victim_that_hangs_or_dies_is_named_and_replaced(
    victim: Victim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fuzz.victim.DEADLINE", 0.1)
    os.kill(victim._process.pid or 0, signal.SIGSTOP)
    assert victim.decode(originals()["heic"]) == "no answer within 0.1 s"
    monkeypatch.undo()
    victim._process.kill()
    victim._process.join()
    assert victim.decode(originals()["jpeg"]) == "the process died with exit code -9"
    assert victim.decode(originals()["jpeg"]) is None
