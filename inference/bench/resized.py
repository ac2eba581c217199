"""What `download.resized` saves: 12 MP images, whole or small, from a server that resizes like Discord's."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from PIL import Image

from config.settings import Model
from inference.bench.figures import Spread, ratios
from inference.bench.numbering import stamp
from inference.bench.plan import LARGE, Plan, Row, wanted
from inference.bench.stage import Stage

__all__ = ["media_server", "resized"]

SHORT_SIDE = 320
"""What the bot asks Discord for where the model's input is 224: 10/7 of it."""
QUALITY = 85
IN_FLIGHT = 8
TURNS = 2


def resized(stage: Stage, plan: Plan, model: Model, also: list[str], say: Callable[[str], None]) -> Row:
    """The same 12 MP JPEGs fetched and named, whole and as small copies, in turn.

    The copies are made before the clock starts: making them is the media server's work, not the bot's.
    """
    files = [Path(picture) for picture in stage.pictures(LARGE)]
    copies = {file: _copy_size(file) for file in files}
    turns: dict[str, list[dict[str, Any]]] = {"whole": [], "small": []}
    with (
        media_server(files) as address,
        stage.fresh("whatsit", settings=wanted(model, views="1"), also=also) as running,
    ):
        for turn in range(TURNS + 1):
            say(
                f"resized downloads, turn {turn} of {TURNS}"
                if turn
                else "resized downloads: making the copies"
            )
            for way, samples in turns.items():
                urls = []
                for number in range(plan.resized_count if turn else len(files)):
                    file = files[number % len(files)]
                    small = (
                        dict(zip(("width", "height"), copies[file], strict=True)) if way == "small" else {}
                    )
                    query = urlencode({"number": stage.numbers(1), **small})
                    urls.append(f"{address}/{file.name}?{query}")
                sample = running.ask("fetched", urls=urls, in_flight=IN_FLIGHT)
                if turn:
                    samples.append({**sample, "named": [sample["named"][url] for url in urls]})
    return Row(data=_summary(turns))


def _summary(turns: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    def each(way: str, key: str) -> list[float]:
        return [turn[key] / len(turn["named"]) for turn in turns[way]]

    pairs = [
        pair
        for whole, small in zip(turns["whole"], turns["small"], strict=True)
        for pair in zip(whole["named"], small["named"], strict=True)
    ]
    return {
        **{
            way: {
                "kilobytes": round(Spread.of(each(way, "bytes")).median / 1000, 1),
                "ms": round(1000 * Spread.of(each(way, "seconds")).median, 2),
                "core_ms": round(1000 * Spread.of(each(way, "core_seconds")).median, 2),
            }
            for way in turns
        },
        "times_fewer_bytes": round(
            Spread.of(ratios(each("whole", "bytes"), each("small", "bytes"))).median, 1
        ),
        "times_faster": round(
            Spread.of(ratios(each("whole", "seconds"), each("small", "seconds"))).median, 2
        ),
        "same_top_label": round(sum(mine == other for mine, other in pairs) / len(pairs), 3),
    }


def _copy_size(file: Path) -> tuple[int, int]:
    """Width and height to ask for: the same aspect ratio, the short side at `SHORT_SIDE` pixels."""
    with Image.open(file) as image:
        short = min(image.size)
        width, height = (-(-side * SHORT_SIDE // short) for side in image.size)
    return width, height


@contextmanager
def media_server(files: Sequence[Path]) -> Iterator[str]:
    """The address of a local server of these files, by name; `width` and `height` ask for a smaller copy.

    `number` is stamped into what is sent, so that no two answers have the same bytes.
    """
    by_name = {file.name: file for file in files}

    @cache
    def body(name: str, width: int | None, height: int | None) -> bytes:
        if width is None or height is None:
            return by_name[name].read_bytes()
        return _smaller(by_name[name], (width, height))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = {key: int(values[0]) for key, values in parse_qs(asked.query).items()}
            data = stamp(
                body(asked.path.removeprefix("/"), query.get("width"), query.get("height")), query["number"]
            )
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing: a line a request would be in the way of the tables."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _smaller(file: Path, box: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    with Image.open(file) as image:
        image.resize(box, Image.Resampling.LANCZOS, reducing_gap=3).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
