"""The dashboard with much in the store: how long views take, and how large the first one is.

A million articles and 90 days of statistics of 25 channels, in SQLite or in HBase. They are
written as cells, as the query would have left them, since a query takes an hour for that. With
--browser, Chromium says when it has shown something and how much came over the wire.

    python benchmarks/dashboard.py [--store sqlite|hbase] [--articles N] [--browser]
"""

import argparse
import gzip
import json
import random
import shutil
import statistics as averages
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import orjson
import zstandard
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.servers import hbase
from streaming.dashboard.app import Dashboard
from streaming.dashboard.static_files import read_static
from streaming.engine import statistics, summaries
from streaming.engine.events import LoggedContent
from streaming.engine.put import TEXTS
from streaming.engine.statistics import MINUTE_MS, ROLLUP, TIMELINE, Outcome
from streaming.engine.summaries import DAY
from streaming.enrichment import Enricher
from streaming.filelog import LogRecord
from streaming.position import at, encode
from streaming.query.run import prepare
from streaming.serving import Address, served
from streaming.settings import Settings, load
from streaming.stack.settings import Options
from streaming.store import articles, keys
from streaming.store.articles import ArticleRow
from streaming.store.contract import Mutation, Store
from streaming.store.opening import open_index
from tests.browser.conftest import SWITCHES

CHANNELS = [f"channel-{n:02d}" for n in range(25)]
SOURCES = [f"source-{n:02d}" for n in range(20)]
DAYS = 90
TOKEN = bytes(7) + b"\1"
ROUNDS = 7
VIEWS = (
    "now",
    *(f"rates?range={name}" for name in ("15m", "1h", "6h", "24h", "7d", "30d", "90d")),
    "rates?range=90d&by=source",
    "stories?range=24h",
    "stories?range=90d",
    "story/a0001801",
    "article/a0002000",
    "pair?a=a0001801&b=a0002000",
    "dead-letters?range=90d",
    "search?q=a0000007",
    "search?q=%E9%99%8D%E6%B8%A9",
)


def outcome(rng: random.Random) -> Outcome:
    channel, source = rng.choice(CHANNELS), rng.choice(SOURCES)
    if rng.random() < 0.3:
        distance = rng.choice((0, 0, 1, 2, 3, None))
        tier = "shingle" if distance is None else "simhash"
        return Outcome(channel, source, "duplicate", tier, distance, rng.randrange(68, 101))
    return Outcome(channel, source, None, None, None, rng.randrange(0, 68), "overlap")


def fill(settings: Settings, count: int, end_ms: int) -> Store:
    """Write articles evenly over 90 days, and their statistics."""
    prepare(settings)
    store = open_index(settings)
    rng = random.Random(1)
    body = "市气象台今天上午发布消息说，受冷空气影响，未来三天我市将有一次明显的降温过程。" * 8
    value = orjson.dumps({"article_id": "x", "channel": "go", "title": "降温", "body": body})
    record = LogRecord("t", 0, 0, end_ms, None, value, ())
    (made,) = Enricher(settings).enrich([record])
    assert isinstance(made, LoggedContent)
    assert made.content
    begin = end_ms - DAYS * DAY.length_ms
    step = (end_ms - begin) / count
    text = zstandard.compress(orjson.dumps(["降温", body]))
    minutes: dict[int, Counter[bytes]] = {}
    batch: dict[str, list[Mutation]] = {}

    def flush() -> None:
        for table, mutations in batch.items():
            store.mutate(table, mutations)
        batch.clear()

    for number in range(count):
        name = f"a{number:07d}"
        moment = int(begin + number * step)
        minute = moment - moment % MINUTE_MS
        said = outcome(rng)
        repeats = said.relation is not None and number > 1_000
        original = f"a{number - number % 900 + 1:07d}" if repeats else ""
        minutes.setdefault(minute, Counter())[said.encode()] += 1
        position = encode(moment, "t", 0, number)
        verdict = orjson.dumps(
            {
                "duplicate_of": original or None,
                "relation": said.relation,
                "template_of": None,
                "evidence": None,
                "tier": said.tier,
                "distance": said.distance,
                "similarity": 0.9 if original else None,
                "matches": [[original, "duplicate", 0.9]] if original else [],
                "reason": None,
                "overrides": [],
            }
        )
        row = articles.events_of(name, ArticleRow({position: made.content}))
        cells = {**row.put, keys.VERDICT + TOKEN: verdict}
        batch.setdefault(articles.TABLE, []).append(Mutation(row.row, cells))
        batch.setdefault(TEXTS, []).append(Mutation(row.row, {position: text}))
        line = said.encode() + b"\n" + original.encode()
        batch.setdefault(TIMELINE, []).append(Mutation(at(minute) + name.encode(), {TOKEN: line}))
        if original:
            cited = Mutation(keys.citation(original, name), {b"": b""})
            batch.setdefault("citation", []).append(cited)
        if number % 20_000 == 0:
            flush()
    flush()
    store.mutate(
        ROLLUP,
        (
            Mutation(at(minute), {TOKEN: statistics.encode_counts(c)})
            for minute, c in minutes.items()
        ),
    )
    summaries.summarise(store, minutes)
    return store


