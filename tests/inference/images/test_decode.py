"""Pixels arrive as a person sees them: right colours, right way up, right size, whatever the file is."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import skimage
from numpy.typing import NDArray
from PIL import Image, ImageCms

from config.settings import Limits
from inference.images import decode as module
from inference.images.decode import DecodedImage, decode
from inference.results import CorruptImage, NotAnImage, OutOfMemory, UnsupportedFormat
from tests.inference.hostile import apng_of_frames, chunk, encoded, png

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")  # pytest's own filter would come before the module's

LIMITS = Limits()
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
CAT = Path(skimage.__file__).parent / "data" / "chelsea.png"

FORMATS: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {"quality": 95}),
    ("JPEG", {"quality": 95, "progressive": True}),
    ("PNG", {}),
    ("WEBP", {"quality": 95}),
    ("WEBP", {"lossless": True}),
    ("GIF", {}),
    ("BMP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "jpeg"}),
    ("TIFF", {"big_tiff": True}),
    ("AVIF", {"quality": 95}),
    ("HEIF", {"quality": 95}),
    ("HEIF", {"quality": 95, "tile_size": 64}),
]
BY_NAME = [pytest.param(form, options, id="-".join([form, *options])) for form, options in FORMATS]


def look(data: bytes, views: Any = "1", size: int = 32) -> DecodedImage:
    return decode(data, input_size=size, views=views, limits=LIMITS)


def colour(crop: NDArray[np.uint8]) -> list[int]:
    """The mean colour of a crop, for pictures of one colour."""
    mean: list[float] = crop.reshape(-1, 3).mean(axis=0).tolist()
    return [round(value) for value in mean]


def near(found: list[int], expected: tuple[int, ...], by: int = 3) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, expected, strict=True))


def quarters() -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right; 96 x 64."""
    picture = Image.new("RGB", (96, 64), WHITE)
    picture.paste(RED, (0, 0, 48, 32))
    picture.paste(GREEN, (48, 0, 96, 32))
    picture.paste(BLUE, (0, 32, 48, 64))
    return picture


def corners(crop: NDArray[np.uint8]) -> list[list[int]]:
    """Colours a little inside the four corners: top left, top right, bottom left, bottom right."""
    last = crop.shape[0] - 5
    return [crop[y, x].tolist() for y, x in ((4, 4), (4, last), (last, 4), (last, last))]


@pytest.mark.parametrize(("form", "options"), BY_NAME)
def test_a_red_picture_is_red_in_every_format(form: str, options: dict[str, Any]) -> None:
    decoded = look(encoded(Image.new("RGB", (200, 120), RED), form, **options))
    assert decoded.size == (200, 120)
    assert decoded.first.shape == (1, 32, 32, 3)
    assert decoded.first.dtype == np.uint8
    # Video codecs round once on the way from RGB to YUV and back.
    assert near(colour(decoded.first[0]), RED), colour(decoded.first[0])


@pytest.mark.parametrize(("form", "options"), BY_NAME)
def test_a_photograph_is_the_same_in_every_format(form: str, options: dict[str, Any]) -> None:
    with Image.open(HOPPER) as photograph:
        photograph.load()
    expected = look(encoded(photograph, "PNG"), size=64).first.astype(int)
    found = look(encoded(photograph, form, **options), size=64).first.astype(int)
    assert np.abs(found - expected).mean() < (6 if form == "GIF" else 2)  # a GIF has 256 colours


def test_the_content_decides_not_the_name() -> None:
    assert look(encoded(Image.new("RGB", (8, 8), RED), "PNG")).size == (8, 8)  # no name was ever given


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_exif_orientation_is_obeyed(form: str, orientation: int, expected: list[tuple[int, ...]]) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    options = {"lossless": True} if form == "WEBP" else {"quality": 95} if form != "PNG" else {}
    decoded = look(encoded(quarters(), form, exif=exif.tobytes(), **options), views="tutorial", size=64)
    assert decoded.size == ((64, 96) if orientation >= 5 else (96, 64))
    assert all(near(a, b, by=12) for a, b in zip(corners(decoded.first[0]), expected, strict=True))


