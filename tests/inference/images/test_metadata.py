"""What kind of picture it is, is said only where its metadata tell."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from config.settings import Limits
from inference.images.decode import decode
from inference.images.headers.facts import EXIF_BYTES
from inference.results import PictureKind

EXIF_IFD, MAKE, SOFTWARE = 0x8769, 271, 305
EXPOSURE_TIME, F_NUMBER, USER_COMMENT = 0x829A, 0x829D, 0x9286
SOURCE_TYPE = "<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/{}</...>"


def kind(form: str, **saved: Any) -> PictureKind | None:
    file = BytesIO()
    Image.new("RGB", (32, 24), "green").save(file, form, **saved)
    return decode(file.getvalue(), input_size=8, views="1", limits=Limits()).kind


def exif(main: dict[int, Any], camera: dict[int, Any]) -> Image.Exif:
    made = Image.Exif()
    made.update(main)
    made.get_ifd(EXIF_IFD).update(camera)
    return made


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("main", "camera", "expected"),
    [
        ({}, {}, None),
        ({MAKE: "Pentax"}, {EXPOSURE_TIME: 0.01}, "photo"),
        ({SOFTWARE: "an editor"}, {F_NUMBER: 2.8}, "photo"),
        ({MAKE: "a scanner's"}, {}, None),
        ({SOFTWARE: "an editor"}, {}, None),
        ({SOFTWARE: "26.1"}, {USER_COMMENT: b"ASCII\0\0\0Screenshot"}, "screenshot"),  # as iOS writes it
        ({SOFTWARE: "26.1"}, {USER_COMMENT: b"ASCII\0\0\0Screenshot of my holidays"}, None),
        ({SOFTWARE: "26.1"}, {USER_COMMENT: b"x"}, None),
    ],
)
def test_a_camera_is_known_by_its_exposure_and_a_screenshot_by_its_comment(
    form: str, main: dict[int, Any], camera: dict[int, Any], expected: PictureKind | None
) -> None:
    assert kind(form, exif=exif(main, camera)) == expected


@pytest.mark.parametrize(
    ("source_type", "expected"),
    [
        ("digitalCapture", "photo"),
        ("digitalCreation", "drawing"),
        ("screenCapture", "screenshot"),
        ("trainedAlgorithmicMedia", None),
        ("x" * 10_000, None),
    ],
)
def test_what_the_press_standard_says_is_believed(source_type: str, expected: PictureKind | None) -> None:
    xmp = SOURCE_TYPE.format(source_type)
    assert kind("JPEG", xmp=xmp.encode()) == expected
    assert kind("WEBP", xmp=xmp.encode()) == expected
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp)
    assert kind("PNG", pnginfo=info) == expected


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_metadata_say_nothing_and_spoil_nothing() -> None:
    whole = exif({MAKE: "Pentax"}, {EXPOSURE_TIME: 0.01}).tobytes()
    for length in range(8, len(whole)):
        assert kind("WEBP", exif=whole[:length]) in (None, "photo")


def test_very_much_metadata_is_not_looked_through() -> None:
    assert kind("WEBP", xmp=SOURCE_TYPE.format("digitalCapture").encode() + b" " * EXIF_BYTES) is None
