"""Landlock alone, without the filter of system calls: a process of its own says what it could do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from inference.subprocesses import own_environment

TRIES = """
import errno, json, os, socket, sys
from pathlib import Path
from inference.sandbox import landlock

to = json.loads(sys.stdin.read())
opened = open(to["open"])
version = landlock.restrict(
    read=map(Path, to["read"]), write=map(Path, to["write"]), network=to["network"]
)

def connect(family, address):
    with socket.socket(family) as one:
        one.connect(address)

tries = {
    "read what is open": lambda: opened.read(1),
    "read inside": lambda: open(to["inside"]).read(1),
    "write inside": lambda: open(to["inside"], "a").write("x"),
    "make inside": lambda: open(to["inside"] + ".new", "x"),
    "read outside": lambda: open(to["outside"]).read(1),
    "write outside": lambda: open(to["outside"], "a").write("x"),
    "remove outside": lambda: os.unlink(to["outside"]),
    "environment of the parent": lambda: open(f"/proc/{os.getppid()}/environ").read(1),
    "TCP": lambda: connect(socket.AF_INET, ("127.0.0.1", to["tcp"])),
    "abstract socket": lambda: connect(socket.AF_UNIX, "\\0" + to["abstract"]),
    "signal to the parent": lambda: os.kill(os.getppid(), 0),
}
done = {}
for name, do in tries.items():
    try:
        do()
        done[name] = "done"
    except OSError as error:
        done[name] = errno.errorcode[error.errno]
print(json.dumps([version, done]))
"""


def outcomes(
    tmp_path: Path, *, read: bool = False, write: bool = False, network: bool = False
) -> dict[str, str]:
    """What a process can do that keeps the named rights on the folder `inside`."""
    inside, outside = tmp_path / "inside" / "file", tmp_path / "outside"
    inside.parent.mkdir()
    for file in (inside, outside):
        file.write_text("text")
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as abstract:
        name = f"whatsit-landlock-{os.getpid()}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        told = {
            "open": str(outside),
            "inside": str(inside),
            "outside": str(outside),
            "read": [str(inside.parent)] * read,
            "write": [str(inside.parent)] * write,
            "network": network,
            "tcp": tcp.getsockname()[1],
            "abstract": name,
        }
        run = subprocess.run(
            [sys.executable, "-P", "-c", TRIES],
            input=json.dumps(told),
            capture_output=True,
            text=True,
            check=True,
            env=own_environment(),
        )
    version, done = json.loads(run.stdout)
    assert version >= 6, "these tests need a kernel with Landlock's ABI 6"
    return dict(done)


NOTHING = {
    "read what is open": "done",
    "read inside": "EACCES",
    "write inside": "EACCES",
    "make inside": "EACCES",
    "read outside": "EACCES",
    "write outside": "EACCES",
    "remove outside": "EACCES",
    "environment of the parent": "EACCES",
    "TCP": "EACCES",
    "abstract socket": "EPERM",
    "signal to the parent": "EPERM",
}


def test_with_no_right_kept_only_what_is_open_can_be_used(tmp_path: Path) -> None:
    assert outcomes(tmp_path) == NOTHING


def test_reading_is_no_writing(tmp_path: Path) -> None:
    assert outcomes(tmp_path, read=True) == NOTHING | {"read inside": "done"}


def test_a_download_reaches_the_network_and_its_folder_alone(tmp_path: Path) -> None:
    allowed = dict.fromkeys(("read inside", "write inside", "make inside", "TCP"), "done")
    assert outcomes(tmp_path, write=True, network=True) == NOTHING | allowed
