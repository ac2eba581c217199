"""`whatsit serve`: a node of a cluster, which has no token and never speaks to Discord."""

from __future__ import annotations

import argparse

from bot.cli.settings import settings_for
from bot.logs.writing import written_log
from bot.stop_signals import stop_signals
from config.settings import ConfigError, Settings, node_address


def main(args: argparse.Namespace) -> int:
    """Serve until told to stop, and return the exit code. Raises `ConfigError`."""
    settings = _listening(settings_for(args), args.listen)
    from inference.cluster.plain_server import serve  # noqa: PLC0415 - `whatsit --help` does not wait for it

    with written_log(settings.log):
        return serve(settings, stop_signals)


def _listening(settings: Settings, listen: str | None) -> Settings:
    """Put what was typed over `cluster.listen`."""
    if listen is None:
        return settings
    try:
        node_address(listen)
    except ValueError as error:
        raise ConfigError(f"--listen cannot be {listen}: {error}.") from error
    cluster = settings.cluster.model_copy(update={"listen": listen})
    return settings.model_copy(update={"cluster": cluster})