def test_orientation_is_obeyed_when_the_jpeg_is_scaled_while_decoding() -> None:
    exif = Image.Exif()
    exif[274] = 6
    large = quarters().resize((1920, 1280), Image.Resampling.NEAREST)
    decoded = look(encoded(large, "JPEG", exif=exif, quality=95), views="tutorial")
    assert decoded.size == (1280, 1920)
    assert all(
        near(a, b, by=12) for a, b in zip(corners(decoded.first[0]), [BLUE, RED, WHITE, GREEN], strict=True)
    )


def test_damaged_exif_does_not_spoil_a_picture() -> None:
    data = encoded(Image.new("RGB", (64, 64), RED), "PNG", exif=b"Exif\0\0II\x2a\0\xff\xff\xff\x7f")
    assert colour(look(data).first[0]) == list(RED)


def modes() -> list[tuple[str, bytes, tuple[int, ...]]]:
    """Pictures of one colour in every mode: name, file, what a person sees."""
    size = (64, 64)
    palette = Image.new("P", size, 1)
    palette.putpalette([*WHITE, *RED, *BLUE])
    clear_palette = Image.new("P", size, 1)
    clear_palette.putpalette([*BLUE, *RED])
    grey16 = Image.fromarray(np.full(size, 0x8080, dtype=np.uint16))
    cmyk = Image.new("CMYK", size, (0, 255, 255, 0))
    lab = Image.new("LAB", size, (138, 209, 198))  # sRGB red under D50: L* 54, a* 81, b* 70
    return [
        ("L-PNG", encoded(Image.new("L", size, 77), "PNG"), (77, 77, 77)),
        ("L-JPEG", encoded(Image.new("L", size, 77), "JPEG"), (77, 77, 77)),
        ("1-PNG", encoded(Image.new("1", size, 1), "PNG"), WHITE),
        ("1-TIFF-G4", encoded(Image.new("1", size, 0), "TIFF", compression="group4"), (0, 0, 0)),
        ("1-BMP", encoded(Image.new("1", size, 1), "BMP"), WHITE),
        ("P-PNG", encoded(palette, "PNG"), RED),
        ("P-GIF", encoded(palette, "GIF"), RED),
        ("P-BMP", encoded(palette, "BMP"), RED),
        ("P-transparent-PNG", encoded(clear_palette, "PNG", transparency=1), WHITE),
        ("P-half-transparent-PNG", encoded(clear_palette, "PNG", transparency=b"\xff\x80"), (255, 127, 127)),
        ("P-transparent-GIF", encoded(clear_palette, "GIF", transparency=1), WHITE),
        ("LA-PNG", encoded(Image.new("LA", size, (0, 128)), "PNG"), (127, 127, 127)),
        ("RGBA-PNG", encoded(Image.new("RGBA", size, (255, 0, 0, 128)), "PNG"), (255, 127, 127)),
        (
            "RGBA-WEBP",
            encoded(Image.new("RGBA", size, (255, 0, 0, 0)), "WEBP", lossless=True),
            WHITE,
        ),
        ("RGBA-AVIF", encoded(Image.new("RGBA", size, (0, 0, 0, 0)), "AVIF"), WHITE),
        ("RGBA-HEIF", encoded(Image.new("RGBA", size, (0, 0, 0, 0)), "HEIF", quality=95), WHITE),
        ("RGBA-TIFF", encoded(Image.new("RGBA", size, (255, 0, 0, 128)), "TIFF"), (255, 127, 127)),
        ("RGB-colour-key-PNG", encoded(Image.new("RGB", size, RED), "PNG", transparency=RED), WHITE),
        ("L-colour-key-PNG", encoded(Image.new("L", size, 9), "PNG", transparency=9), WHITE),
        ("I;16-PNG", encoded(grey16, "PNG"), (128, 128, 128)),
        ("I;16-TIFF", encoded(grey16, "TIFF"), (128, 128, 128)),
        ("I;16-colour-key-PNG", png16(0x8080, chunk(b"tRNS", struct.pack(">H", 0x8080))), WHITE),
        ("RGB16-PNG", rgb16(), (128, 0, 255)),
        ("I-TIFF", encoded(Image.new("I", size, 32896), "TIFF"), (128, 128, 128)),
        ("F-TIFF-0..1", encoded(Image.new("F", size, 0.5), "TIFF"), (128, 128, 128)),
        ("F-TIFF-0..255", encoded(Image.new("F", size, 77.0), "TIFF"), (77, 77, 77)),
        ("F-TIFF-nan", encoded(Image.new("F", size, float("nan")), "TIFF"), (0, 0, 0)),
        ("CMYK-JPEG-Adobe", encoded(cmyk, "JPEG", quality=95), RED),
        ("CMYK-JPEG-plain", without_adobe(encoded(Image.new("CMYK", size, (255, 0, 0, 255)), "JPEG")), RED),
        ("YCCK-JPEG", as_ycck(encoded(Image.new("CMYK", size, (76, 84, 255, 0)), "JPEG", quality=95)), RED),
        ("CMYK-TIFF", encoded(cmyk, "TIFF"), RED),
        ("LAB-TIFF", encoded(lab, "TIFF"), RED),
        ("YCbCr-TIFF", encoded(Image.new("RGB", size, RED), "TIFF", compression="jpeg", quality=95), RED),
    ]


