"""What `deploy/cluster` has for a cluster: systemd's units, and the resources of Kubernetes and KubeRay.

KubeRay's own schema is in no package index, so of a RayService its pods alone are held against a schema.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from config.loading import load
from config.settings import Settings
from inference.cluster.ray_nodes.environment import PLACE, PLACES_EACH, ray_environment
from tests.deployment.test_service import PROGRAM, analyze

CLUSTER = Path(__file__).parents[2] / "deploy" / "cluster"
KUBERNETES = "1.37.0"
"""The newest that `kubernetes_validate` knows; what is used here is as old as 1.25."""
EXPOSURE = 2.0
"""What systemd's own figure, from 0 to 10, must stay under."""
UNITS = ("whatsit-head.service", "whatsit-node.service")


def resources(file: str) -> dict[str, dict[str, Any]]:
    """The resources of a file, by kind. Anchors are written out."""
    found = yaml.safe_load_all((CLUSTER / file).read_text(encoding="utf-8"))
    return {each["kind"]: copy.deepcopy(each) for each in found}


def pods(service: dict[str, Any]) -> list[dict[str, Any]]:
    """The pod templates of a RayService, as those of a Deployment."""
    cluster = service["spec"]["rayClusterConfig"]
    groups = (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])
    labels = {"app": "any"}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "any"},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, **group["template"]},
            },
        }
        for group in groups
    ]


@pytest.fixture(params=UNITS)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit, with a program that is there."""
    name = str(request.param)
    text = (CLUSTER / name).read_text(encoding="utf-8")
    assert PROGRAM in text
    file = tmp_path / name
    file.write_text(text.replace(PROGRAM, "/bin/true"), encoding="utf-8")
    return file


def test_systemd_understands_its_unit(unit: Path) -> None:
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_leaves_little_open(unit: Path) -> None:
    done = analyze("security", "--offline=true", unit)
    exposure = re.search(r"Overall exposure level for \S+ (\d+\.\d)", done.stdout)
    assert exposure is not None, done.stderr
    assert float(exposure[1]) < EXPOSURE


def test_no_other_machine_than_those_that_are_named_reaches_it(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    assert "\nIPAddressDeny=any\n" in text
    assert re.findall(r"^IPAddressAllow=(.*)$", text, re.MULTILINE) == ["localhost", "10.0.0.0/24"]


def test_the_units_are_alike_but_for_the_role() -> None:
    head, node = ((CLUSTER / name).read_text(encoding="utf-8").splitlines() for name in UNITS)
    others = [(a, b) for a, b in zip(head, node, strict=True) if a != b]
    assert [b for _, b in others if b.startswith("ExecStart=")] == [f"ExecStart={PROGRAM} serve --join"]
    assert [a for a, _ in others if a.startswith("ExecStart=")] == [f"ExecStart={PROGRAM} serve --head"]
    assert all(a.startswith(("#", "Description=", "ExecStart=")) for a, _ in others)


def test_its_folders_are_those_of_the_settings(unit: Path) -> None:
    settings = load(CLUSTER / "cluster.toml", {})
    folders = dict(re.findall(r"^(State|Cache|Runtime)Directory=(\S+)$", unit.read_text(), re.MULTILINE))
    assert str(settings.data.dir) == f"/var/lib/{folders['State']}"
    assert str(settings.model.cache_dir) == f"/var/cache/{folders['Cache']}"
    assert str(settings.ray.run_dir) == f"/run/{folders['Runtime']}"
    assert not settings.ray.is_alone


def test_kubernetes_understands_the_pods_of_the_service() -> None:
    for pod in pods(resources("rayservice.yaml")["RayService"]):
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)


@pytest.mark.parametrize("kind", ["StatefulSet", "Service", "Job"])
def test_kubernetes_understands_what_the_bot_is(kind: str) -> None:
    kubernetes_validate.validate(resources("bot.yaml")[kind], KUBERNETES, strict=True)


def test_kubernetes_understands_who_may_reach_ray() -> None:
    kubernetes_validate.validate(resources("rayservice.yaml")["NetworkPolicy"], KUBERNETES, strict=True)


def test_kubernetes_does_not_understand_a_misspelt_bot() -> None:
    bot = resources("bot.yaml")["StatefulSet"]
    bot["spec"]["template"]["spec"]["automountServiceAccountTokens"] = False
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(bot, KUBERNETES, strict=True)


def test_ray_is_told_in_pods_what_it_is_told_elsewhere() -> None:
    ours = ray_environment(Settings(), Path("/run/any"), Path("/run/any/token"), "/any/haproxy")
    for pod in pods(resources("rayservice.yaml")["RayService"]):
        [container] = pod["spec"]["template"]["spec"]["containers"]
        told = {each["name"]: each["value"] for each in container["env"] if each["name"].startswith("RAY_")}
        assert len(told) > 5
        assert {name: ours[name] for name in told} == told


def test_pods_have_places_for_replicas_but_the_head() -> None:
    cluster = resources("rayservice.yaml")["RayService"]["spec"]["rayClusterConfig"]
    places = [
        json.loads(json.loads(group["rayStartParams"]["resources"]))[PLACE]
        for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])
    ]
    assert places == [0, PLACES_EACH]


def test_each_pod_is_without_rights() -> None:
    bot = resources("bot.yaml")
    templates = [
        *(pod["spec"]["template"] for pod in pods(resources("rayservice.yaml")["RayService"])),
        *(bot[kind]["spec"]["template"] for kind in ("StatefulSet", "Job")),
    ]
    for template in templates:
        assert template["spec"]["automountServiceAccountToken"] is False
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True
        for container in template["spec"]["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_bot_asks_the_service_of_the_cluster() -> None:
    service = resources("rayservice.yaml")["RayService"]
    deployed = yaml.safe_load(service["spec"]["serveConfigV2"])
    [bot] = resources("bot.yaml")["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    told = {each["name"]: each.get("value") for each in bot["env"]}
    name, port = service["metadata"]["name"], deployed["http_options"]["port"]
    assert json.loads(told["WHATSIT_CLUSTER__URLS"]) == [f"http://{name}-serve-svc:{port}"]
