"""`python -m inference.cluster.ray_nodes.ray_start ...`: Ray's own command line, without Ray Client.

Ray Client is a server, on the head, to which programs elsewhere connect to run code. Ray starts it wherever
gRPC is installed, and has no option against that. Without it there is one door less, and 100 MB of memory
more.
"""

from __future__ import annotations

import sys

from ray.scripts import scripts

if __name__ == "__main__":
    if not hasattr(scripts, "get_ray_client_dependency_error"):
        sys.exit("This version of Ray starts Ray Client in another way: Whatsit knows that of 2.60.")
    scripts.get_ray_client_dependency_error = lambda: "Ray Client is not wanted"
    scripts.main()
