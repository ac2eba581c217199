"""Read a secret that programs of ours share from the file that a setting names."""

from __future__ import annotations

from pathlib import Path

from config.settings import ConfigError

SHORTEST = 16
"""Characters of the shortest secret that is taken: nobody guesses so many through a network."""


def read_secret(file: Path, setting: str) -> str:
    """Return the one word that stands in `file`, which `setting` names, such as "cluster.secret_file".

    Raises `ConfigError`, which never repeats the secret.
    """
    try:
        words = file.read_text(encoding="utf-8").split()
    except OSError as error:
        raise ConfigError(f"{setting} names {file}, which cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{setting} names {file}, which is not a text file.") from error
    if len(words) != 1 or not words[0].isascii() or not words[0].isprintable():
        raise ConfigError(f"{setting} names {file}, which does not hold one word of ASCII and nothing else.")
    if len(words[0]) < SHORTEST:
        raise ConfigError(
            f"{setting} names {file}, whose secret has fewer than {SHORTEST} characters. Make a longer one: "
            "openssl rand -hex 32."
        )
    return words[0]
