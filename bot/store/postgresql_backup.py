"""Back up a PostgreSQL store and restore it, with PostgreSQL's own programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL

from bot.store.check import TABLES
from bot.store.faults import StoreDamaged, StoreTooNew, StoreUnavailable
from bot.store.location import Location
from bot.store.migrations import HEAD, VERSION_TABLE

NAMES = (*(table.name for table in TABLES), VERSION_TABLE)
"""Nothing else is backed up or replaced: a database may belong to others too."""
PASSED = re.compile(
    "PATH|HOME|LANG|TZ|SYSTEMROOT|USERPROFILE|APPDATA|TMPDIR|TEMP|TMP|PG[A-Z]+|SSL_CERT_(FILE|DIR)"
)
"""The variables that the programs may see; the bot's token is none of them."""


def back_up_postgresql(location: Location, target: Path) -> None:
    """Write a dump that `pg_restore` reads; the bot may go on meanwhile. Raises `StoreUnavailable`."""
    if target.exists():
        raise StoreUnavailable(f"{target} is there already. Name another file, or move that one away.")
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        tables = [f"--table={name}" for name in NAMES]
        options = ["--format=custom", "--no-owner", "--no-privileges", *tables, f"--file={unfinished}"]
        _run("pg_dump", [*options, f"--dbname={_address(location.url)}"], location)
        unfinished.rename(target)
    except OSError as error:
        raise StoreUnavailable(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def restore_postgresql(backup: Path, location: Location, old: Path) -> None:
    """Replace the store by what a dump holds, all or nothing; what was there is dumped to `old` before.

    Nobody may use the store meanwhile. Raises a `StoreError`, and then nothing has changed.
    """
    with tempfile.TemporaryDirectory(prefix="whatsit-restore-") as folder:
        script = Path(folder) / "restore.sql"
        options = ["--no-owner", "--no-privileges", f"--file={script}", str(backup)]
        _run("pg_restore", options, location)
        _refuse_strange(backup, script)
        back_up_postgresql(location, old)
        # Both in one transaction: also tables go that the backup's version did not have yet.
        drop = "DROP TABLE IF EXISTS " + ", ".join(f'"{name}"' for name in NAMES)
        options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        options += [f"--command={drop}", f"--file={script}", f"--dbname={_address(location.url)}"]
        _run("psql", options, location)


def is_dump(file: Path) -> bool:
    """Whether a file begins as one of `pg_dump`'s does. Raises `OSError`."""
    with file.open("rb") as opened:
        return opened.read(5) == b"PGDMP"


def _refuse_strange(backup: Path, script: Path) -> None:
    """Refuse a dump that is none of Whatsit's, or of a newer one."""
    text = script.read_text(encoding="utf-8", errors="replace")
    found = re.search(rf"^COPY \S*{VERSION_TABLE} \(.*\) FROM stdin;\n(\d{{4}})$", text, re.MULTILINE)
    if found is None:
        raise StoreDamaged(f"{backup} is a dump, but none of a store of Whatsit's.")
    if found[1] > HEAD:
        raise StoreTooNew(
            f"{backup} was written by a newer Whatsit (version {found[1]} of the store; this one knows "
            f"{HEAD} and older). Update Whatsit first."
        )


def _run(program: str, options: Sequence[str], location: Location) -> None:
    found = shutil.which(program)
    if found is None:
        raise StoreUnavailable(
            f"{location} is a PostgreSQL, for which {program} is needed, and it is not installed here. "
            "Install PostgreSQL's client programs, of the server's version or newer (Debian: apt-get install "
            "postgresql-client)."
        )
    environment = {name: value for name, value in os.environ.items() if PASSED.fullmatch(name)}
    environment |= {"LC_ALL": "C"}
    if location.url.password is not None:  # not among the options, which every user of the machine can read
        environment |= {"PGPASSWORD": str(location.url.password)}
    done = subprocess.run([found, *options], capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - PostgreSQL's own
    if done.returncode:
        said = "; ".join(line.strip() for line in done.stderr.splitlines() if line.strip())
        raise StoreUnavailable(f"{location}: {program} failed. It said: {said or 'nothing'}")


def _address(url: URL) -> str:
    """Return the address as PostgreSQL's programs take it, without the password."""
    options = {("sslmode" if name == "ssl" else name): value for name, value in url.query.items()}
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, options)
    return plain.render_as_string(hide_password=False)