def png16(grey: int, *extra: bytes) -> bytes:
    row = b"\0" + struct.pack(">H", grey) * 64
    return png(64, 64, *extra, depth=16, colour=0, pixels=row * 64)


def rgb16() -> bytes:
    row = b"\0" + struct.pack(">HHH", 0x8080, 0, 0xFFFF) * 64
    return png(64, 64, depth=16, colour=2, pixels=row * 64)


def without_adobe(data: bytes) -> bytes:
    """The same JPEG without the segment that says "Adobe": its CMYK is then what it says, not inverted."""
    at = data.index(b"\xff\xee")
    (length,) = struct.unpack_from(">H", data, at + 2)
    return data[:at] + data[at + 2 + length :]


def as_ycck(data: bytes) -> bytes:
    """The same JPEG saying that its first three channels are YCbCr: 76, 84, 255 is then inverted red."""
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\2" + data[at + 1 :]


@pytest.mark.parametrize(("data", "expected"), [pytest.param(d, e, id=n) for n, d, e in modes()])
def test_every_mode_is_converted_to_what_a_person_sees(data: bytes, expected: tuple[int, ...]) -> None:
    decoded = look(data)
    assert near(colour(decoded.first[0]), expected, by=6), colour(decoded.first[0])
    assert decoded.first[0].std(axis=(0, 1)).max() < 2


def test_a_16_bit_ramp_keeps_its_shades() -> None:
    ramp = np.tile(np.linspace(0, 65535, 64, dtype=np.uint16), (64, 1))
    crop = look(encoded(Image.fromarray(ramp), "PNG"), views="tutorial", size=64).first[0]
    assert np.abs(crop[32, :, 0].astype(int) - np.linspace(0, 255, 64)).max() <= 1


