"""Which kind of file the bytes are. The content decides, never a name."""

from __future__ import annotations

import re

FORMATS = frozenset({"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"})
"""What Whatsit reads, by Pillow's names."""

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff\xf7", "a JPEG-LS picture"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II\x2a\x00\x10\x00\x00\x00CR", "a Canon raw photo"),
    (b"II\x2a\x00", "TIFF"),
    (b"MM\x00\x2a", "TIFF"),
    (b"II\x2b\x00", "TIFF"),
    (b"MM\x00\x2b", "TIFF"),
    (b"IIRO", "an Olympus raw photo"),
    (b"IIRS", "an Olympus raw photo"),
    (b"MMOR", "an Olympus raw photo"),
    (b"IIU\x00", "a Panasonic raw photo"),
    (b"FUJIFILMCCD-RAW", "a Fujifilm raw photo"),
    (b"FOVb", "a Sigma raw photo"),
    (b"II\xbc\x01", "a JPEG XR picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"8BPS", "a Photoshop document"),
    (b"gimp xcf", "a GIMP document"),
    (b"%PDF-", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"\x00\x00\x01\x00", "a Windows icon"),
    (b"\x00\x00\x02\x00", "a Windows cursor"),
    (b"icns", "a macOS icon"),
    (b"\x8aMNG\r\n\x1a\n", "an MNG animation"),
    (b"\x8bJNG\r\n\x1a\n", "a JNG picture"),
    (b"qoif", "a QOI picture"),
    (b"DDS ", "a DirectDraw texture"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"AT&TFORM", "a DjVu document"),
    (b"BPG\xfb", "a BPG picture"),
    (b"FLIF", "a FLIF picture"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"SIMPLE  =", "a FITS picture"),
    (b"\x1aE\xdf\xa3", "a WebM or Matroska video"),
    (b"FLV\x01", "a Flash video"),
    (b"\x00\x00\x01\xba", "an MPEG video"),
    (b"\x00\x00\x01\xb3", "an MPEG video"),
    (b"OggS", "an Ogg recording"),
)

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_GENERIC_BRANDS = frozenset({b"mif1", b"msf1"})

_BITMAP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_PORTABLE = re.compile(rb"P[1-7f]\s")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
_SVG = re.compile(rb"<(?:\w+:)?svg[\s>]")
_LOTTIE = re.compile(rb'\s*\{.*"layers"\s*:', re.DOTALL)
_TEXT_LOOKED_AT = 4096


def recognise(data: bytes) -> str | None:
    """Name the kind of file: one of `FORMATS`, a phrase for a picture or video of another kind, or None."""
    return _by_signature(data) or _by_structure(data) or _by_text(data[:_TEXT_LOOKED_AT])


def _by_signature(data: bytes) -> str | None:
    return next((kind for signature, kind in _SIGNATURES if data.startswith(signature)), None)


def _by_structure(data: bytes) -> str | None:
    kind = None
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BITMAP_HEADERS:
        kind = "BMP"
    elif data[:4] == b"RIFF":
        kind = {b"WEBP": "WEBP", b"AVI ": "an AVI video"}.get(data[8:12])
    elif data[4:8] == b"ftyp":
        kind = _of_brands(data)
    elif data[4:8] in (b"moov", b"mdat", b"wide", b"free"):
        kind = "a QuickTime video"
    elif data[128:132] == b"DICM":
        kind = "a DICOM picture"
    elif data[:4] == b"\x01\x00\x00\x00" and data[40:44] == b" EMF":
        kind = "a Windows metafile"
    return kind


def _of_brands(data: bytes) -> str:
    size = min(int.from_bytes(data[:4], "big"), 1024)
    major = data[8:12]
    brands = {data[i : i + 4] for i in range(16, size, 4)}
    if major in _AVIF_BRANDS or (major in _GENERIC_BRANDS and brands & _AVIF_BRANDS):
        return "AVIF"
    if major in _HEIF_BRANDS or major in _GENERIC_BRANDS:
        return "HEIF"
    if major == b"crx ":
        return "a Canon raw photo"
    if major == b"qt  ":
        return "a QuickTime video"
    return "an MP4 video"


def _by_text(head: bytes) -> str | None:
    if _MARKUP.match(head) and _SVG.search(head):
        return "an SVG drawing"
    if _LOTTIE.match(head):
        return "a Lottie animation"
    if _PORTABLE.match(head):
        return "a Netpbm picture"
    return None
