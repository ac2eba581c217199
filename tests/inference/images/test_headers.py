"""What would hurt a decoder is refused before one runs; what is only unusual is not."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from config.settings import Limits
from inference.images.decode import DecodedImage, decode
from inference.images.headers import ImageHeader, header
from inference.images.headers.file_type import recognise
from inference.results import CorruptImage, ImageTooLarge, InferenceError, NotAnImage, UnsupportedFormat
from tests.inference import hostile
from tests.inference.hostile import box, chunk, encoded, png

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

LIMITS = Limits()
BOMB = zlib.compress(bytes(60_000_000), 9)
SMALL_BOMB = zlib.compress(bytes(1_000_000), 9)


def check(data: bytes, **limits: int) -> ImageHeader:
    return header(data, limits=Limits(**limits))


def look(data: bytes) -> DecodedImage:
    return decode(data, input_size=224, views="auto", limits=LIMITS)


def picture(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), "teal")


# --- what a header says -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_format_and_size_are_read_without_a_decoder(form: str) -> None:
    assert check(encoded(picture(320, 200), form)) == ImageHeader(form, (320, 200), frames=1, large=False)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"progressive": True}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0"}),
        ("TIFF", {"compression": "tiff_deflate"}),
        ("TIFF", {"big_tiff": True}),
        ("HEIF", {"tile_size": 64}),
    ],
)
def test_the_size_is_read_from_every_variant(form: str, options: dict[str, Any]) -> None:
    assert check(encoded(picture(320, 200), form, **options)).size == (320, 200)


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP", "AVIF"])
def test_frames_are_counted_in_the_container(form: str) -> None:
    frames = [Image.new("RGB", (40, 30), (i * 40, 0, 0)) for i in range(6)]
    assert check(encoded(frames[0], form, save_all=True, append_images=frames[1:])).frames == 6


def test_too_many_bytes_are_named_with_the_limit() -> None:
    with pytest.raises(ImageTooLarge, match=r"1,001 bytes; the limit is 1,000"):
        check(bytes(1001), image_bytes=1000)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_too_many_pixels_are_named_with_the_limit(form: str) -> None:
    with pytest.raises(ImageTooLarge, match=r"64,000 pixels \(320 x 200\); the limit is 63,999"):
        check(encoded(picture(320, 200), form), image_pixels=63_999)


def test_the_limits_themselves_are_allowed() -> None:
    data = encoded(picture(320, 200), "PNG")
    assert check(data, image_pixels=64_000, image_bytes=len(data)).size == (320, 200)


@pytest.mark.parametrize(
    ("form", "options", "large"),
    [
        ("PNG", {}, True),
        ("WEBP", {}, True),
        ("AVIF", {"speed": 10}, True),
        ("JPEG", {}, False),  # scaled down while it is decoded
        ("JPEG", {"progressive": True}, True),  # as well, but it holds all coefficients until its last scan
    ],
)
def test_a_picture_is_large_where_its_decoder_holds_all_of_it(
    form: str, options: dict[str, Any], large: bool
) -> None:
    data = encoded(picture(1200, 1100), form, **options)
    assert check(data, large_pixels=1_000_000).large is large
    assert check(data, large_pixels=1_320_000).large is False


def test_a_jpeg_that_cannot_be_scaled_down_may_be_large() -> None:
    data = encoded(picture(5000, 250), "JPEG")
    assert check(data, large_pixels=1_000_000).large
    assert not header(data, limits=Limits(large_pixels=1_000_000), input_size=48).large


# --- what kind of file is it ------------------------------------------------------------------------------

OTHER_KINDS = {
    b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>': "SVG",
    b"\xef\xbb\xbf<svg:svg >": "SVG",
    b"%PDF-1.7\n": "PDF",
    b"%!PS-Adobe-3.0": "PostScript",
    b"\xff\x0a\xfa\x7f": "JPEG XL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG 2000",
    b"\xff\x4f\xff\x51\0\x2f": "JPEG 2000",
    b"\xff\xd8\xff\xf7\0\x0b": "JPEG-LS",
    b"II\xbc\x01": "JPEG XR",
    b"8BPS\0\x01": "Photoshop",
    b"gimp xcf v011\0": "GIMP",
    b"\0\0\x01\0\x01\0\x10\x10": "icon",
    b"\0\0\x02\0\x01\0\x10\x10": "cursor",
    b"icns\0\0\x01\0": "icon",
    b"II\x2a\0\x10\0\0\0CR\x02\0": "Canon raw",
    b"FUJIFILMCCD-RAW 0201": "Fujifilm raw",
    b"IIU\0\x18\0\0\0": "Panasonic raw",
    b"IIRO\x08\0\0\0": "Olympus raw",
    b"\0\0\0\x18ftypcrx \0\0\0\x01": "Canon raw",
    b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2": "MP4",
    b"\0\0\0\x14ftypqt  \0\0\0\0qt  ": "QuickTime",
    b"\0\0\0\x08wide\0\0\0\x08mdat": "QuickTime",
    b"\x1aE\xdf\xa3\x9f\x42\x86": "WebM",
    b"RIFF\x24\0\0\0AVI LIST": "AVI",
    b"FLV\x01\x05": "Flash",
    b"OggS\0\x02": "Ogg",
    b"\x76\x2f\x31\x01\x02": "OpenEXR",
    b"qoif\0\0": "QOI",
    b"P6\n3 2\n255\n": "Netpbm",
    bytes(128) + b"DICM": "DICOM",
    b'{"v":"5.5.2","fr":60,"layers":[]}': "Lottie",
}


@pytest.mark.parametrize(
    ("data", "kind"), [pytest.param(d, k, id=f"{k}-{i}") for i, (d, k) in enumerate(OTHER_KINDS.items())]
)
def test_pictures_of_other_kinds_are_named(data: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedFormat, match=kind):
        check(data + bytes(64))


@pytest.mark.parametrize(
    "tag", [{50706: (1, 4, 1)}, {259: (3, 1, 34713)}, {254: (4, 1, 1), 271: (2, 4, 9), 330: (4, 1, 9)}]
)
def test_a_raw_photo_is_no_tiff(tag: dict[int, tuple[int, int, int]]) -> None:
    with pytest.raises(UnsupportedFormat, match="raw photo"):
        check(hostile.tiff({256: (4, 1, 64), 257: (4, 1, 64), **tag}))


def test_a_generic_heif_brand_is_told_apart_by_the_compatible_ones() -> None:
    assert recognise(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif") == "AVIF"
    assert recognise(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic") == "HEIF"


@pytest.mark.parametrize(
    "data", [b"", b"BM is a text", b"RIFF\0\0\0\0WAVE", b"<html>", b"{}", b"ID3\x04", b"PK\x03\x04"]
)
def test_what_is_no_picture_is_not_an_image(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        check(data)


# --- files that were built to hurt ------------------------------------------------------------------------


def compressed(kind: bytes, content: bytes) -> bytes:
    return chunk(kind, b"k\0\1\0\0\0" + content if kind == b"iTXt" else b"k\0\0" + content)


def photoshop_resources() -> bytes:
    blocks = b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 5_000
    return hostile.jpeg_segments(*[b"\xff\xed" + struct.pack(">H", len(blocks) + 2) + blocks] * 100)


def jpeg_claiming(width: int, height: int, **options: Any) -> bytes:
    small = encoded(picture(64, 64), "JPEG", **options)
    return small.replace(struct.pack(">HH", 64, 64), struct.pack(">HH", height, width), 1)


def jpeg_of_exif() -> bytes:
    data = hostile.exif_of_fractions(1_100_000, 282)[6:]
    pieces = [b"Exif\0\0" + data[i : i + 65_000] for i in range(0, len(data), 65_000)]
    return hostile.jpeg_segments(
        *[b"\xff\xe1" + struct.pack(">H", len(piece) + 2) + piece for piece in pieces]
    )


def many_items() -> bytes:
    """A HEIC of 900 pieces of metadata, each of them the same megabyte."""
    places = b"".join(struct.pack(">HHHHII", i, 0, 0, 1, 0, 1_000_000) for i in range(900))
    return box(b"ftyp", b"heic", bytes(4), b"mif1heic") + box(
        b"meta",
        bytes(4),
        box(b"iloc", struct.pack(">BBBBHH", 1, 0, 0, 0, 0x4400, 900), places),
        box(b"iprp", box(b"ipco", box(b"ispe", bytes(4), struct.pack(">II", 64, 64)))),
        box(b"idat", bytes(1_000_000)),
    )


def frames_that_are_not_there() -> bytes:
    """An AVIF sequence that claims four billion frames of the same size, which costs it four bytes."""
    frames = [picture(64, 64), Image.new("RGB", (64, 64), "red")]
    data = bytearray(encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:]))
    at = data.index(b"stsz")
    struct.pack_into(">II", data, at + 8, 1, 2**32 - 1)
    return bytes(data)


def tiles(width: int, height: int) -> bytes:
    tags = {256: 100, 257: 100, 258: 8, 259: 5, 262: 1, 277: 1, 322: width, 323: height, 324: 200, 325: 100}
    return hostile.tiff({tag: (4, 1, value) for tag, value in tags.items()}, tail=bytes(1000))


REFUSED: dict[str, tuple[Callable[[], bytes], type[InferenceError]]] = {
    "jpeg of 1,000 scans": (lambda: hostile.jpeg_of_scans(4000, 4000, 1000), CorruptImage),
    "jpeg of 2 million segments": (lambda: hostile.jpeg_segments(b"\xff\xfe\0\2" * 2_000_000), CorruptImage),
    "jpeg of fill bytes": (lambda: hostile.jpeg_segments(b"\xff" * 9_000_000), CorruptImage),
    "jpeg of junk": (lambda: hostile.jpeg_segments(b"\xff\xfe\0\2" + b"\1" * 9_000_000), CorruptImage),
    "jpeg of Photoshop resources": (photoshop_resources, CorruptImage),
    "jpeg of 50 MP in 700 bytes": (lambda: jpeg_claiming(65_500, 760), CorruptImage),
    "progressive of 50 MP in 700 bytes": (lambda: jpeg_claiming(65_500, 760, progressive=True), CorruptImage),
    "jpeg of 65,500 x 65,500": (lambda: jpeg_claiming(65_500, 65_500), ImageTooLarge),
    "jpeg of 9 MB of EXIF": (jpeg_of_exif, CorruptImage),
    "heic of 9 MB of EXIF": (
        lambda: encoded(picture(64, 64), "HEIF", exif=hostile.exif_of_fractions(1_100_000, 274)),
        CorruptImage,
    ),
    "avif of 9 MB of EXIF": (
        lambda: encoded(picture(64, 64), "AVIF", exif=hostile.exif_of_fractions(1_100_000, 282)),
        CorruptImage,
    ),
    "png of 800,000 empty chunks": (lambda: png(64, 64, chunk(b"teXt") * 800_000), CorruptImage),
    "png of 60,000 x 60,000": (lambda: png(60_000, 60_000), ImageTooLarge),
    "png with a zTXt bomb": (lambda: png(64, 64, compressed(b"zTXt", BOMB)), CorruptImage),
    "png with an iTXt bomb": (lambda: png(64, 64, compressed(b"iTXt", BOMB)), CorruptImage),
    "png with an iCCP bomb": (lambda: png(64, 64, compressed(b"iCCP", BOMB)), CorruptImage),
    "png with 9,000 profiles": (lambda: png(64, 64, compressed(b"iCCP", SMALL_BOMB) * 9_000), CorruptImage),
    "png with 9,000 texts": (lambda: png(64, 64, compressed(b"zTXt", SMALL_BOMB) * 9_000), CorruptImage),
    "png with a bomb after its pixels": (
        lambda: png(8, 8, pixels=bytes(200))[:-12] + compressed(b"zTXt", BOMB) + chunk(b"IEND"),
        CorruptImage,
    ),
    "png of 49 MP without pixels": (lambda: png(7000, 7000), CorruptImage),
    "apng of 60,000 frames": (lambda: hostile.apng_of_frames(1, 1, 60_000), CorruptImage),
    "gif of 400,000 frames": (lambda: hostile.gif_of_frames(1, 1, 400_000), CorruptImage),
    "gif of blocks of one byte": (
        lambda: hostile.gif_of_frames(9, 9, 1)[:-1] + b"\x21\xfe" + b"\1a" * 4_500_000 + b"\0;",
        CorruptImage,
    ),
    "gif of stray bytes": (lambda: hostile.gif_of_frames(9, 9, 1)[:-1] + b"\7" * 9_000_000, CorruptImage),
    "gif with a frame beside its canvas": (
        lambda: hostile.gif_of_frames(9, 9, 2).replace(
            b"\x2c" + struct.pack("<HHHH", 0, 0, 1, 1), b"\x2c" + struct.pack("<HHHH", 60_000, 60_000, 1, 1)
        ),
        ImageTooLarge,
    ),
    "tiff of two million strips": (
        lambda: hostile.tiff(
            {256: (4, 1, 64), 257: (4, 1, 64), 273: (4, 2_000_000, 26)}, tail=bytes(8_000_000)
        ),
        CorruptImage,
    ),
    "tiff with a directory of 60,000 entries": (
        lambda: b"II\x2a\0\x08\0\0\0" + struct.pack("<H", 60_000) + bytes(12 * 60_000),
        CorruptImage,
    ),
    "tiff with EXIF of 60,000 entries": (
        lambda: hostile.tiff(
            {256: (4, 1, 64), 257: (4, 1, 64), 34665: (4, 1, 100)},
            tail=bytes(50) + struct.pack("<H", 60_000) + bytes(12 * 60_000),
        ),
        CorruptImage,
    ),
    "tiff of a million fractions": (
        lambda: hostile.tiff(
            {256: (4, 1, 64), 257: (4, 1, 64), 282: (5, 1_000_000, 60)}, tail=bytes(8_000_000)
        ),
        CorruptImage,
    ),
    "tiff with tiles of 60,000 x 60,000": (lambda: tiles(60_000, 60_000), ImageTooLarge),
    "tiff of a rare compression": (
        lambda: hostile.tiff({256: (4, 1, 64), 257: (4, 1, 64), 259: (3, 1, 34925)}),
        UnsupportedFormat,
    ),
    "tiff of 60,000 x 60,000": (
        lambda: hostile.tiff({256: (4, 1, 60_000), 257: (4, 1, 60_000)}),
        ImageTooLarge,
    ),
    "tiff that points nowhere": (lambda: b"II\x2a\0\xff\xff\xff\xff", CorruptImage),
    "bmp of 60,000 x 60,000": (lambda: hostile.bmp(60_000, 60_000, 24, 0, bytes(1000)), ImageTooLarge),
    "bmp of 49 MP in 1,000 bytes": (lambda: hostile.bmp(7000, 7000, 24, 0, bytes(1000)), CorruptImage),
    "bmp of 49 MP of empty lines": (lambda: hostile.bmp(7000, 7000, 8, 1, bytes(14_000)), ImageTooLarge),
    "bmp with runs beyond its lines": (
        lambda: hostile.bmp(1000, 1000, 8, 1, b"\xff\1" * 4_500_000),
        CorruptImage,
    ),
    "bmp of negative width": (lambda: hostile.bmp(-64, 64, 24, 0, bytes(20_000)), CorruptImage),
    "bmp that is a JPEG": (lambda: hostile.bmp(64, 64, 24, 4, bytes(20_000)), UnsupportedFormat),
    "heic grid of 60,000 x 60,000": (lambda: hostile.heic_grid(60_000, 60_000), ImageTooLarge),
    "heic of 900 times the same metadata": (many_items, CorruptImage),
    "heic of 15,000 item tables": (
        lambda: (
            box(b"ftyp", b"heic", bytes(4), b"heic")
            + box(b"iloc", struct.pack(">BBBBHHHHH", 1, 0, 0, 0, 0, 1, 1, 0, 0) + struct.pack(">H", 19_999))
            * 15_000
        ),
        CorruptImage,
    ),
    "heic of item tables that read on in the next": (
        lambda: box(b"ftyp", b"heic", bytes(4), b"heic") + box(b"iloc", bytes(6)) * 15_000,
        CorruptImage,
    ),
    "heic of a million items": (
        lambda: (
            box(b"ftyp", b"heic", bytes(4), b"heic")
            + box(b"iloc", struct.pack(">BBBBHI", 2, 0, 0, 0, 0, 1_000_000), bytes(9_000_000))
        ),
        CorruptImage,
    ),
    "heic of a million descriptions": (
        lambda: box(b"ftyp", b"heic", bytes(4), b"heic") + box(b"iinf", bytes(6), box(b"infe") * 15_000) * 70,
        CorruptImage,
    ),
    "avif of 4 billion frames": (frames_that_are_not_there, CorruptImage),
    "avif of a million boxes": (
        lambda: box(b"ftyp", b"avif", bytes(4), b"avifmif1") + box(b"free") * 1_000_000,
        CorruptImage,
    ),
    "heic of boxes in boxes": (
        lambda: (
            box(b"ftyp", b"heic", bytes(4), b"heic")
            + b"".join(struct.pack(">I4s", 8 * (100_000 - i), b"moov") for i in range(100_000))
        ),
        CorruptImage,
    ),
    "webp of 600,000 chunks": (
        lambda: encoded(picture(9, 9), "WEBP", exif=b"Exif\0\0") + (b"JUNK" + bytes(4)) * 600_000,
        CorruptImage,
    ),
    "webp of 16,383 x 16,383": (lambda: hostile.webp_of_frames(16_383, 16_383, 1), ImageTooLarge),
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_built_to_hurt_end_in_a_typed_error(name: str) -> None:
    build, error = REFUSED[name]
    with pytest.raises(error):
        look(build())


FIRST_FRAME_ALONE: dict[str, Callable[[], bytes]] = {
    "gif of 100 frames of 49 MP": lambda: hostile.gif_of_frames(7000, 7000, 100),
    "webp of 100,000 frames": lambda: hostile.webp_of_frames(16, 16, 100_000),
    "apng of 3 frames of 25 MP": lambda: hostile.apng_of_frames(5000, 5000, 3),
    "tiff of 88,000 directories": lambda: hostile.tiff_of_directories(88_000),
    "compressed tiff of 88,000 directories": lambda: hostile.tiff_of_directories(
        88_000, compression="tiff_lzw"
    ),
    "png whose pixels inflate for ever": lambda: png(8, 8, pixels=bytes(300_000_000)),
}


@pytest.mark.parametrize("name", FIRST_FRAME_ALONE)
def test_of_what_would_take_too_long_only_the_first_picture_is_looked_at(name: str) -> None:
    assert look(FIRST_FRAME_ALONE[name]()).first.shape == (1, 224, 224, 3)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_exif_data_that_would_take_too_long_is_passed_over(form: str) -> None:
    turned = hostile.exif_of_fractions(1_100_000, 274)
    assert look(encoded(picture(60, 40), form, exif=turned)).size == (60, 40)


def test_scans_within_the_budget_are_decoded() -> None:
    assert look(hostile.jpeg_of_scans(600, 400, 300)).size == (600, 400)


def test_a_grid_is_measured_by_its_canvas() -> None:
    assert check(hostile.heic_grid(4000, 3000)).size == (4000, 3000)
