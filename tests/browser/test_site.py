"""The documentation's search, used in a browser."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("checkpoints", "Operations"),
        ("query.max_batch", "Configuration"),
        ("指纹", "中文简介"),
        ("重复率", "中文简介"),
        ("稿件事件", "中文简介"),
    ],
)
def test_pages_are_found_by_english_and_by_chinese_words(
    browser: WebDriver, address: str, question: str, page: str
) -> None:
    browser.get(f"{address}/search.html?q={quote(question)}")
    WebDriverWait(browser, 30).until(lambda _: "finished" in summary(browser))
    found = [each.text for each in browser.find_elements("css selector", "ul.search li > a")]
    assert page in found, summary(browser)


def summary(browser: WebDriver) -> str:
    return str(browser.find_element("css selector", ".search-summary").text)


def test_what_no_page_has_is_not_found(browser: WebDriver, address: str) -> None:
    browser.get(f"{address}/search.html?q=xylophone")
    WebDriverWait(browser, 30).until(lambda _: "did not match" in summary(browser))
    assert browser.find_elements("css selector", "ul.search li") == []
