"""What the kinds that we ship may say: a schema for each, and no field that it does not know."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jsonschema_rs
import kubernetes_validate
from kubeflow_spark_api.models.spark_v1beta2_spark_application import SparkV1beta2SparkApplication
from pydantic import ValidationError

VERSIONS = ("1.29", "1.37")
"""Versions whose API the manifests are checked against: from the first that has all we use."""
Manifest = dict[str, Any]


def _closed(required: Iterable[str] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_DURATION = {"type": "string", "pattern": r"^([0-9]+(ms|[smhdwy]))+$"}
_METADATA = _closed(["name"], name=_TEXT, namespace=_TEXT, labels=_TEXTS, annotations=_TEXTS)
_SECRET_KEY = _closed(["name", "key"], name=_TEXT, key=_TEXT)


def _resource(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return _closed(
        ["apiVersion", "kind", "metadata", "spec"],
        apiVersion={"const": "monitoring.coreos.com/v1"},
        kind={"const": kind},
        metadata=_METADATA,
        spec=spec,
    )


# No package for Python carries these two (the one that does brings a plugin that breaks pytest), so
# here is as much of their API as we use, written after its reference documentation.
_MONITORING = {
    "PodMonitor": _resource(
        "PodMonitor",
        _closed(
            ["selector", "podMetricsEndpoints"],
            selector=_closed(["matchLabels"], matchLabels=_TEXTS),
            podMetricsEndpoints={
                "type": "array",
                "minItems": 1,
                "items": _closed(
                    ["port"],
                    port=_TEXT,
                    path=_TEXT,
                    interval=_DURATION,
                    authorization=_closed(
                        ["credentials"], type={"const": "Bearer"}, credentials=_SECRET_KEY
                    ),
                ),
            },
        ),
    ),
    "PrometheusRule": _resource(
        "PrometheusRule",
        _closed(
            ["groups"],
            groups={
                "type": "array",
                "minItems": 1,
                "items": _closed(
                    ["name", "rules"],
                    name=_TEXT,
                    rules={
                        "type": "array",
                        "items": _closed(
                            ["alert", "expr"],
                            alert=_TEXT,
                            expr=_TEXT,
                            **{"for": _DURATION},
                            labels=_TEXTS,
                            annotations=_TEXTS,
                        ),
                    },
                ),
            },
        ),
    ),
}


def faults(manifest: Manifest, versions: Sequence[str] = VERSIONS) -> list[str]:
    """Say what is wrong with a manifest; a field that its kind does not have is."""
    kind = manifest["kind"]
    if kind in _MONITORING:
        validator = jsonschema_rs.Draft202012Validator(_MONITORING[kind])
        return [error.message for error in validator.iter_errors(manifest)]
    if kind == "SparkApplication":
        return _of_spark(manifest, versions)
    told = []
    for version in versions:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            told.append(f"{version}: {'.'.join(map(str, error.path))}: {error.message}")
    return told


def _of_spark(manifest: Manifest, versions: Sequence[str]) -> list[str]:
    if manifest["apiVersion"] != "sparkoperator.k8s.io/v1beta2":
        return ["another version of the API"]
    told = []
    rest = copy.deepcopy(manifest)
    for role in ("driver", "executor"):
        # The models take no quantities in pod templates; what those are, Kubernetes says itself.
        template = rest["spec"][role].pop("template")
        pod: Manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, **template}
        told += [f"{role}: {fault}" for fault in faults(pod, versions)]
    try:
        read = SparkV1beta2SparkApplication.model_validate(rest)
    except ValidationError as error:
        return [*told, str(error)]
    # The models pass over what they do not know: see what they lost.
    kept = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return told + [f"{path}: no such field" for path in _lost(rest, kept, "")]


def _lost(given: Any, kept: Any, path: str) -> list[str]:
    if isinstance(given, Mapping):
        if not isinstance(kept, Mapping):
            return [path]
        return [
            lost
            for key, value in given.items()
            for lost in (
                _lost(value, kept[key], f"{path}.{key}") if key in kept else [f"{path}.{key}"]
            )
        ]
    if isinstance(given, list):
        return [
            lost
            for number, (one, other) in enumerate(zip(given, kept, strict=True))
            for lost in _lost(one, other, f"{path}.{number}")
        ]
    return []
