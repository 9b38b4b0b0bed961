"""The compose file: taken by the compose client, hardened, and at one with what it starts."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import parse

import orjson
import pytest
import yaml

from streaming.serving import Address
from streaming.stack.java import JAVA_OPTIONS
from streaming.urls import KafkaUrl, LogUrl
from tests.deploy.shipped import (
    DEPLOY,
    VERSION,
    names_no_registry,
    parsed,
    settings_at,
    version_in_pom,
)

COMPOSE = DEPLOY / "compose"
FILE = COMPOSE / "compose.yaml"
OURS = {"topics", "query", "dashboard"}
CONTRACT = "/opt/leitong/bin/python"
"""Where the image has Python."""

Service = dict[str, Any]


def client(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # The package's own script loses the client's exit status.
    with as_file(files("compose") / "docker-compose") as program:
        return subprocess.run(
            [program, "--file", FILE, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment,
        )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the client makes of the file: variables, anchors and paths resolved."""
    secrets = tmp_path_factory.mktemp("secrets")
    told = client("config", "--format", "json", LEITONG_SECRETS=str(secrets))
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
    found: dict[str, Any] = orjson.loads(told.stdout)
    return found


@pytest.fixture(scope="module")
def services(project: dict[str, Any]) -> dict[str, Service]:
    return dict(project["services"])


def test_it_is_what_the_specification_says(tmp_path: Path) -> None:
    assert checked(FILE) == ""
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(FILE.read_text().replace("    networks: [inside]", "    netwerks: [inside]"))
    assert "netwerks" in checked(wrong)


def checked(file: Path) -> str:
    told = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return told.stdout if told.returncode else ""


def test_nothing_starts_without_the_secrets(services: dict[str, Service]) -> None:
    told = client("config", "--quiet")
    assert told.returncode != 0
    assert "name the directory of dashboard_token and grafana_password" in told.stderr
    for name, service in services.items():
        for key, value in (service.get("environment") or {}).items():
            if re.search(r"(?i)password|token|secret", key):
                assert value.startswith("/run/secrets/"), (name, key)


def test_everything_is_hardened(services: dict[str, Service]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service.get("privileged", False) is False, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].split(":")[0] not in {"", "0", "root"}, name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= limits.keys(), name
        assert service["restart"] == ("no" if name == "topics" else "unless-stopped"), name
        assert ("healthcheck" in service) is (name != "topics"), name


def test_the_host_is_reached_on_loopback_only(
    services: dict[str, Service], project: dict[str, Any]
) -> None:
    assert project["networks"]["inside"]["internal"] is True
    published = {
        name: [(port["host_ip"], port["target"]) for port in service["ports"]]
        for name, service in services.items()
        if "ports" in service
    }
    assert published == {
        "kafka": [("127.0.0.1", 9092)],
        "dashboard": [("127.0.0.1", 8600)],
        "prometheus": [("127.0.0.1", 9090)],
        "grafana": [("127.0.0.1", 3000)],
    }
    for name, service in services.items():
        assert "inside" in service["networks"]
        assert ("outside" in service["networks"]) is (name in published)
        assert "network_mode" not in service


def test_images_are_those_of_this_version(services: dict[str, Service]) -> None:
    for service in services.values():
        assert names_no_registry(service["image"])
    for name in OURS:
        assert services[name]["image"] == f"leitong:{VERSION}"
        # A stranger could publish an image of this name.
        assert services[name]["pull_policy"] == "never"
    assert services["kafka"]["image"] == f"apache/kafka:{version_in_pom('kafka', 'kafka_2.13')}"
    hbase = services["hbase"]
    assert hbase["image"] == f"leitong-hbase:{version_in_pom('hbase', 'hbase-thrift')}"
    context = Path(hbase["build"]["context"])
    assert (context / hbase["build"]["dockerfile"]).is_file()


def test_commands_are_those_of_the_program(services: dict[str, Service]) -> None:
    for name in OURS:
        options = parsed(services[name]["command"])
        mounted = {each["target"] for each in services[name]["configs"]}
        assert str(options["file"]) in mounted, name
    assert Address.parse(parsed(services["query"]["command"])["metrics"]).port == 9108
    dashboard = parsed(services["dashboard"]["command"])
    assert not Address.parse(dashboard["address"]).is_loopback
    given = {each["target"] for each in services["dashboard"]["secrets"]}
    assert str(dashboard["token_file"]) in given


def test_settings_name_what_is_there(services: dict[str, Service]) -> None:
    settings = settings_at(COMPOSE / "leitong.toml")
    listeners = re.search(
        r"^advertised.listeners=(.*)$", (COMPOSE / "kafka.properties").read_text(), re.MULTILINE
    )
    assert listeners
    inside = "INSIDE://kafka:19092"
    assert inside in listeners[1].split(",")
    for address in (settings.query.source, settings.query.verdicts, settings.query.dead_letters):
        url = LogUrl.parse(address or "")
        assert isinstance(url, KafkaUrl)
        assert url.servers == ("kafka:19092",)
    assert settings.store.url.startswith("hbase://hbase:9090/")
    (volume,) = services["query"]["volumes"]
    assert Path(settings.query.checkpoint).is_relative_to(volume["target"])
    assert volume["type"] == "volume"
    home = services["query"]["environment"]["LEITONG_HOME"]
    assert Path(home).is_relative_to(volume["target"])


