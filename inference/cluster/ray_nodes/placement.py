"""Where in a cluster Serve puts ingresses and replicas: on every machine, and evenly.

Serve keeps an ingress only on the head and on machines that have a replica at the moment, and puts a replica
on any machine with a free place. A replica that dies may so come back beside another one, and its machine
then stops listening: of two ingresses in `cluster.urls` only the head's is left, and both replicas die with
the head. Serve has no option against either.
"""

# ruff: noqa: SLF001 - what is changed here has no public name

from __future__ import annotations

from ray.serve._private.deployment_scheduler import DeploymentScheduler
from ray.serve._private.deployment_state import DeploymentStateManager

from inference.cluster.ray_nodes.environment import PLACE

CHANGED = {
    DeploymentStateManager: ("get_active_node_ids",),
    DeploymentScheduler: (
        "_schedule_with_spread_strategy",
        "_schedule_replica",
        "_running_replicas_on_node_id",
        "_launching_replicas_on_node_id",
    ),
}
"""What of Ray is replaced or called here, and may be another thing in another version."""


def place_everywhere() -> None:
    """Change Serve's controller, which calls this in its own process before it does anything else.

    Raises RuntimeError in a version of Ray that places in another way: the cluster then does not start.
    """
    for owner, names in CHANGED.items():
        if not all(hasattr(owner, name) for name in names):
            raise RuntimeError("This version of Ray places in another way: Whatsit knows that of 2.60.")
    DeploymentStateManager.get_active_node_ids = _machines
    DeploymentScheduler._schedule_with_spread_strategy = _place_evenly


def _machines(state: DeploymentStateManager) -> set[str]:
    """Return where there is to be an ingress. The controller itself leaves out machines that stop."""
    machines: set[str] = state._cluster_node_info_cache.get_alive_node_ids()
    return machines


def _place_evenly(scheduler: DeploymentScheduler) -> None:
    """Start each waiting replica on the machine whose places are least taken, if one is free there."""
    for waiting in scheduler._pending_replicas.values():
        for request in list(waiting.values()):
            scheduler._schedule_replica(
                scheduling_request=request,
                default_scheduling_strategy="SPREAD",
                target_node_id=_least_taken(scheduler),
            )


def _least_taken(scheduler: DeploymentScheduler) -> str | None:
    """Return the machine with the smallest share of its places taken, None where none has any.

    Of several it is the head: a new one does not know yet where replicas have outlived the old one, which
    was elsewhere.
    """
    machines = scheduler._cluster_node_info_cache
    places = {
        node: resources[PLACE]
        for node, resources in machines.get_total_resources_per_node().items()
        if node in machines.get_active_node_ids() and resources.get(PLACE)
    }
    taken = {
        node: len(scheduler._running_replicas_on_node_id(node))
        + len(scheduler._launching_replicas_on_node_id(node))
        for node in places
    }
    return min(
        places, key=lambda node: (taken[node] / places[node], node != scheduler._head_node_id), default=None
    )
