"""`whatsit serve`: a node of a cluster, which has no token and never speaks to Discord."""

from __future__ import annotations

import argparse

from bot.cli.settings import settings_for
from bot.logs.writing import written_log
from bot.stop_signals import stop_signals
from config.settings import ALONE, ConfigError, Settings, node_address


def main(args: argparse.Namespace) -> int:
    """Serve until told to stop, and return the exit code. Raises `ConfigError`."""
    settings = _listening(settings_for(args), args.listen)
    # `whatsit --help` does not wait for these.
    if args.plain:
        from inference.cluster import plain_server  # noqa: PLC0415

        with written_log(settings.log):
            return plain_server.serve(settings, stop_signals)
    from inference.cluster.ray_nodes import machine  # noqa: PLC0415

    if args.local:
        settings = _alone(settings)
    with written_log(settings.log):
        return machine.serve(settings, stop_signals, head=not args.join)


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


def _alone(settings: Settings) -> Settings:
    """Have Ray listen to this machine alone, whatever the settings say of a cluster."""
    if not settings.cluster.address.is_loopback:
        raise ConfigError(
            f"cluster.listen is {settings.cluster.address}, which other machines reach, and --local is "
            "for this "
            "machine alone: add --listen 8720, or take --head."
        )
    ray = settings.ray.model_copy(
        update={"address": ALONE, "head": f"{ALONE}:{settings.ray.head_address.port}"}
    )
    return settings.model_copy(update={"ray": ray})
