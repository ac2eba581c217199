"""A picture gives the same crops, or the same error, in the sandbox as outside of it.

A library that looks for a file at its first use would find none there, and an honest picture would be called
damaged.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from inference.subprocesses import own_environment
from tests.fuzz.corpus import mutant, names, originals
from tests.inference import icc
from tests.inference.hostile import encoded

DECODES = """
import hashlib, json, sys
from pathlib import Path
from config.settings import Limits
from inference.images.decode import decode
from inference.images.views import DecodedFrame
from inference.results import InferenceError
from inference.sandbox import give_up_everything

pictures = {file.name: file.read_bytes() for file in sorted(Path(sys.argv[1]).iterdir())}
if sys.argv[2] == "sandboxed":
    give_up_everything()
results = {}
for name, data in pictures.items():
    try:
        decoded = decode(data, input_size=32, views="auto", limits=Limits())
        whole = decoded.whole.upright().image.tobytes()
        seen = decoded.first.tobytes() + decoded.second().tobytes() + whole
        results[name] = hashlib.sha256(seen).hexdigest()
    except InferenceError as error:
        results[name] = f"{type(error).__name__}: {error}"
print(json.dumps(results))
"""
MUTANTS = 12


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Pictures of every format, whole and damaged, with all that may hang on them."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    files = dict(originals())
    files |= {
        f"{name}, mutant {number}": mutant(name, number) for name in names() for number in range(MUTANTS)
    }
    photograph = Image.effect_noise((96, 64), 60)
    matrix = icc.profile(icc.matrix_tags())
    grey = icc.profile([(b"kTRC", icc.curve())], colours=b"GRAY")
    press = icc.profile([(b"A2B0", icc.table(4, 2))], colours=b"CMYK", connection=b"Lab ")
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", zip=True)
    texts.add_text("Comment", "Grüße", zip=True)
    for form in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"):
        files[f"{form} with a profile"] = encoded(photograph.convert("RGB"), form, icc_profile=matrix)
    for form in ("JPEG", "PNG", "TIFF"):
        files[f"grey {form} with a profile"] = encoded(photograph, form, icc_profile=grey)
    files["CMYK with a profile"] = encoded(
        photograph.convert("RGB").convert("CMYK"), "JPEG", icc_profile=press
    )
    files["LAB"] = encoded(Image.merge("LAB", [photograph] * 3), "TIFF")
    files["PNG with texts"] = encoded(photograph, "PNG", pnginfo=texts)
    files["JPEG of several pictures"] = encoded(
        photograph.convert("RGB"), "MPO", save_all=True, append_images=[photograph.convert("RGB")]
    )
    files["JPEG with XMP"] = encoded(
        photograph, "JPEG", xmp=b"<x:xmpmeta/>", comment="Grüße".encode("utf-16")
    )
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def results(folder: Path, where: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", DECODES, str(folder), where],
        capture_output=True,
        text=True,
        check=True,
        env=own_environment(),
    )
    read: dict[str, str] = json.loads(done.stdout)
    return read


def test_the_sandbox_changes_no_crop_and_no_error(pictures: Path) -> None:
    free, sandboxed = results(pictures, "free"), results(pictures, "sandboxed")
    assert sandboxed == free
    damaged = {name for name, result in free.items() if ":" in result}
    assert not {name for name in damaged if "mutant" not in name}, "only mutants may be refused"
