"""Whose time runs while a batch is looked at, and when it is over."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from inference.serving.batch_watch import BatchWatch
from inference.serving.protocol import LooksBegun, LooksDone, UnsureReply

FIRST, SECOND = 11, 12
"""Two threads of the worker."""


class WatchScene:
    """A batch of images, and a worker's processor time, as the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, images: int = 4) -> None:
        self.now = 100.0
        self.threads = {FIRST: 7.0, SECOND: 9.0}
        monkeypatch.setattr(
            "inference.serving.batch_watch.time", SimpleNamespace(perf_counter=lambda: self.now)
        )
        self.codecs = 0.0
        """Processor time of threads that the worker has not spoken of."""
        self.watch = BatchWatch(
            image_seconds=2,
            silence=10,
            thread_seconds=self.threads.__getitem__,
            process_seconds=lambda: sum(self.threads.values()) + self.codecs,
            elsewhere_seconds=lambda: self.codecs,
        )
        self.watch.add(range(images))

    def begin(self, thread: int, *ids: int, elsewhere: bool = False) -> None:
        core_seconds = self.threads.get(thread, 0)
        news = LooksBegun(ids=ids, thread=thread, core_seconds=core_seconds, elsewhere=elsewhere)
        assert not self.watch.take(news)

    def done(self, *ids: int) -> None:
        replies = tuple(UnsureReply(id=id_, crops=1, core_seconds=0) for id_ in ids)
        assert self.watch.take(LooksDone(replies=replies)) == replies

    def work(self, seconds: float, *threads: int) -> None:
        self.now += seconds
        for thread in threads:
            self.threads[thread] += seconds


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> WatchScene:
    return WatchScene(monkeypatch)


def test_an_image_overruns_by_its_own_threads_time_alone(scene: WatchScene) -> None:
    scene.begin(FIRST, 0)
    scene.begin(SECOND, 1)
    scene.work(2.1, SECOND)
    assert scene.watch.overran() == {1}


def test_an_image_is_slow_by_its_own_threads_time(scene: WatchScene) -> None:
    scene.begin(FIRST, 0)
    scene.work(0.4, FIRST)
    scene.begin(SECOND, 1)
    scene.work(0.4, FIRST, SECOND)
    assert scene.watch.slow(0.9) == set()
    assert scene.watch.slow(0.7) == {0}
    assert scene.watch.slow(0.3) == {0, 1}


def test_waiting_for_a_core_or_a_lock_is_no_overrunning(scene: WatchScene) -> None:
    scene.begin(FIRST, 0)
    scene.work(9)
    assert not scene.watch.overran()
    assert not scene.watch.is_silent()


def test_each_image_has_its_time_to_itself(scene: WatchScene) -> None:
    for image in range(4):
        scene.begin(FIRST, image)
        scene.work(1.9, FIRST)
        assert not scene.watch.overran()


def test_images_that_are_predicted_together_have_their_times_together(scene: WatchScene) -> None:
    scene.begin(FIRST, 0, 1)
    scene.work(3.9, FIRST)
    assert not scene.watch.overran()
    scene.work(0.2, FIRST)
    assert scene.watch.overran() == {0, 1}


def test_an_image_alone_answers_for_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = WatchScene(monkeypatch, images=1)
    scene.begin(FIRST, 0)
    scene.work(2.1, SECOND)
    assert scene.watch.overran() == {0}


def test_what_comes_later_ends_that_an_image_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = WatchScene(monkeypatch, images=1)
    scene.begin(FIRST, 0)
    scene.watch.add([1])
    scene.begin(SECOND, 1)
    scene.work(2.1, SECOND)
    assert scene.watch.overran() == {1}


def test_a_codec_on_threads_of_its_own_counts_for_its_image(scene: WatchScene) -> None:
    scene.begin(FIRST, 0, elsewhere=True)
    scene.begin(SECOND, 1)
    scene.work(1.9)
    scene.codecs += 1.9
    assert not scene.watch.overran()
    scene.work(0.2)
    scene.codecs += 0.2
    assert scene.watch.overran() == {0}


def test_of_two_codecs_nobody_can_tell_which_one_overran(scene: WatchScene) -> None:
    scene.begin(FIRST, 0, elsewhere=True)
    scene.begin(SECOND, 1, elsewhere=True)
    scene.work(2.1)
    scene.codecs += 2.1
    assert scene.watch.overran() == {0, 1}


def test_a_thread_that_sleeps_while_others_work_is_noticed(scene: WatchScene) -> None:
    scene.begin(FIRST, 0)
    for image in range(4, 25):
        assert not scene.watch.stalled()
        scene.watch.add([image])
        scene.begin(SECOND, image)
        scene.work(1, SECOND)
        scene.done(image)
        assert not scene.watch.is_silent()
    assert scene.watch.stalled() == {0}


def test_a_thread_that_has_all_others_wait_does_not_make_these_suspects(scene: WatchScene) -> None:
    """As one does in a call into C that holds the GIL."""
    scene.begin(FIRST, 0)
    scene.begin(SECOND, 1, 2)
    for _ in range(30):
        scene.work(0.1, SECOND)
        scene.now += 0.7
        assert not scene.watch.stalled()


def test_a_worker_that_says_nothing_for_too_long_hangs(scene: WatchScene) -> None:
    for image in range(3):
        scene.begin(FIRST, image)
        scene.work(9.9)
        assert not scene.watch.is_silent()
    scene.work(0.2)
    assert scene.watch.is_silent()


def test_a_worker_that_only_waits_for_a_processor_does_not_hang(scene: WatchScene) -> None:
    scene.begin(FIRST, 0)
    scene.work(6)
    assert not scene.watch.is_silent()
    scene.work(6)
    scene.threads[FIRST] += 0.3
    assert not scene.watch.is_silent()


def test_a_worker_that_burns_time_on_threads_of_no_image_hangs(scene: WatchScene) -> None:
    scene.begin(FIRST, 0)
    scene.work(6)
    assert not scene.watch.is_silent()
    scene.work(6, SECOND)
    assert not scene.watch.overran()
    assert scene.watch.is_silent()


def test_a_worker_that_talks_without_end_hangs(scene: WatchScene) -> None:
    while not scene.watch.is_silent():
        scene.begin(FIRST, 0)
        scene.work(1)
    assert 50 <= scene.now - 100 <= 52


def test_only_what_was_begun_and_is_not_done_is_in_work(scene: WatchScene) -> None:
    assert scene.watch.in_work() == {}
    scene.begin(FIRST, 0)
    scene.begin(FIRST, 1)
    scene.begin(SECOND, 2)
    scene.work(0.5, FIRST)
    assert scene.watch.in_work() == {1: 0.5, 2: 0.5}
    scene.begin(FIRST, 0, 1)
    scene.done(0, 1)
    assert scene.watch.in_work() == {2: 0.5}
    assert scene.watch.unanswered == {2, 3}


def test_a_worker_that_claims_to_be_at_nothing_may_be_at_everything(scene: WatchScene) -> None:
    scene.begin(FIRST)
    assert scene.watch.in_work().keys() == {0, 1, 2, 3}


@pytest.mark.parametrize("ids", [(4,), (1, 1)])
def test_news_of_images_that_nobody_asked_for_are_refused(scene: WatchScene, ids: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not asked"):
        scene.begin(FIRST, *ids)
    with pytest.raises(ValueError, match="not asked"):
        scene.done(*ids)


def test_no_image_is_answered_twice(scene: WatchScene) -> None:
    scene.done(1)
    with pytest.raises(ValueError, match="not asked"):
        scene.done(1)