def test_a_12_bit_tiff_uses_its_own_range() -> None:
    # Two pixels in three bytes, each the value 0x800: half of 4095.
    pixels = b"\x80\x08\x00" * (64 * 64 // 2)
    entries = [(256, 4, 64), (257, 4, 64), (258, 3, 12), (259, 3, 1), (262, 3, 1), (273, 4, 200), (277, 3, 1)]
    entries += [(278, 4, 64), (279, 4, len(pixels))]
    listed = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    head = b"II\x2a\0\x08\0\0\0" + struct.pack("<H", len(entries)) + listed + bytes(4)
    assert colour(look(head.ljust(200, b"\0") + pixels).first[0]) == [128, 128, 128]


def swapped_profile() -> bytes:
    """A colour profile in which red and green have changed places, so that its effect cannot be missed."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"tmp.", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"tmp.", b"gXYZ", 1)
    return profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_a_colour_profile_is_applied(form: str) -> None:
    options = {"quality": 95} if form != "PNG" else {}
    data = encoded(Image.new("RGB", (64, 64), RED), form, icc_profile=swapped_profile(), **options)
    assert near(colour(look(data).first[0]), GREEN, by=8)


def test_a_profile_of_srgb_or_a_damaged_one_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, srgb[:200], b"nonsense" * 40):
        assert colour(
            look(encoded(Image.new("RGB", (64, 64), (1, 2, 3)), "PNG", icc_profile=profile)).first[0]
        ) == [
            1,
            2,
            3,
        ]


def test_a_profile_of_another_colour_space_changes_nothing() -> None:
    data = encoded(Image.new("L", (64, 64), 77), "PNG", icc_profile=swapped_profile())
    assert colour(look(data).first[0]) == [77, 77, 77]


def test_of_a_picture_with_others_behind_it_the_first_counts() -> None:
    """A phone's "multi picture" JPEG carries a depth map or a second exposure after the photograph."""
    pictures = [Image.new("RGB", (1200, 800), shade) for shade in (RED, BLUE)]
    decoded = look(encoded(pictures[0], "MPO", save_all=True, append_images=pictures[1:], quality=95))
    assert decoded.size == (1200, 800)
    assert near(colour(decoded.first[0]), RED)


ANIMATED = ["PNG", "GIF", "WEBP", "AVIF"]


def animation(form: str, colours: list[tuple[int, ...]], size: tuple[int, int] = (64, 48)) -> bytes:
    frames = [Image.new("RGB", size, shade) for shade in colours]
    options = {"lossless": True} if form == "WEBP" else {"quality": 95} if form == "AVIF" else {}
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=100, **options)


@pytest.mark.parametrize("form", ANIMATED)
def test_of_an_animation_the_first_middle_and_last_frames_are_looked_at(form: str) -> None:
    decoded = look(animation(form, [RED, (9, 9, 9), GREEN, (99, 99, 99), BLUE]), views="auto")
    assert decoded.first.shape == (3, 32, 32, 3)
    for crop, expected in zip(decoded.first, (RED, GREEN, BLUE), strict=True):
        assert near(colour(crop), expected, by=6)
    assert decoded.second().shape == (6, 32, 32, 3)


@pytest.mark.parametrize("form", ANIMATED)
def test_a_short_animation_has_no_frame_twice(form: str) -> None:
    assert look(animation(form, [RED, BLUE])).first.shape[0] == 2


@pytest.mark.parametrize("form", ANIMATED)
def test_only_the_first_frame_counts_where_the_rest_is_too_much(form: str) -> None:
    data = animation(form, [RED, GREEN, BLUE], size=(200, 100))
    limits = Limits(animation_pixels=3 * 200 * 100 - 1)
    decoded = decode(data, input_size=32, views="1", limits=limits)
    assert decoded.first.shape[0] == 1
    assert near(colour(decoded.first[0]), RED)


def test_tiny_frames_are_not_free() -> None:
    data = apng_of_frames(1, 1, 60)
    few = decode(data, input_size=32, views="1", limits=Limits(animation_pixels=60 * 10_000 - 1))
    assert few.first.shape[0] == 1
    assert look(data).first.shape[0] == 3


def test_the_fallback_picture_of_an_apng_is_no_part_of_the_animation() -> None:
    fallback, red, blue = (Image.new("RGB", (64, 48), shade) for shade in (WHITE, RED, BLUE))
    data = encoded(fallback, "PNG", save_all=True, append_images=[red, blue], default_image=True)
    assert [colour(crop) for crop in look(data).first] == [list(RED), list(BLUE)]


