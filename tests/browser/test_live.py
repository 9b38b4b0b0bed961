"""The page beside a query that really runs, and at the end of the demo."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import orjson
from prometheus_client.parser import text_string_to_metric_families
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from streaming.dashboard.app import Dashboard
from streaming.filelog import FileLogWriter
from streaming.serving import Address, served
from tests.dashboard.asking import settings_of

PATIENCE = 120


def append(log: Path, names: list[str]) -> None:
    """Publish articles, now, of which those after the first repeat it."""
    body = "市气象台今天上午发布消息说，受冷空气影响，未来三天我市将有一次明显的降温过程。" * 3
    with FileLogWriter(log, partitions=1) as writer:
        for name in names:
            event = {"article_id": name, "channel": "go", "title": "降温", "body": body}
            writer.append(name.encode(), orjson.dumps(event), (), int(time.time() * 1000))


@contextmanager
def program(here: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run leitong; gives it, and the file that has what it says. Ctrl-C ends it."""
    said = here / f"{arguments[0]}.log"
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streaming", *arguments],
            cwd=here,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        try:
            yield process, said
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0, said.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def told(process: subprocess.Popen[bytes], said: Path, pattern: str) -> str:
    """Wait for what a program says."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        match = re.search(pattern, said.read_text())
        if match:
            return match[1]
        time.sleep(0.2)
    raise AssertionError(said.read_text())


def text(driver: WebDriver) -> str:
    return driver.find_element(By.TAG_NAME, "body").text


def test_numbers_move_while_the_query_runs(browser: WebDriver, tmp_path: Path) -> None:
    append(tmp_path / "log", ["a1", "a2"])
    settings = settings_of(f"sqlite:{tmp_path / 'leitong.db'}")
    wait = WebDriverWait(browser, PATIENCE)
    run = ("run", "--source", "file:log", "--store", "sqlite:leitong.db", "--metrics-listen", "0")
    with served(Dashboard(settings), Address("127.0.0.1", 0)) as where:
        browser.get(f"http://{where}/#/rates?range=15m")
        with program(tmp_path, *run) as (process, said):
            metrics = told(process, said, r"metrics: (http://\S+)")
            wait.until(lambda d: "2 articles, 1 repeats" in text(d))
            append(tmp_path / "log", ["a3", "a4", "a5"])
            wait.until(lambda d: "5 articles, 4 repeats" in text(d))
            browser.get(f"http://{where}/#/now")
            wait.until(lambda d: "running" in text(d))
            with urlopen(metrics.replace("/metrics", "/healthz")) as answer:  # noqa: S310 - as below
                assert answer.read() == b"ok\n"
            with urlopen(metrics) as answer:  # noqa: S310 - of loopback
                families = list(text_string_to_metric_families(answer.read().decode()))
            counted = {
                each.labels["verdict"]: each.value
                for family in families
                for each in family.samples
                if each.name == "leitong_articles_total"
            }
            assert counted == {"original": 1, "duplicate": 4}
        wait.until(lambda d: "stopped" in text(d))


def test_the_demo_ends_with_the_page(browser: WebDriver, tmp_path: Path) -> None:
    demo = ("demo", "--directory", "demo", "--events", "300", "--dashboard")
    with program(tmp_path, *demo) as (process, said):
        address = told(process, said, r"(http://127\.0\.0\.1:\d+/#/\S+)")
        browser.get(address)
        wait = WebDriverWait(browser, PATIENCE)
        wait.until(lambda d: d.find_elements(By.CSS_SELECTOR, "main table tbody tr"))
        assert "articles" in text(browser)
