"""The pods that Spark itself would make of the templates, as its submission and its driver do."""

from importlib.resources import files
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml
from pyspark.sql import SparkSession

from tests.deploy.kinds import faults
from tests.deploy.shipped import DEPLOY, render

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

ADDED = {"driver": ["driver", "--properties-file"], "executor": ["executor"]}
"""What Spark makes the command line of its containers begin with."""


@pytest.fixture(scope="module")
def application() -> dict[str, Any]:
    (found,) = (
        each
        for each in render(DEPLOY / "kubernetes" / "base")
        if each["kind"] == "SparkApplication"
    )
    return dict(found["spec"])


@pytest.fixture(scope="module")
def made(
    spark: SparkSession, application: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """The pod of each role; no cluster is asked."""
    gateway: Any = spark.sparkContext._gateway
    jvm = gateway.jvm
    conf = jvm.org.apache.spark.SparkConf(False)  # noqa: FBT003 - Java has no keywords
    directory = tmp_path_factory.mktemp("templates")
    # As the operator hands the application to spark-submit.
    said = {
        "spark.master": "k8s://https://127.0.0.1:1",
        "spark.app.name": "leitong-query",
        "spark.kubernetes.container.image": application["image"],
        **application["sparkConf"],
    }
    for role in ADDED:
        part, template = application[role], directory / f"{role}.yaml"
        template.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", **part["template"]}))
        said |= {
            f"spark.kubernetes.{role}.podTemplateFile": str(template),
            f"spark.kubernetes.{role}.podTemplateContainerName": f"spark-kubernetes-{role}",
            f"spark.kubernetes.authenticate.{role}.serviceAccountName": part["serviceAccount"],
            f"spark.{role}.memory": part["memory"],
            f"spark.{role}.memoryOverhead": part["memoryOverhead"],
            f"spark.{role}.cores": str(part["cores"]),
        }
        for name, value in part["labels"].items():
            said[f"spark.kubernetes.{role}.label.{name}"] = value
    for name, value in said.items():
        conf.set(name, value)
    return {"driver": _driver(gateway, conf, application), "executor": _executor(jvm, conf)}


def _driver(gateway: Any, conf: Any, application: dict[str, Any]) -> dict[str, Any]:
    jvm = gateway.jvm
    k8s = jvm.org.apache.spark.deploy.k8s
    arguments = gateway.new_array(jvm.java.lang.String, len(application["arguments"]))
    for number, each in enumerate(application["arguments"]):
        arguments[number] = each
    file = k8s.submit.PythonMainAppResource(application["mainApplicationFile"])
    asked = _object(k8s, "KubernetesConf").createDriverConf(
        conf,
        "app",
        file,
        "org.apache.spark.deploy.PythonRunner",
        arguments,
        _object(jvm.scala, "None"),
    )
    built = k8s.submit.KubernetesDriverBuilder().buildFromFeatures(asked, _client(jvm))
    return _whole(jvm, built.pod())


def _executor(jvm: Any, conf: Any) -> dict[str, Any]:
    k8s = jvm.org.apache.spark.deploy.k8s
    conf.set("spark.driver.host", "driver")
    asked = _object(k8s, "KubernetesConf").createExecutorConf(
        conf, "1", "app", _object(jvm.scala, "None"), 0
    )
    profile = _object(jvm.org.apache.spark.resource, "ResourceProfile").getOrCreateDefaultProfile(
        conf
    )
    security = _object(jvm.org.apache.spark, "SparkEnv").get().securityManager()
    builder = jvm.org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBuilder()
    return _whole(jvm, builder.buildFromFeatures(asked, security, _client(jvm), profile).pod())


def _object(package: Any, name: str) -> Any:
    """Give an object of Scala."""
    return getattr(getattr(package, f"{name}$"), "MODULE$")


def _client(jvm: Any) -> Any:
    return jvm.io.fabric8.kubernetes.client.KubernetesClientBuilder().build()


def _whole(jvm: Any, pod: Any) -> dict[str, Any]:
    """Put Spark's container into its pod, as it does last."""
    write = jvm.io.fabric8.kubernetes.client.utils.Serialization.asYaml
    found: dict[str, Any] = yaml.safe_load(write(pod.pod()))
    found["spec"]["containers"] = [yaml.safe_load(write(pod.container()))]
    return found


@pytest.mark.parametrize("role", ADDED)
def test_spark_keeps_what_the_template_says(
    made: dict[str, dict[str, Any]], application: dict[str, Any], role: str
) -> None:
    pod, template = made[role], application[role]["template"]["spec"]
    (container,), (asked,) = pod["spec"]["containers"], template["containers"]
    assert faults(pod) == []
    for name in ("securityContext", "livenessProbe", "startupProbe"):
        assert container.get(name) == asked.get(name)
    for name in ("volumeMounts", "env", "ports"):
        assert [each for each in asked.get(name, []) if each not in container[name]] == []
    for name in template.keys() - {"containers", "volumes"}:
        assert pod["spec"][name] == template[name], name
    assert [each for each in template["volumes"] if each not in pod["spec"]["volumes"]] == []
    assert application[role]["labels"].items() <= pod["metadata"]["labels"].items()
    assert pod["spec"]["serviceAccountName"] == application[role]["serviceAccount"]
    assert container["image"] == application["image"]


def test_what_the_image_is_started_with(
    made: dict[str, dict[str, Any]], application: dict[str, Any]
) -> None:
    for role, begins in ADDED.items():
        (container,) = made[role]["spec"]["containers"]
        assert container["args"][: len(begins)] == begins
        # The entrypoint of the image is in force.
        assert "command" not in container
    (driver,) = made["driver"]["spec"]["containers"]
    said = [application["mainApplicationFile"], *application["arguments"]]
    assert driver["args"][-len(said) :] == said


def test_spark_knows_every_setting(application: dict[str, Any]) -> None:
    jars = files("pyspark") / "jars"
    known = b""
    for pattern, part in (
        ("spark-kubernetes_*", "k8s/Config$"),
        ("spark-core_*", "config/package$"),
    ):
        (jar,) = Path(str(jars)).glob(f"{pattern}.jar")
        with ZipFile(jar) as opened:
            (entry,) = (n for n in opened.namelist() if n.endswith(f"{part}.class"))
            known += opened.read(entry)
    assert [name for name in application["sparkConf"] if name.encode() not in known] == []