def ask(app: Dashboard, path: str) -> tuple[int, bytes]:
    told: list[int] = []
    name, _, query = path.partition("?")
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": name, "QUERY_STRING": query}
    environ["HTTP_HOST"] = "127.0.0.1"
    setup_testing_defaults(environ)
    content = b"".join(app(environ, lambda status, _: told.append(int(status[:3]))))  # type: ignore[arg-type]
    return told[0], content


def measure(settings: Settings, end_ms: int) -> dict[str, dict[str, float]]:
    found = {}
    for view in VIEWS:
        seconds = []
        for _ in range(ROUNDS):
            # Another one each time: nothing may be remembered from the one before.
            app = Dashboard(settings, clock=lambda: end_ms / 1000)
            began = time.perf_counter()
            status, content = ask(app, f"/api/{view}")
            seconds.append(time.perf_counter() - began)
            assert status == 200, (view, content[:200])
        found[view] = {
            "first_ms": round(seconds[0] * 1000, 1),
            "median_ms": round(averages.median(seconds) * 1000, 1),
            "bytes": len(content),
        }
    return found


SEEN = """
new MutationObserver(() => {
  const shown = document.querySelector("main .tile, main canvas");
  if (shown && !window.seen) window.seen = performance.now();
}).observe(document, { childList: true, subtree: true });
"""
CAME = """
const all = ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind));
return [window.seen, all.reduce((sum, each) => sum + each.transferSize, 0)];
"""


def in_browser(settings: Settings, end_ms: int) -> dict[str, dict[str, float]]:
    """Open views in a browser that remembers nothing: when each is seen, and what came for it."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for switch in SWITCHES:
        options.add_argument(switch)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    found = {}
    try:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SEEN})
        driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        app = Dashboard(settings, clock=lambda: end_ms / 1000)
        with served(app, Address("127.0.0.1", 0)) as where:
            for view in ("now", "rates?range=90d", "rates?range=24h"):
                rounds = []
                for _ in range(ROUNDS):
                    driver.get("about:blank")
                    driver.get(f"http://{where}/#/{view}")
                    wait = WebDriverWait(driver, 30)
                    wait.until(lambda one: one.execute_script("return window.seen"))
                    rounds.append(driver.execute_script(CAME))
                seen = [each[0] for each in rounds]
                found[view] = {
                    "first_ms": round(seen[0], 1),
                    "median_ms": round(averages.median(seen), 1),
                    "bytes": max(each[1] for each in rounds),
                }
    finally:
        driver.quit()
    return found


@contextmanager
def places(kind: str) -> Iterator[str]:
    """Give the address of a store that holds nothing."""
    with tempfile.TemporaryDirectory(prefix="leitong-dashboard-") as here:
        if kind == "sqlite":
            yield f"sqlite:{here}/leitong.db"
        else:
            with hbase(Path(here), Options(hbase_heap="2g")) as stack:
                yield f"hbase://{stack.hbase}/bench?admin={stack.admin}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--store", choices=("sqlite", "hbase"), default="sqlite")
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--browser", action="store_true", help="open it in Chromium as well")
    parser.add_argument("--to", type=Path)
    arguments = parser.parse_args()
    files = {path: file for path, file in read_static().items() if path != "/"}
    page = sum(len(file.content) for file in files.values())
    end_ms = 1_770_000_000_000
    with places(arguments.store) as url:
        settings = load(overrides=[("store.url", url, "benchmark")], environment={}).settings
        began = time.perf_counter()
        fill(settings, arguments.articles, end_ms).close()
        filled = time.perf_counter() - began
        views = measure(settings, end_ms)
        shown = in_browser(settings, end_ms) if arguments.browser else {}
        open_index(settings).close()
    packed = sum(len(gzip.compress(file.content)) for file in files.values())
    report = {
        "store": arguments.store,
        "articles": arguments.articles,
        "days": DAYS,
        "channels": len(CHANNELS),
        "seconds_to_fill": round(filled, 1),
        "page_bytes": page,
        "page_bytes_if_packed": packed,
        "first_view_bytes": page + views["rates?range=90d"]["bytes"],
        "views": views,
        "in_browser": shown,
    }
    print(json.dumps(report, indent=1))
    if arguments.to:
        arguments.to.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
