"""`whatsit models push`: bring the configured model, prepared on this machine, to the machines of a
cluster."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from urllib.parse import urlsplit

from config.settings import Settings
from inference.models import prepared
from inference.models.child_process import Report
from inference.models.packing import pack
from inference.serving.cluster_client.answer_protocol import MODELS_PATH
from inference.serving.cluster_client.cluster_secret import bearer, read_cluster_secret

SECONDS = 300.0
"""For one machine to take a model and unpack it."""
TAKEN = 200


class PushFailed(Exception):
    """A machine has not taken the model; the message names the machine and says why."""


def push_to_all(wanted: Settings, places: Sequence[str], *, report: Report) -> str:
    """Prepare the model of the settings, bring it to each of `places`, and return one sentence about it.

    A place is a machine, http://HOST:PORT, or the `model.cache_dir` that machines share.

    Raises ModelUnavailable where it cannot be prepared, PushFailed where a machine has not taken it (those
    before it have), and `ConfigError` for a secret that cannot be read.
    """
    secret = read_cluster_secret(wanted.cluster)
    with TemporaryDirectory() as folder:
        packed = pack(wanted.model, Path(folder), report=report)
        for number, place in enumerate(places):
            report(f"pushing to {place}", number / len(places))
            with packed.file.open("r+b") as file:
                if place.startswith("http://"):
                    push(file, packed.digest, place, secret)
                else:
                    prepared.receive(file, packed.digest, Path(place).absolute())
    machines = "1 place has" if len(places) == 1 else f"{len(places)} places have"
    return f"{machines} the model {packed.card.name} now ({packed.digest[:12]})."


def push(file: IO[bytes], digest: str, url: str, secret: str | None) -> None:
    """Send a prepared model, whose SHA-256 is `digest`, to one machine. Raises PushFailed."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise PushFailed(f"{url} is no address of a machine: it has to be http://HOST:PORT.")
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=SECONDS)
    file.seek(0, 2)
    headers = {"Content-Length": str(file.tell())}
    if secret is not None:
        headers["Authorization"] = bearer(secret)
    file.seek(0)
    try:
        connection.request(
            "PUT", f"{parts.path.rstrip('/')}{MODELS_PATH}{digest}", body=file, headers=headers
        )
        response = connection.getresponse()
        said = response.read(10_000).decode(errors="replace")
    except OSError as error:
        raise PushFailed(f"{url} did not take the model: {error}. Does `whatsit serve` run there?") from error
    finally:
        connection.close()
    if response.status != TAKEN:
        raise PushFailed(f"{url} did not take the model ({response.status}): {said}")