def test_what_is_mounted_exists_and_everything_is_used(
    project: dict[str, Any], services: dict[str, Service]
) -> None:
    for kind in ("configs", "secrets", "volumes", "networks"):
        used = {
            each["source"] if isinstance(each, dict) else each
            for service in services.values()
            for each in service.get(kind) or ()
        }
        assert used == set(project[kind]), kind
    for config in project["configs"].values():
        assert Path(config["file"]).is_file(), config


def test_processes_can_write_where_they_have_to(services: dict[str, Service]) -> None:
    for name, service in services.items():
        writable = [each.split(":")[0] for each in service["tmpfs"]] if "tmpfs" in service else []
        writable += [each["target"] for each in service.get("volumes", [])]
        if name != "prometheus":
            assert "/tmp" in writable, name  # noqa: S108 - of the containers
        if name in OURS - {"topics"}:
            assert "/var/lib/leitong" in writable


@pytest.fixture
def laid_out(project: dict[str, Any], services: dict[str, Service], tmp_path: Path) -> Path:
    """The files of Prometheus and Grafana where their containers have them, under a directory."""
    for name in ("prometheus", "grafana"):
        for each in services[name]["configs"]:
            target = tmp_path / each["target"].lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project["configs"][each["source"]]["file"], target)
        for each in services[name]["secrets"]:
            target = tmp_path / each["target"].lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("secret")
    return tmp_path


def test_kafka_is_told_of_files_that_are_there(services: dict[str, Service]) -> None:
    kafka = services["kafka"]
    mounted = {each["target"] for each in kafka["configs"]}
    said = " ".join([*kafka["command"], *kafka["environment"].values()])
    assert set(re.findall(r"/etc/kafka/[\w.-]+", said)) == mounted


def test_prometheus_takes_its_settings(laid_out: Path, services: dict[str, Service]) -> None:
    (flag,) = (f for f in services["prometheus"]["command"] if f.startswith("--config.file="))
    file = laid_out / flag.removeprefix("--config.file=").lstrip("/")
    asked = yaml.safe_load(file.read_text())
    token = asked["scrape_configs"][1]["authorization"]["credentials_file"]
    assert token in {each["target"] for each in services["prometheus"]["secrets"]}
    file.write_text(file.read_text().replace("/run/secrets", str(laid_out / "run/secrets")))
    told = subprocess.run(
        ["promtool", "check", "config", file],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "SUCCESS: 8 rules found" in told.stdout
    targets = {
        target
        for job in asked["scrape_configs"]
        for group in job["static_configs"]
        for target in group["targets"]
    }
    assert targets == {"query:9108", "dashboard:8600"}


def test_grafana_finds_prometheus_and_the_page(
    laid_out: Path, services: dict[str, Service]
) -> None:
    provisioning = laid_out / "etc/grafana/provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    where = urlsplit(source["url"])
    assert where.hostname in services
    assert where.port == services["prometheus"]["ports"][0]["target"]
    (provider,) = yaml.safe_load((provisioning / "dashboards/leitong.yml").read_text())["providers"]
    (page,) = (laid_out / provider["options"]["path"].lstrip("/")).iterdir()
    (variable,) = orjson.loads(page.read_bytes())["templating"]["list"]
    assert variable["query"] == source["type"]
    assert source["isDefault"] is True


def urls(service: Service) -> Iterator[str]:
    yield from re.findall(r"http://[\w.:/-]+", " ".join(service["healthcheck"]["test"]))


def test_health_is_asked_for_where_it_is_answered(services: dict[str, Service]) -> None:
    listens = {
        "query": parsed(services["query"]["command"])["metrics"],
        "dashboard": parsed(services["dashboard"]["command"])["address"],
        "prometheus": "0.0.0.0:9090",
        "grafana": "0.0.0.0:3000",
    }
    for name, address in listens.items():
        (url,) = urls(services[name])
        assert urlsplit(url).port == Address.parse(address).port, name
        assert urlsplit(url).hostname == "127.0.0.1"
    for name in ("query", "dashboard"):
        kind, program, flag, code = services[name]["healthcheck"]["test"]
        assert (kind, program, flag) == ("CMD", CONTRACT, "-c")
        ast.parse(code)
        assert "/healthz" in code
    # What their images are known to have: busybox, Kafka's own scripts, and bash beside Java.
    for name in ("prometheus", "grafana"):
        assert services[name]["healthcheck"]["test"][1] == "wget"
    assert services["kafka"]["healthcheck"]["test"][1].startswith("/opt/kafka/bin/kafka-")
    assert services["hbase"]["healthcheck"]["test"][1] == "bash"


def test_hbase_runs_as_in_the_tests() -> None:
    start = (COMPOSE / "hbase" / "start.sh").read_text()
    packages = re.search(r"for package in ([\w. ]+);", start)
    assert packages
    opened = {f"--add-opens=java.base/{each}=ALL-UNNAMED" for each in packages[1].split()}
    plain = re.search(r"options=\(([^)]+)\)", start)
    assert plain
    assert opened | set(plain[1].split()) == set(JAVA_OPTIONS)
    ours, theirs = (
        {
            each.findtext("name"): each.findtext("value")
            for each in parse(file).iterfind("property")  # noqa: S314 - our own files
        }
        for file in (
            COMPOSE / "hbase" / "hbase-site.xml",
            DEPLOY / "stack" / "hbase" / "hbase-site.xml",
        )
    )
    assert ours.keys() <= theirs.keys()
    for name in ours:
        if "$" not in (theirs[name] or "") and name != "hbase.regionserver.thrift.ipaddress":
            assert ours[name] == theirs[name], name
