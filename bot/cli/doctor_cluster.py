"""What `whatsit doctor` says of the nodes of a cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.cli.check_results import CheckResult, Level
from config.settings import ConfigError, Settings
from inference.serving.cluster_client.survey import NodeReport, survey


async def check_cluster(settings: Settings) -> AsyncIterator[CheckResult]:
    """Ask every node of `cluster.urls` how it is. Without one that answers the bot cannot run."""
    if settings.inference.backend != "cluster":
        return
    try:
        reports = await survey(settings)
    except ConfigError as error:
        yield CheckResult(
            Level.FAIL, "The nodes of the cluster cannot be asked: the secret cannot be read.", str(error)
        )
        return
    some = any(report.fault is None for report in reports)
    for report in reports:
        yield _found(report, Level.NOTE if some else Level.FAIL)
    models = {(report.model, report.engine) for report in reports if report.fault is None}
    if len(models) > 1:
        yield CheckResult(
            Level.NOTE,
            "The nodes have different models or engines: "
            f"{', '.join(sorted(f'{model} on {engine}' for model, engine in models))}.",
            "The same picture may be named differently from one time to the next, and what was taught to one "
            "model is unknown to another. Give all nodes the same model.name, or set it here too.",
        )


def _found(report: NodeReport, level: Level) -> CheckResult:
    if report.fault is not None:
        return CheckResult(
            level,
            f"The node {report.url} cannot be asked. {report.fault}",
            "Does `whatsit serve` run there, with the same secret and model as here?",
        )
    return CheckResult(
        Level.OK,
        f"The node {report.url} answers with {report.model} on {report.engine}; "
        f"{report.images} of {report.places} places are taken.",
    )
