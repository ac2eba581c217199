"""The secret that the bot and the nodes of a cluster share: how it is read, sent and checked."""

from __future__ import annotations

import hmac

from config.secret_file import read_secret
from config.settings import ClusterSettings

WRONG = "The secret is missing or wrong (cluster.secret_file)."


def read_cluster_secret(cluster: ClusterSettings) -> str | None:
    """Return the secret, None where the settings name no file. Raises `ConfigError`."""
    if cluster.secret_file is None:
        return None
    return read_secret(cluster.secret_file, "cluster.secret_file")


def bearer(secret: str) -> str:
    """Return the header `Authorization` that brings a secret (RFC 6750)."""
    return f"Bearer {secret}"


def authorization_of(cluster: ClusterSettings) -> str | None:
    """Return that header for the nodes, None without a secret. Raises `ConfigError`."""
    secret = read_cluster_secret(cluster)
    return None if secret is None else bearer(secret)


class SecretCheck:
    """Tells who brings the secret. With None everybody is trusted."""

    def __init__(self, secret: str | None) -> None:
        self._wanted = None if secret is None else bearer(secret).encode()

    def trusts(self, authorization: str | None) -> bool:
        """Return whether this header `Authorization` brings it; how long that takes does not tell how much
        of it is right."""
        given = (authorization or "").encode(errors="replace")
        return self._wanted is None or hmac.compare_digest(given, self._wanted)
