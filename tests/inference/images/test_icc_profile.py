"""A colour profile is applied where it is plain; what else it holds never reaches the colour engine."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from config.settings import Limits
from inference.images.decode import decode
from inference.images.icc_profile import plain_profile
from tests.inference.hostile import encoded
from tests.inference.icc import curve, matrix_tags, profile, program, table

DIM = (200, 60, 60)
MATRIX_ELEMENT = b"matf" + struct.pack(">4xHH12f", 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)


def curves_of_segments(segments: int) -> bytes:
    """Three times one curve of many segments, each of which is a formula."""
    breaks = b"".join(struct.pack(">f", (i + 1) / segments) for i in range(segments - 1))
    formulas = (b"parf" + struct.pack(">4xHHffff", 0, 0, 1, 1, 0, 0)) * segments
    one = b"curf" + struct.pack(">4xHH", segments, 0) + breaks + formulas
    return b"cvst" + struct.pack(">4xHH", 3, 3) + struct.pack(">II", 36, len(one)) * 3 + one


def seen(icc: bytes | None, mode: str = "RGB", form: str = "PNG") -> tuple[list[int], float]:
    """The colour that a model is given, and how long this process worked for it (ms)."""
    shade = DIM if mode == "RGB" else 128 if mode == "L" else (0, 200, 200, 0)
    options = {} if icc is None else {"icc_profile": icc}
    data = encoded(Image.new(mode, (64, 64), shade), form, **options)
    started = time.process_time()
    crop = decode(data, input_size=64, views="1", limits=Limits()).first[0]
    return np.rint(crop.mean(axis=(0, 1))).astype(int).tolist(), 1000 * (time.process_time() - started)


WIDE = seen(profile(matrix_tags()))[0]
"""What `DIM` is in a profile of Adobe RGB."""


def test_a_matrix_with_curves_is_applied() -> None:
    assert seen(None)[0] == list(DIM)
    assert WIDE[0] > 215
    assert seen(profile(matrix_tags(b"para" + struct.pack(">4xHHI", 0, 0, 0x00023333))))[0] == WIDE


@pytest.mark.parametrize(
    "costly",
    [
        pytest.param(program(curves_of_segments(1000), 1000), id="one curve of 1,000 segments, 1,000 times"),
        pytest.param(program(curves_of_segments(1000), 30), id="30 times, which was slow and answered"),
        pytest.param(program(MATRIX_ELEMENT, 60_000), id="60,000 matrices"),
    ],
)
def test_a_profile_that_is_a_program_costs_nothing_and_leaves_its_plain_tags(costly: bytes) -> None:
    colour, ms = seen(profile([*matrix_tags(), (b"D2B0", costly)]))
    assert colour == WIDE
    assert ms < 500


def test_a_profile_that_is_only_a_program_is_taken_as_srgb() -> None:
    colour, ms = seen(
        profile([(b"D2B0", program(MATRIX_ELEMENT, 60_000)), (b"A2B0", program(MATRIX_ELEMENT, 9))])
    )
    assert colour == list(DIM)
    assert ms < 500


def test_a_table_is_applied() -> None:
    grey = seen(profile([(b"A2B0", table(3, 5))], connection=b"Lab "))[0]
    assert max(grey) - min(grey) <= 2
    assert (
        seen(
            profile([(b"A2B0", table(4, 5))], colours=b"CMYK", kind=b"prtr", connection=b"Lab "),
            "CMYK",
            "TIFF",
        )[0]
        == grey
    )


def test_a_curve_for_grey_is_applied() -> None:
    assert seen(profile([(b"kTRC", curve(value=0x0400))], colours=b"GRAY"), "L")[0][0] < 100


@pytest.mark.parametrize(
    ("tags", "mode"),
    [
        pytest.param(matrix_tags(curve(4_097)), "RGB", id="a curve of too many points"),
        pytest.param(
            matrix_tags(b"curv" + struct.pack(">4xI", 0xFFFFFFFF)), "RGB", id="a curve of four billion points"
        ),
        pytest.param(matrix_tags(b"para" + struct.pack(">4xH", 9)), "RGB", id="a curve of an unknown kind"),
        pytest.param(matrix_tags()[:5], "RGB", id="a curve too few"),
        pytest.param([(b"A2B0", table(3, 68))], "RGB", id="a table of too many points"),
        pytest.param([(b"A2B0", table(3, 5)[:-1])], "RGB", id="a table that is cut short"),
        pytest.param([(b"A2B0", table(4, 5))], "RGB", id="a table for other colours"),
        pytest.param([(b"A2B0", b"mAB " + bytes(100))], "RGB", id="a table of many steps"),
        pytest.param(matrix_tags(), "L", id="a profile for other colours"),
        pytest.param([(b"none", b"")] * 200 + matrix_tags(), "RGB", id="plain tags behind too many others"),
        pytest.param([], "RGB", id="no tags"),
    ],
)
def test_what_is_not_plain_is_taken_as_srgb(tags: list[tuple[bytes, bytes]], mode: str) -> None:
    assert plain_profile(profile(tags, connection=b"Lab "), mode) is None


def test_tags_that_overlap_are_taken_apart() -> None:
    """Three names may mean the same bytes, and each is read only as far as its curve goes."""
    made = bytearray(profile(matrix_tags()))
    for tag in range(3, 6):
        struct.pack_into(">II", made, 132 + 12 * tag + 4, 132, len(made) - 132 + 1_000_000)
    assert plain_profile(bytes(made), "RGB") is None  # the table of tags is no curve
    at = struct.unpack_from(">I", profile(matrix_tags()), 132 + 12 * 3 + 4)[0]
    for tag in range(3, 6):
        struct.pack_into(">II", made, 132 + 12 * tag + 4, at, 1_000_000)
    plain = plain_profile(bytes(made) + bytes(1_000_000), "RGB")
    assert plain is not None
    assert len(plain) < 500
    assert seen(bytes(made))[0] == WIDE


def test_real_profiles_are_plain() -> None:
    """Of those that this machine and Pillow bring; a profile of sRGB needs no conversion."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert plain_profile(srgb, "RGB") is None
    assert plain_profile(srgb.replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be")), "RGB")
    spaces = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
    for file in Path("/usr/share/color/icc").rglob("*.ic[cm]"):
        icc = file.read_bytes()
        if icc[16:20] in spaces and icc[12:16] in (b"mntr", b"prtr", b"scnr") and b"sRGB" not in icc:
            assert plain_profile(icc, spaces[icc[16:20]]), file
