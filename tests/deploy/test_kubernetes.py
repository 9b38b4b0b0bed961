"""The manifests as kustomize renders them: known to their APIs, and at one with each other."""

import copy
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from streaming.serving import Address
from streaming.settings import Settings
from streaming.urls import KafkaUrl, LogUrl
from tests.deploy.kinds import VERSIONS, Manifest, faults
from tests.deploy.shipped import (
    DEPLOY,
    ROOT,
    VERSION,
    kustomize,
    names_no_registry,
    parsed,
    render,
    settings_at,
)

KUBERNETES = DEPLOY / "kubernetes"
COMPONENT = "app.kubernetes.io/component"
RENDERED = ("base", "example")


@dataclass(frozen=True)
class Pod:
    """What runs: its labels, its spec and the command line of its one container."""

    owner: str
    labels: dict[str, str]
    spec: dict[str, Any]
    image: str
    arguments: list[str]

    @property
    def component(self) -> str:
        return self.labels[COMPONENT]

    @property
    def container(self) -> dict[str, Any]:
        (only,) = self.spec["containers"]
        found: dict[str, Any] = only
        return found

    @property
    def ports(self) -> dict[str, int]:
        return {each["name"]: each["containerPort"] for each in self.container.get("ports", [])}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directories with secrets in them, which are not kept here."""
    copied = tmp_path_factory.mktemp("deploy") / "kubernetes"
    shutil.copytree(KUBERNETES, copied)
    secrets = copied / "example" / "secrets"
    secrets.mkdir()
    for name in ("dashboard-token", "webhook-secret"):
        (secrets / name).write_text("c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IQ==")
    return copied


@pytest.fixture(scope="module", params=RENDERED)
def manifests(request: pytest.FixtureRequest, sources: Path) -> list[Manifest]:
    return render(sources / request.param)


def of(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def named(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each for each in of(manifests, kind)}


@pytest.fixture
def pods(manifests: list[Manifest]) -> list[Pod]:
    found = []
    for each in of(manifests, "Deployment", "Job"):
        template = each["spec"]["template"]
        (container,) = template["spec"]["containers"]
        found.append(
            Pod(
                each["metadata"]["name"],
                template["metadata"]["labels"],
                template["spec"],
                container["image"],
                container["args"],
            )
        )
    (query,) = of(manifests, "SparkApplication")
    for role in ("driver", "executor"):
        part = query["spec"][role]
        spec = {**part["template"]["spec"], "serviceAccountName": part["serviceAccount"]}
        arguments = query["spec"]["arguments"] if role == "driver" else []
        found.append(Pod(role, part["labels"], spec, query["spec"]["image"], arguments))
    return found


@pytest.fixture
def settings(manifests: list[Manifest], tmp_path: Path) -> Settings:
    (config,) = of(manifests, "ConfigMap")
    file = tmp_path / "leitong.toml"
    file.write_text(config["data"]["leitong.toml"])
    return settings_at(file)


def test_every_kind_takes_what_is_said(manifests: list[Manifest]) -> None:
    assert len(manifests) > 15
    for each in manifests:
        assert faults(each) == [], (each["kind"], each["metadata"]["name"])


def test_a_field_that_is_misspelt_is_found_wherever_it_is(sources: Path) -> None:
    seen: set[tuple[str, ...]] = set()
    for each in render(sources / "example"):
        for broken in misspelt(each, seen):
            assert faults(broken, VERSIONS[-1:]) != [], yaml.safe_dump(broken)


def misspelt(manifest: Manifest, seen: set[tuple[str, ...]]) -> Iterator[Manifest]:
    """Give a manifest with a field too much, in each of its objects whose like was not `seen`."""
    for path in _objects(manifest, ()):
        like = (manifest["kind"], *("*" if isinstance(step, int) else step for step in path))
        if like in seen or like == ("Service", "spec", "selector"):
            continue
        seen.add(like)
        broken = copy.deepcopy(manifest)
        inside: Any = broken
        for step in path:
            inside = inside[step]
        inside["misspelt"] = "x"
        yield broken


_FREE = {"labels", "matchLabels", "annotations", "data", "sparkConf", "requests", "limits"}
"""Where every name is right."""


def _objects(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        if path and path[-1] in _FREE:
            return
        yield path
        for key, inner in value.items():
            yield from _objects(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _objects(inner, (*path, number))


def test_nothing_is_built_without_the_secrets() -> None:
    told = kustomize(KUBERNETES / "example")
    assert told.returncode != 0
    assert "secrets/dashboard-token" in told.stderr
    assert not (KUBERNETES / "example" / "secrets").exists()
    assert not of(render(KUBERNETES / "base"), "Secret")


def test_the_example_changes_the_image_everywhere(sources: Path) -> None:
    text = yaml.safe_dump_all(render(sources / "example"))
    images = set(re.findall(r"\bimage: (\S+)", text))
    assert images == {f"images.newsroom.example/leitong:{VERSION}"}
    base = set(re.findall(r"\bimage: (\S+)", yaml.safe_dump_all(render(sources / "base"))))
    assert base == {f"leitong:{VERSION}"}
    assert all(map(names_no_registry, base))


def test_everything_is_in_one_namespace(manifests: list[Manifest]) -> None:
    (namespace,) = of(manifests, "Namespace")
    name = namespace["metadata"]["name"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for each in manifests:
        assert each is namespace or each["metadata"]["namespace"] == name
        for subject in each.get("subjects", []):
            assert subject["namespace"] == name


def test_pods_are_as_restricted_as_the_namespace_asks(pods: list[Pod]) -> None:
    assert {pod.component for pod in pods} >= {"topics", "dashboard", "query", "executor"}
    for pod in pods:
        security = pod.spec["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"]) == (True, 10001), pod.owner
        assert security["fsGroup"] == 10001
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        inner = pod.container["securityContext"]
        assert inner == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, pod.owner
        mounts = {each["mountPath"]: each for each in pod.container["volumeMounts"]}
        assert "/tmp" in mounts, pod.owner  # noqa: S108 - of the containers
        assert pod.component == "topics" or "/var/lib/leitong" in mounts, pod.owner
        assert pod.spec["enableServiceLinks"] is False


def test_only_the_driver_speaks_to_the_cluster(manifests: list[Manifest], pods: list[Pod]) -> None:
    accounts = named(manifests, "ServiceAccount")
    for pod in pods:
        account = accounts[pod.spec["serviceAccountName"]]
        lets = pod.spec.get("automountServiceAccountToken", account["automountServiceAccountToken"])
        assert lets is (pod.component == "query"), pod.owner
    (role,), (binding,) = of(manifests, "Role"), of(manifests, "RoleBinding")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    (subject,) = binding["subjects"]
    (driver,) = (pod for pod in pods if pod.component == "query")
    assert subject["name"] == driver.spec["serviceAccountName"]
    assert {rule for each in role["rules"] for rule in each["resources"]} == {"pods", "configmaps"}
    assert "*" not in str(role["rules"])
    assert not of(manifests, "ClusterRole", "ClusterRoleBinding")


def test_commands_are_those_of_the_program(pods: list[Pod]) -> None:
    for pod in pods:
        if pod.component == "executor":
            assert pod.arguments == []
            continue
        options = parsed(pod.arguments)
        mounted = [each["mountPath"] for each in pod.container["volumeMounts"]]
        for name in ("file", "token_file", "secret_file"):
            if options.get(name):
                assert any(options[name].is_relative_to(each) for each in mounted), pod.owner
        assert options["file"]
        listens = options.get("metrics") or options.get("address")
        if listens:
            address = Address.parse(listens)
            assert not address.is_loopback
            assert list(pod.ports.values()) == [address.port], pod.owner


def test_the_query_is_a_file_of_the_package(manifests: list[Manifest], tmp_path: Path) -> None:
    (query,) = of(manifests, "SparkApplication")
    _, inside, path = query["spec"]["mainApplicationFile"].partition("/site-packages/")
    assert inside
    told = subprocess.run(
        [sys.executable, ROOT / path, "--version"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout == f"leitong, version {VERSION}\n"
    # Python puts the directory of such a file before all others.
    beside = {each.stem for each in (ROOT / path).parent.iterdir()} - {"__init__", "__main__"}
    assert beside.isdisjoint(sys.stdlib_module_names)
    import pyspark  # noqa: PLC0415 - for its version

    assert query["spec"]["sparkVersion"] == pyspark.__version__
    for role in ("driver", "executor"):
        (container,) = query["spec"][role]["template"]["spec"]["containers"]
        # Others the operator would not take for Spark's.
        assert container["name"] == f"spark-kubernetes-{role}"


def test_the_checkpoint_outlives_the_driver_and_nobody_else_has_it(
    manifests: list[Manifest], pods: list[Pod], settings: Settings
) -> None:
    (claim,) = of(manifests, "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    holders = {
        pod.component: volume["name"]
        for pod in pods
        for volume in pod.spec["volumes"]
        if volume.get("persistentVolumeClaim", {}).get("claimName") == claim["metadata"]["name"]
    }
    assert holders.keys() == {"query"}
    (driver,) = (pod for pod in pods if pod.component == "query")
    (where,) = (
        each["mountPath"]
        for each in driver.container["volumeMounts"]
        if each["name"] == holders["query"]
    )
    assert Path(settings.query.checkpoint).is_relative_to(where)
    # What Spark is given by its operator, it should not be given again by the settings.
    assert settings.spark == {}


def test_whatever_is_referred_to_is_there(manifests: list[Manifest], pods: list[Pod]) -> None:
    config = named(manifests, "ConfigMap")
    secrets = named(manifests, "Secret")
    claims = named(manifests, "PersistentVolumeClaim")
    for pod in pods:
        volumes = {each["name"]: each for each in pod.spec["volumes"]}
        mounts = [each["name"] for each in pod.container["volumeMounts"]]
        assert sorted(mounts) == sorted(volumes), pod.owner
        for each in volumes.values():
            if "configMap" in each:
                assert each["configMap"]["name"] in config
            elif "persistentVolumeClaim" in each:
                assert each["persistentVolumeClaim"]["claimName"] in claims
            elif "secret" in each:
                known(each["secret"]["secretName"], each["secret"]["items"], secrets)
            else:
                assert each["emptyDir"]["sizeLimit"]
    for monitor in of(manifests, "PodMonitor"):
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            if "authorization" in endpoint:
                credentials = endpoint["authorization"]["credentials"]
                known(credentials["name"], [credentials], secrets)


def known(name: str, items: list[dict[str, str]], secrets: dict[str, Manifest]) -> None:
    """Look up a secret; the base has none, and leaves it to whoever uses it."""
    if not secrets:
        assert name == "leitong-secrets"
        return
    assert {item["key"] for item in items} <= secrets[name]["data"].keys()


def selected(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    assert selector.keys() <= {"matchLabels", "matchExpressions"}
    expressions = selector.get("matchExpressions", [])
    assert all(each["operator"] == "In" for each in expressions)
    return all(
        labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()
    ) and all(labels.get(each["key"]) in each["values"] for each in expressions)


def test_selectors_find_their_pods(manifests: list[Manifest], pods: list[Pod]) -> None:
    for each in of(manifests, "Deployment", "PodDisruptionBudget"):
        found = [p for p in pods if selected(each["spec"]["selector"], p.labels)]
        assert len(found) == 1, each["metadata"]["name"]
    for service in of(manifests, "Service"):
        (pod,) = (
            p for p in pods if selected({"matchLabels": service["spec"]["selector"]}, p.labels)
        )
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in pod.ports
    watched = set()
    for monitor in of(manifests, "PodMonitor"):
        (pod,) = (p for p in pods if selected(monitor["spec"]["selector"], p.labels))
        watched.add(pod.component)
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            assert endpoint["port"] in pod.ports
    assert watched == {"query", "dashboard"}


def test_what_runs_for_long_is_asked_whether_it_lives(pods: list[Pod]) -> None:
    for pod in pods:
        if pod.component in {"topics", "executor"}:
            continue
        probe = pod.container["livenessProbe"]["httpGet"]
        assert (probe["path"], probe["port"] in pod.ports) == ("/healthz", True), pod.owner
        for name in ("readinessProbe", "startupProbe"):
            if name in pod.container:
                asked = pod.container[name]["httpGet"]
                assert asked["path"] in {"/healthz", "/health"}
                assert asked["port"] in pod.ports


def policies(manifests: list[Manifest], pod: Pod, direction: str) -> list[dict[str, Any]]:
    return [
        each["spec"]
        for each in of(manifests, "NetworkPolicy")
        if direction in each["spec"]["policyTypes"]
        and selected(each["spec"]["podSelector"], pod.labels)
    ]


def open_ports(manifests: list[Manifest], pod: Pod, direction: str) -> set[int]:
    return {
        port["port"]
        for policy in policies(manifests, pod, direction)
        for rule in policy.get(direction.lower(), [])
        for port in rule["ports"]
    }


def test_the_network_is_shut_but_for_what_is_needed(
    manifests: list[Manifest], pods: list[Pod], settings: Settings
) -> None:
    (query,) = of(manifests, "SparkApplication")
    spark = query["spec"]["sparkConf"]
    rpc, blocks = int(spark["spark.driver.port"]), int(spark["spark.driver.blockManager.port"])
    assert int(spark["spark.blockManager.port"]) == blocks
    log = LogUrl.parse(settings.query.source)
    assert isinstance(log, KafkaUrl)
    kafka = {int(server.rpartition(":")[2]) for server in log.servers}
    thrift = urlsplit(settings.store.url).port or 9090
    hbase = {thrift, thrift + 1}
    outward = {
        "topics": kafka,
        "query": kafka | hbase | {blocks, 443, 6443},
        "executor": kafka | hbase | {rpc, blocks},
        "dashboard": hbase,
        "webhook": kafka | hbase,
    }
    inward = {"query": {rpc, blocks}, "executor": {blocks}}
    for pod in pods:
        for direction in ("Ingress", "Egress"):
            assert {} in [each["podSelector"] for each in policies(manifests, pod, direction)], (
                "nothing is allowed unless it is said"
            )
        assert open_ports(manifests, pod, "Egress") == outward[pod.component] | {53}, pod.owner
        served = inward.get(pod.component, set()) | set(pod.ports.values())
        assert open_ports(manifests, pod, "Ingress") == served, pod.owner


def test_every_opening_has_another_side(manifests: list[Manifest], pods: list[Pod]) -> None:
    """A rule that lets a pod send to another is met by one that lets that one receive it."""
    for pod in pods:
        for port, other in peers(manifests, pods, pod, "Egress", "to"):
            assert (port, pod.component) in peers(
                manifests, pods, next(p for p in pods if p.component == other), "Ingress", "from"
            ), (pod.component, other, port)


def peers(
    manifests: list[Manifest], pods: list[Pod], pod: Pod, direction: str, side: str
) -> set[tuple[int, str]]:
    """Ports between a pod and others of ours."""
    return {
        (port["port"], other.component)
        for policy in policies(manifests, pod, direction)
        for rule in policy.get(direction.lower(), [])
        for peer in rule[side]
        if "podSelector" in peer
        for other in pods
        if selected(peer["podSelector"], other.labels)
        for port in rule["ports"]
    }


def test_the_rules_are_those_of_prometheus(manifests: list[Manifest]) -> None:
    (rule,) = of(manifests, "PrometheusRule")
    assert rule["spec"] == yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())


def test_the_webhook_publishes_where_the_query_reads(
    manifests: list[Manifest], pods: list[Pod], settings: Settings
) -> None:
    for pod in pods:
        if pod.component == "webhook":
            options = parsed(pod.arguments)
            assert options["target"] == settings.query.source
            assert options["store"] == settings.store.url.partition("?")[0]
    assert ("leitong-webhook" in named(manifests, "Deployment")) is (len(pods) == 5)
