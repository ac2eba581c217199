"""Asks whether the Hub answers: a part of `hub` that runs in a child process."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request


def ask(*, url: str, seconds: float, **_: object) -> str | None:
    """Return None if `url` answers within `seconds`, else why it does not, as the end of a sentence."""
    try:
        urllib.request.urlopen(url, timeout=seconds).close()  # noqa: S310 - `hub.address` admits http and https only
    except urllib.error.HTTPError as error:
        error.close()
        return f"answered {error.code} {error.reason}"
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return None  # tensorflow_hub has its own opinion of certificates (TFHUB_DISABLE_CERT_VALIDATION)
        if isinstance(reason, TimeoutError):
            return f"gave no answer within {seconds:.0f} s"
        return f"cannot be reached ({reason})"
    return None
