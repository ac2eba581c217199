"""Large buffers leave no trace in the heap of a process."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
from inference.large_buffers import give_back_when_freed


def heap():
    with open("/proc/self/maps", encoding="ascii") as maps:
        for line in maps:
            if line.endswith("[heap]\\n"):
                begin, end = (int(address, 16) for address in line.split()[0].split("-"))
                return end - begin
    return 0


give_back_when_freed()
before = heap()
del [bytearray(8 << 20)][:]
later = [bytearray(4 << 20) for _ in range(4)]
print(heap() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows its heap")
def test_buffers_that_are_made_after_one_was_freed_are_not_taken_from_the_heap() -> None:
    child = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, timeout=60)
    assert int(child.stdout) < 1 << 20
