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

_TOO_LARGE = N_(
    "This picture is too large for me. Send one of at most {megabytes} MB and {megapixels} megapixels."
)
_AGAIN = N_("I couldn't fetch this picture. Send it again in a minute.")

UNEXPECTED = N_(
    "Something went wrong with this picture. Send it again; if it fails again, tell the bot's owner."
)
LEAVING = N_("I'm about to restart. Ask me again in a minute.")
RESTARTED = N_("I was restarted before I was done. Try that again.")

SENTENCES: dict[type[Exception], str] = {
    results.NotAnImage: N_("This file isn't a picture. Send one, such as a JPEG or a PNG."),
    results.UnsupportedFormat: N_(
        "I can't read this kind of picture. Send it as JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC."
    ),
    results.ImageTooLarge: _TOO_LARGE,
    results.CorruptImage: N_("This picture is damaged or incomplete. Save it again and send it once more."),
    results.HarmfulImage: N_(
        "This file crashed me before, so I won't open it again. Send a fresh copy, such as a screenshot."
    ),
    results.OutOfMemory: N_(
        "I didn't have enough memory for this picture. Send a smaller copy, such as a screenshot."
    ),
    results.Busy: N_("I'm busy right now. Send it again in a minute."),
    results.TimedOut: N_("This picture took too long, so I gave up on it. Send it again in a minute."),
    results.ModelUnavailable: N_(
        "I can't recognise pictures at the moment. Try again later; if it still doesn't work, tell the "
        "bot's owner."
    ),
    results.InferenceError: UNEXPECTED,
    Gone: N_("This picture is no longer there. Upload it again."),
    TooManyBytes: _TOO_LARGE,
    TooSlow: N_("Fetching this picture took too long. Send it again in a minute."),
    NotAPicture: N_("There's no picture at that address. Upload the picture itself."),
    HostNotAllowed: N_("I only fetch pictures from Discord itself. Upload the picture here."),
    Unreachable: _AGAIN,
    DownloadError: _AGAIN,
}

LASTING = (
    results.NotAnImage,
    results.UnsupportedFormat,
    results.ImageTooLarge,
    results.CorruptImage,
    results.HarmfulImage,
    results.OutOfMemory,
    Gone,
    TooManyBytes,
    NotAPicture,
    HostNotAllowed,
)
"""These errors come again, however often the same file is looked at."""


def sentence(error: BaseException, language: Language, limits: Limits) -> str:
    """Return the one sentence for `error`, in `language`; an error that nobody foresaw has one too."""
    known = next((SENTENCES[kind] for kind in type(error).__mro__ if kind in SENTENCES), UNEXPECTED)
    return language.gettext(known).format(
        megabytes=language.number(limits.image_bytes / MiB),
        megapixels=language.number(limits.image_pixels / 1e6),
    )
