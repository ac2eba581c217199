"""Row 7: what `download.resized` saves on 12 MP images, from a server that resizes like Discord's."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import mean, median
from typing import Any

from PIL import Image

from benchmarks.plan import LARGE, BenchPlan
from inference.bench.figures import ratios
from inference.bench.load import stamp
from inference.bench.rows import BenchRow
from inference.bench.session import BenchSession

__all__ = ["media_server", "resized_downloads", "smaller"]

SHORT_SIDE = 320
"""What the bot asks Discord for where the model's input is 224: 10/7 of it."""
QUALITY = 85
IN_FLIGHT = 8
TURNS = 2


def resized_downloads(session: BenchSession, plan: BenchPlan) -> BenchRow:
    """Fetch and name the same 12 MP JPEGs, whole and as small copies, in turn.

    The copies are made before the clock starts: making them is the media server's work, not the bot's.
    """
    session.report("resized downloads: making the copies")
    files = [Path(picture).read_bytes() for picture in session.pictures(LARGE)]
    served = {"whole": files, "small": [smaller(data) for data in files]}
    turns: dict[str, list[dict[str, Any]]] = {way: [] for way in served}
    with media_server(served) as address, session.whatsit(views="1") as whatsit:
        for turn in range(TURNS + 1):
            session.report(f"resized downloads, turn {turn} of {TURNS}")
            for way, samples in turns.items():
                count = plan.resized_count if turn else len(files)
                first = session.numbers(count)
                urls = [f"{address}/{way}/{number % len(files)}/{first + number}" for number in range(count)]
                samples.append(whatsit.ask("fetched", urls=urls, in_flight=IN_FLIGHT))
    # The first turn is for the connection and the caches to warm up.
    return BenchRow(_summary({way: samples[1:] for way, samples in turns.items()}))


def _summary(turns: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    def each(way: str, key: str) -> list[float]:
        return [turn[key] / len(turn["named"]) for turn in turns[way]]

    def times_fewer(key: str) -> float:
        return median(ratios(each("whole", key), each("small", key)))

    same = [
        mine == other
        for whole, small in zip(turns["whole"], turns["small"], strict=True)
        for mine, other in zip(whole["named"], small["named"], strict=True)
    ]
    return {
        **{
            way: {
                "kilobytes": round(median(each(way, "bytes")) / 1000, 1),
                "ms": round(1000 * median(each(way, "seconds")), 2),
                "core_ms": round(1000 * median(each(way, "core_seconds")), 2),
            }
            for way in turns
        },
        "times_fewer_bytes": round(times_fewer("bytes"), 1),
        "times_faster": round(times_fewer("seconds"), 2),
        "same_top_label": round(mean(same), 3),
    }


def smaller(data: bytes) -> bytes:
    """Make the copy that the bot asks for: the same aspect ratio, the short side at `SHORT_SIDE` pixels."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        short = min(image.size)
        width, height = (-(-side * SHORT_SIDE // short) for side in image.size)
        copy = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3)
        copy.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


@contextmanager
def media_server(served: Mapping[str, list[bytes]]) -> Iterator[str]:
    """Serve JPEGs over HTTP and yield the address: `/KEY/INDEX/NUMBER` is `served[KEY][INDEX]`.

    NUMBER is stamped into what is sent, so that no two answers have the same bytes.
    """

    class MediaHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _, key, index, number = self.path.split("/")
            data = stamp(served[key][int(index)], int(number))
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing: a line a request would be in the way of the tables."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), MediaHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
