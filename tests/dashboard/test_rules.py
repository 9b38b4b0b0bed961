"""The alert rules, run by Prometheus's own tool over series that have to raise them or not."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

RULES = Path(__file__).parents[2] / "deploy/prometheus/rules.yml"
AFTER = "5h"
"""Long after everything began."""

SERIES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "LeitongStoreDown": (
        {"leitong_store_up": "1x290 0x20"},
        {"leitong_store_up": "0x290 1x20"},
    ),
    "LeitongNoBatch": (
        {"leitong_last_batch_timestamp_seconds": "60x400", "leitong_kafka_lag_offsets": "5x400"},
        {"leitong_last_batch_timestamp_seconds": "60x400", "leitong_kafka_lag_offsets": "0x400"},
    ),
    "LeitongQueryStopped": (
        {"leitong_query_running": "1x280 0x30"},
        {"leitong_query_running": "1x295 0x30"},
    ),
    "LeitongLagGrowing": (
        {"leitong_kafka_lag_offsets": "0+100x400"},
        {"leitong_kafka_lag_offsets": "90000-100x400"},
    ),
    "LeitongDeadLetterBurst": (
        {
            'leitong_dead_letters_total{reason="not_json"}': "0+3x400",
            'leitong_dead_letters_total{reason="no_body"}': "0+3x400",
            'leitong_articles_total{channel="go",verdict="original"}': "0+50x400",
        },
        {
            'leitong_dead_letters_total{reason="not_json"}': "0+3x400",
            'leitong_articles_total{channel="go",verdict="original"}': "0+5000x400",
        },
    ),
    "LeitongWipedOut": (
        {
            'leitong_articles_total{channel="go",verdict="duplicate"}': "0+8x400",
            'leitong_articles_total{channel="go",verdict="contained_in"}': "0+2x400",
            'leitong_articles_total{channel="go",verdict="original"}': "0+1x400",
        },
        {
            'leitong_articles_total{channel="go",verdict="duplicate"}': "0+8x400",
            'leitong_articles_total{channel="go",verdict="original"}': "0+4x400",
        },
    ),
    "LeitongRule": (
        {'leitong_alerts{rule="hot_bucket"}': "2x400"},
        {'leitong_alerts{rule="hot_bucket"}': "0x400"},
    ),
    "LeitongSlowBatches": (
        {
            'leitong_batch_duration_seconds_bucket{le="60"}': "0+1x400",
            'leitong_batch_duration_seconds_bucket{le="120"}': "0+4x400",
            'leitong_batch_duration_seconds_bucket{le="+Inf"}': "0+4x400",
        },
        {
            'leitong_batch_duration_seconds_bucket{le="60"}': "0+99x400",
            'leitong_batch_duration_seconds_bucket{le="120"}': "0+100x400",
            'leitong_batch_duration_seconds_bucket{le="+Inf"}': "0+100x400",
        },
    ),
}


def rules() -> dict[str, Any]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def promtool(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    assert program, "promtool is needed: apt-get install prometheus"
    return subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def raised(directory: Path, alert: str, series: dict[str, str]) -> list[str]:
    """Give what promtool says of a rule that is expected to raise nothing."""
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": n, "values": v} for n, v in series.items()],
                "alert_rule_test": [{"eval_time": AFTER, "alertname": alert, "exp_alerts": []}],
            }
        ],
    }
    file = directory / "test.yml"
    file.write_text(yaml.safe_dump(test))
    told = promtool("test", "rules", file)
    lines = [line.strip() for line in (told.stdout + told.stderr).splitlines()]
    return [line for line in lines if line.startswith(("Labels:", "error", "Error"))] or (
        [] if told.returncode == 0 else lines
    )


def test_prometheus_takes_the_rules() -> None:
    told = promtool("check", "rules", RULES)
    assert told.returncode == 0, told.stderr
    assert rules().keys() == SERIES.keys()


@pytest.mark.parametrize("alert", SERIES)
def test_an_alert_is_raised_when_it_should_and_only_then(alert: str, tmp_path: Path) -> None:
    bad, good = SERIES[alert]
    severity = rules()[alert]["labels"]["severity"]
    assert raised(tmp_path, alert, good) == []
    (labels,) = raised(tmp_path, alert, bad)
    assert f'alertname="{alert}"' in labels
    assert f'severity="{severity}"' in labels
