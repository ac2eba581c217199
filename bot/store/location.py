"""Where the store is: a SQLite file or a PostgreSQL, from the owner's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

import config.settings

FILE_NAME = "whatsit.sqlite3"

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}


@dataclass(frozen=True)
class Location:
    """`file` is None for a PostgreSQL. As text: what a person may see, so without the password."""

    url: URL
    file: Path | None

    @classmethod
    def of_file(cls, file: Path) -> Location:
        """Return the location of a SQLite file."""
        return cls(URL.create(_DRIVERS["sqlite"], database=str(file)), file)

    def __str__(self) -> str:
        if self.file is not None:
            return str(self.file)
        return self.url.set(drivername=self.url.get_backend_name()).render_as_string(hide_password=True)


def locate(store: config.settings.StoreSettings, data: config.settings.Data) -> Location:
    """Return where the settings put the store.

    Raises `ConfigError` for a `store.url` that is no address of a SQLite file or a PostgreSQL."""
    if store.url is None:
        return Location.of_file(data.dir / FILE_NAME)
    try:
        url = make_url(store.url)
    except (ArgumentError, ValueError) as error:  # its text may hold a password: it is not repeated
        raise config.settings.ConfigError(
            "store.url is no address. Allowed: postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:////path/to/file."
        ) from error
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise config.settings.ConfigError(
            f"store.url begins with {url.drivername}://. Allowed: postgresql:// and sqlite:///."
        )
    url = url.set(drivername=driver)
    if driver != _DRIVERS["sqlite"]:
        return Location(url, None)
    if url.database in (None, "", ":memory:"):
        raise config.settings.ConfigError(
            "store.url names a database in memory, which forgets everything. Name a file: sqlite:////path/to/file."
        )
    file = Path(url.database).expanduser()
    return Location(url.set(database=str(file)), file)
