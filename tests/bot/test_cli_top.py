"""`whatsit top` says what happened between two readings, at any width, and what it can do nothing with."""

from __future__ import annotations

import http.server
import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from prometheus_client import generate_latest
from rich.console import Console

from bot import cli
from bot.cli.scrape import Interval, NotReadable, Scrape, read
from bot.cli.top_screen import frame
from bot.metrics.prometheus_observer import PrometheusObserver
from bot.metrics.registry import LabelledRegistry
from tests.wire.metrics import free_port

LATE = 1_000_000.0
BUILD = {("whatsit_build_info", frozenset({("version", "1.2.3")})): 1.0}
Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(at: float, **values: float) -> Scrape:
    """A reading with these samples, none of which has labels."""
    return Scrape(at, {**BUILD, **{(name, frozenset()): value for name, value in values.items()}})


def histogram(at: float, name: str, buckets: Mapping[str, float], **labels: str) -> Scrape:
    return Scrape(
        at,
        {
            (f"{name}_bucket", frozenset({**labels, "le": bound}.items())): count
            for bound, count in buckets.items()
        },
    )


def drawn(interval: Interval, width: int, **options: str) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(frame(interval, width, **options))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@contextmanager
def served(text: str, status: int = 200) -> Iterator[int]:
    """The port of something that answers everything with this."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_quantile_is_estimated_as_prometheus_does() -> None:
    new = histogram(LATE, "t", {"1.0": 50, "2.0": 90, "+Inf": 100})
    since_start = Interval(Scrape(0, {}), new)
    assert since_start.quantile(0.5, "t") == pytest.approx(1.0)
    assert since_start.quantile(0.7, "t") == pytest.approx(1.5)
    assert since_start.quantile(0.99, "t") == 2.0  # beyond the last bound nothing is known
    assert since_start.quantile(0.5, "other") is None


def test_only_what_came_between_the_readings_counts() -> None:
    old = histogram(LATE - 60, "t", {"1.0": 1000, "2.0": 1000, "+Inf": 1000})
    new = histogram(LATE, "t", {"1.0": 1000, "2.0": 1010, "+Inf": 1010})
    assert Interval(old, new).quantile(0.5, "t") == pytest.approx(1.5)
    assert Interval(old, old).quantile(0.5, "t") is None


def test_the_histograms_of_all_ways_in_count_together() -> None:
    registry = LabelledRegistry()
    observer = PrometheusObserver(registry)
    for seconds in (0.05, 0.2):
        observer.answered("mention", seconds)
        observer.answered("command", seconds)
    with served(generate_latest(registry).decode() + "whatsit_build_info 1\n") as port:
        reading = read("127.0.0.1", port)
    assert Interval(reading.beginning(), reading).quantile(0.5, "whatsit_answer_seconds") == pytest.approx(
        0.1
    )
    assert reading.value("whatsit_answer_seconds_count") == 4
    assert reading.by("whatsit_answer_seconds_count", "way")["command"] == 2


@pytest.mark.parametrize("width", [40, 60, 72, 80, 200])
def test_a_frame_fits_the_width(width: int) -> None:
    new = scrape(
        LATE, whatsit_bad_answers=9999, whatsit_queue_images=256, whatsit_queue_images_limit=256,
        whatsit_worker_resident_bytes=1.6e9, whatsit_worker_memory_limit_bytes=1.6e9,
        whatsit_events_total=123456789, process_start_time_seconds=1,
    )  # fmt: skip
    lines = drawn(Interval(new.beginning(), new), width)
    assert max(map(len, lines)) <= width
    text = " ".join(lines)
    assert "…" not in text
    for word in ("256 of 256 images", "9999 of 10,000", "1,526 of 1,526 MiB", "up 11 d 13 h"):
        assert word in text


def test_it_says_what_is_not_ready_and_when_the_bot_is_gone() -> None:
    checks = {
        ("whatsit_ready", frozenset({("check", name)})): value
        for name, value in (("store", 0.0), ("model", 1.0))
    }
    interval = Interval(Scrape(0, {}), Scrape(LATE, {**BUILD, **checks}))
    assert "NOT READY: store" in drawn(interval, 80)[0]
    assert "does not answer any more" in drawn(interval, 80, trouble="does not answer any more")[0]


def test_a_label_cannot_play_tricks_on_the_terminal() -> None:
    labels = frozenset({("model", "evil\x1b[2J"), ("engine", "x")})
    new = Scrape(LATE, {**BUILD, ("whatsit_model_info", labels): 1.0})
    assert not any("\x1b" in line for line in drawn(Interval(new.beginning(), new), 80))


def test_without_metrics_it_says_how_to_have_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["top", "--once"]) == cli.USAGE
    said = capsys.readouterr().err
    assert "metrics.listen is empty" in said
    assert '"127.0.0.1:9464"' in said


def test_where_nothing_answers_it_says_where_and_what_to_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert cli.main(["top", "--once", "--address", f"127.0.0.1:{port}"]) == cli.FAILED
    said = capsys.readouterr().err
    assert f"Nothing answers at 127.0.0.1:{port} (Connection refused)" in said
    assert "metrics.listen" in said


@pytest.mark.parametrize(("text", "status"), [("<html>hello</html>", 200), ("up 1\n", 200), ("", 404)])
def test_something_else_that_answers_is_not_taken_for_the_bot(text: str, status: int) -> None:
    with (
        served(text, status) as port,
        pytest.raises(NotReadable, match=rf"is not Whatsit \(status {status}\)"),
    ):
        read("127.0.0.1", port)


@pytest.mark.parametrize("typed", ["9464", "127.0.0.1:", ":1", "host:port"])
def test_an_address_that_is_none_is_refused_with_an_example(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["top", "--address", typed])
    assert "such as 127.0.0.1:9464" in capsys.readouterr().err
