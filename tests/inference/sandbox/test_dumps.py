"""A process that keeps its memory to itself."""

from __future__ import annotations

import subprocess
import sys

from inference.subprocesses import own_environment

TELLS = """
import resource
from inference.sandbox.kernel import forbid_dumps, prctl
GET_DUMPABLE = 3
resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096))
for step in (lambda: None, forbid_dumps):
    step()
    print(prctl(GET_DUMPABLE, 0), *resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_it_writes_no_core_and_is_read_by_no_other_process_of_its_user() -> None:
    run = subprocess.run(
        [sys.executable, "-P", "-c", TELLS], capture_output=True, text=True, check=True, env=own_environment()
    )
    assert run.stdout.splitlines() == ["1 4096 4096", "0 0 0"]
