"""The one table of what people are told when an image fails: what happened, and what to do next."""

from __future__ import annotations

from bot.download.downloader import (
    DownloadError,
    Gone,
    HostNotAllowed,
    NotAPicture,
    TooManyBytes,
    TooSlow,
    Unreachable,
)
from bot.i18n import N_, Language
from config.settings import Limits, MiB
from inference import results

__all__ = ["LEAVING", "SENTENCES", "UNEXPECTED", "sentence"]

_TOO_LARGE = N_(
    "This image is too large for me. Send one of at most {megabytes} MB and {megapixels} megapixels."
)
_AGAIN = N_("I couldn't fetch this image. Send it again in a minute.")

UNEXPECTED = N_(
    "Something went wrong with this image. Send it again; if it fails again, tell whoever runs me."
)
LEAVING = N_("I'm about to restart. Ask me again in a minute.")

SENTENCES: dict[type[Exception], str] = {
    results.NotAnImage: N_("This file isn't an image. Send a picture, such as a JPEG or a PNG."),
    results.UnsupportedFormat: N_(
        "I can't read this kind of picture. Send it as JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC."
    ),
    results.ImageTooLarge: _TOO_LARGE,
    results.CorruptImage: N_("This image is damaged or cut short. Save it anew and send it again."),
    results.HarmfulImage: N_(
        "This very file brought me down before, so I leave it alone. Send a fresh copy, such as a screenshot."
    ),
    results.Busy: N_("I have my hands full right now. Send it again in a minute."),
    results.TimedOut: N_("This image took too long, so I gave up on it. Send it again in a minute."),
    results.ModelUnavailable: N_(
        "I can't recognise images at the moment. Try again later; if it stays so, tell whoever runs me."
    ),
    results.InferenceError: UNEXPECTED,
    Gone: N_("This image is no longer there. Upload it again."),
    TooManyBytes: _TOO_LARGE,
    TooSlow: N_("Fetching this image took too long. Send it again in a minute."),
    NotAPicture: N_("There is no image at that address. Upload the picture itself."),
    HostNotAllowed: N_("I only fetch images from Discord itself. Upload the picture here."),
    Unreachable: _AGAIN,
    DownloadError: _AGAIN,
}


def sentence(error: BaseException, language: Language, limits: Limits) -> str:
    """The one sentence for `error`, in `language`; an error nobody foresaw has one too."""
    known = next((SENTENCES[kind] for kind in type(error).__mro__ if kind in SENTENCES), UNEXPECTED)
    return language.gettext(known).format(
        megabytes=f"{limits.image_bytes / MiB:.3g}", megapixels=f"{limits.image_pixels / 1e6:.3g}"
    )
