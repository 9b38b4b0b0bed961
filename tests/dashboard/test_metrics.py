"""What is scraped can be parsed, and what is shipped for it names only what is exported."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import orjson
import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streaming.dashboard.app import Dashboard
from streaming.figures import write_figures
from streaming.metrics import MOST_CHANNELS, QueryMetrics, exposed, serving
from streaming.query.health import LONGEST_BATCH_SECONDS, Health
from streaming.serving import Address
from streaming.store.opening import open_index
from tests.dashboard.asking import dashboard, fill, get, settings_of

ROOT = Path(__file__).parents[2]
WORDS = frozenset(
    [
        "sum",
        "by",
        "le",
        "rate",
        "increase",
        "deriv",
        "time",
        "histogram_quantile",
        "channel",
        "verdict",
        "stage",
        "reason",
        "operation",
        "rule",
        "and",
        "or",
    ]
)


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def queried() -> QueryMetrics:
    metrics = QueryMetrics()
    judged = [("go", None), ("go", "duplicate"), ("php", "contained_in")]
    metrics.batch(judged, 2, {"schema": 3}, {"put": 0.5, "judge": 1.5}, 1_000.0)
    metrics.lag(42)
    metrics.watch(open_index(settings_of("memory:scraped")).statistics)
    return metrics


@pytest.fixture
def app(tmp_path: Path) -> Dashboard:
    settings = settings_of(f"sqlite:{tmp_path / 'leitong.db'}")
    fill(tmp_path, settings)
    figures = {"started_ms": 5_000, "events": 1, "judged": 1, "duplicates": 0}
    write_figures(open_index(settings), 1 << 24, {**figures, "refused": {}, "seconds": {}})
    app = dashboard(settings)
    app.watcher.look()
    return app


def test_the_query_tells_what_a_batch_did() -> None:
    found = samples(generate_latest(queried().registry).decode())
    assert found["leitong_articles_total", (("channel", "go"), ("verdict", "duplicate"))] == 1
    assert found["leitong_articles_total", (("channel", "go"), ("verdict", "original"))] == 1
    assert found["leitong_dead_letters_total", (("reason", "schema"),)] == 3
    assert found["leitong_stage_seconds_total", (("stage", "judge"),)] == 1.5
    assert found["leitong_batch_duration_seconds_sum", ()] == 2
    assert found["leitong_kafka_lag_offsets", ()] == 42
    assert found["leitong_articles_rejudged_total", ()] == 2


def test_channels_that_somebody_makes_up_are_bounded() -> None:
    metrics = QueryMetrics()
    metrics.batch([(f"c{n}", None) for n in range(3 * MOST_CHANNELS)], 0, {}, {}, 0.0)
    found = samples(generate_latest(metrics.registry).decode())
    articles = {
        labels: value for (name, labels), value in found.items() if name == "leitong_articles_total"
    }
    assert len(articles) == MOST_CHANNELS + 1
    assert articles[("channel", "other"), ("verdict", "original")] == 2 * MOST_CHANNELS


def test_it_is_served_where_asked_for() -> None:
    metrics, health = queried(), Health(0.0)
    with serving(metrics.registry, health, None) as where:
        assert where is None
    with serving(metrics.registry, health, Address.parse("0")) as where:
        assert where is not None
        assert where.is_loopback
        with urlopen(f"http://{where}/metrics") as told:
            assert samples(told.read().decode())["leitong_kafka_lag_offsets", ()] == 42
        with pytest.raises(HTTPError) as nothing:
            urlopen(f"http://{where}/")
        assert nothing.value.code == 404
        nothing.value.close()


def test_a_query_that_hangs_is_told_and_one_that_only_waits_is_not() -> None:
    now = 0.0
    health = Health(60.0, clock=lambda: now)
    app = exposed(CollectorRegistry(), health)
    for since in (0.0, 360.0, 720.0):
        now = since
        assert get(app, "/healthz").status == 200
        health.well()
    now = 720.0 + 60.0 + LONGEST_BATCH_SECONDS + 1.0
    answer = get(app, "/healthz")
    assert (answer.status, answer.content) == (
        503,
        b"the query hangs: no batch has ended for 361s, more than 6m\n",
    )
    health.well()
    assert get(app, "/healthz").content == b"ok\n"


def test_the_dashboard_tells_of_the_index(app: Dashboard) -> None:
    answer = get(app, "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    found = samples(answer.content.decode())
    assert found["leitong_store_up", ()] == 1
    assert found["leitong_query_running", ()] == 0
    assert found["leitong_recent_articles", ()] == 3
    assert found["leitong_alerts", (("rule", "no_batch"),)] == 0
    assert found["leitong_hot_buckets_total", ()] == 0
    assert any(name == "leitong_store_requests_total" for name, _ in found)


def test_a_store_that_is_gone_is_told() -> None:
    url = "hbase://127.0.0.1:1/leitong?timeout=1s&deadline=1s"
    found = samples(get(dashboard(settings_of(url)), "/metrics").content.decode())
    assert found["leitong_store_up", ()] == 0


def exported(app: Dashboard) -> dict[str, set[str]]:
    """Names of samples that both processes really export, and their labels."""
    store = open_index(settings_of("memory:scraped"))
    store.missing_tables([])
    texts = [generate_latest(queried().registry).decode(), get(app, "/metrics").content.decode()]
    names: dict[str, set[str]] = {}
    for text in texts:
        for name, labels in samples(text):
            names.setdefault(name, set()).update(label for label, _ in labels)
    return names | {"leitong_index_lag_offsets": set()}


def expressions() -> Iterator[str]:
    document = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())
    for group in document["groups"]:
        for rule in group["rules"]:
            assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
            assert rule["labels"]["severity"] in {"critical", "warning"}
            assert rule["annotations"]["summary"]
            yield rule["expr"]
    page: Any = orjson.loads((ROOT / "deploy/grafana/leitong.json").read_bytes())
    ids = [panel["id"] for panel in page["panels"]]
    assert len(ids) == len(set(ids))
    for panel in page["panels"]:
        assert panel["type"] in {"timeseries", "stat"}
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        yield from (target["expr"] for target in panel["targets"])


def test_rules_and_panels_ask_for_what_there_is(app: Dashboard) -> None:
    known = exported(app)
    asked = list(expressions())
    assert len(asked) > 15
    for expression in asked:
        assert expression.count("(") == expression.count(")")
        names = re.findall(r"leitong_[a-z_]+", expression)
        assert names
        labels = {label for name in names for label in known[name]}
        bare = re.sub(r'"[^"]*"|\[[^]]*\]|leitong_[a-z_]+', " ", expression)
        for word in re.findall(r"[a-z_]+", bare):
            assert word in WORDS, (word, expression)
            if word in {"channel", "verdict", "stage", "reason", "operation", "rule"}:
                assert word in labels, (word, expression)


def told_of() -> dict[str, set[str]]:
    """Names of metrics in the tables of the documentation, and their labels."""
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(leitong_\w+)(?:\{([\w,]+)\})?`", text, flags=re.MULTILINE)
    return {name: set(filter(None, labels.split(","))) for name, labels in rows}


def test_the_documentation_tells_of_every_metric_and_of_no_other(app: Dashboard) -> None:
    families: dict[str, set[str]] = {}
    for name, labels in exported(app).items():
        if name.startswith("leitong_") and not name.endswith("_created"):
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            families.setdefault(family, set()).update(labels - {"le"})
    assert told_of() == families


def test_prometheus_finds_no_fault_with_what_is_exported(app: Dashboard) -> None:
    assert faults(generate_latest(queried().registry)) == []
    # Called so for those who look for it, though it goes down when boilerplate is dropped.
    (only,) = faults(get(app, "/metrics").content)
    assert only == 'leitong_hot_buckets_total non-counter metrics should not have "_total" suffix'


def faults(text: bytes) -> list[str]:
    told = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, check=False
    )
    return (told.stdout + told.stderr).decode().splitlines()