def test_pages_of_a_tiff_are_no_animation() -> None:
    pages = [Image.new("RGB", (64, 48), shade) for shade in (RED, GREEN)]
    decoded = look(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert [colour(crop) for crop in decoded.first] == [list(RED)]


@pytest.mark.parametrize(("form", "options"), BY_NAME)
def test_a_picture_cut_short_is_corrupt(form: str, options: dict[str, Any]) -> None:
    with Image.open(CAT) as cat:
        data = encoded(cat.convert("RGB"), form, **options)
    for share in (0.5, 0.9):
        with pytest.raises(CorruptImage, match=r"cut short|too short|damaged|beyond|ends before"):
            look(data[: int(len(data) * share)])


def test_what_is_no_image_says_so() -> None:
    for data in (b"", b"\0", b"hello", b"<html><body>", b'{"code": 404}', bytes(1000)):
        with pytest.raises(NotAnImage):
            look(data)


def test_a_layout_that_is_not_read_is_unsupported() -> None:
    data = bytearray(encoded(Image.new("RGB", (64, 64)), "TIFF"))
    photometric = data.index(struct.pack("<HHI", 262, 3, 1)) + 8
    data[photometric] = 99
    with pytest.raises(UnsupportedFormat, match="TIFF"):
        look(bytes(data))


def test_metadata_that_pillow_warns_of_reaches_neither_the_caller_nor_the_log() -> None:
    data = bytearray(encoded(Image.new("RGB", (64, 64)), "TIFF", compression="tiff_lzw", dpi=(72, 72)))
    entry = data.index(struct.pack("<HHI", 282, 5, 1))
    struct.pack_into("<I", data, entry + 4, 999)  # more values than the file has room for
    program = (
        "import sys; from config.settings import Limits; from inference.images.decode import decode;"
        "print(decode(sys.stdin.buffer.read(), input_size=32, views='1', limits=Limits()).size)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], input=bytes(data), capture_output=True, check=False
    )
    assert (done.stdout, done.stderr) == (b"(64, 64)\n", b"")


def test_python_without_memory_says_nothing_of_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(module, "flatten", no_memory)
    with pytest.raises(OutOfMemory):
        look(encoded(Image.new("RGB", (8, 8)), "PNG"))


WITHOUT_MEMORY = """
import resource, sys
import psutil
from config.settings import Limits
from inference.images.decode import decode
from inference.results import InferenceError

def look(data, name):
    try:
        decode(data, input_size=32, views="1", limits=Limits(image_bytes=1 << 30))
    except InferenceError as error:
        print(name, error.code)

data = sys.stdin.buffer.read()
look(data[: len(data) * 2 // 3], "cut short:")
resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + (4 << 20), -1))
look(data, "without memory:")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a limit of the address space")
@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {"method": 0}),
        ("AVIF", {"speed": 10}),
        ("HEIF", {}),
        ("GIF", {}),
        ("TIFF", {}),
        ("BMP", {}),
    ],
)
def test_a_decoder_that_gets_no_memory_does_not_call_the_image_damaged(
    form: str, options: dict[str, object]
) -> None:
    noise = Image.effect_noise((200, 200), 50).convert("RGB")
    data = encoded(noise.resize((3000, 2500)), form, **options)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_MEMORY],
        input=data,
        capture_output=True,
        check=True,
        env={**os.environ, "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": str(16 << 20)},
    )
    assert done.stdout.decode().splitlines() == ["cut short: corrupt_image", "without memory: out_of_memory"]


def test_threads_do_not_disturb_each_other() -> None:
    files = [
        encoded(Image.new("RGB", (300, 200), (i, 0, 0)), form) for i in range(8) for form in ("PNG", "BMP")
    ]
    files += [encoded(Image.new("RGB", (64, 64), RED), "PNG", icc_profile=swapped_profile())]
    files += [animation("GIF", [RED, GREEN, BLUE]), encoded(Image.new("RGB", (90, 90), BLUE), "HEIF")]
    alone = [look(data, "auto").first.tobytes() for data in files]
    wrong: list[int] = []

    def work() -> None:
        for _ in range(5):
            wrong.extend(i for i, data in enumerate(files) if look(data, "auto").first.tobytes() != alone[i])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_nothing_is_kept_of_the_file() -> None:
    decoded = look(encoded(Image.new("RGB", (4000, 100), RED), "PNG"), "auto")
    kept = sum(len(picture.image.tobytes()) for picture, _ in decoded.ends)
    assert kept <= 2 * 100 * 100 * 3
    assert BytesIO not in {type(value) for value in vars(decoded).values()}
