"""The page in a real browser: what it shows, by keyboard and by eye, and what it survives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from streaming.dashboard.watching import watching
from streaming.serving import Address, served
from streaming.settings import Settings
from streaming.store.opening import open_index
from tests.dashboard.asking import BODY, END_MS, dashboard, fill, settings_of
from tests.indexed import BEGIN_MS, publish

HERE = Address("127.0.0.1", 0)
PATIENCE = 30
ODD = "c/1 é?"
PAIR = f"pair/a03/{quote(ODD, safe='')}"
VIEWS = ("now", "rates", "stories", "story/a03", PAIR, "article/b17", "letters", "search?q=b17")


def wait(browser: WebDriver, what: Callable[[WebDriver], Any]) -> Any:
    return WebDriverWait(browser, PATIENCE).until(what)


def says(text: str) -> Callable[[WebDriver], bool]:
    return lambda driver: text in driver.find_element(By.TAG_NAME, "body").text


def holds(text: str) -> Callable[[WebDriver], bool]:
    script = "return document.querySelector('main').textContent"
    return lambda driver: text in driver.execute_script(script)


def show(browser: WebDriver, where: Address, view: str, **remembered: str) -> None:
    browser.get(f"http://{where}/")
    browser.execute_script("localStorage.clear()")
    for name, value in remembered.items():
        browser.execute_script(f"localStorage.setItem('leitong.{name}', arguments[0])", value)
    browser.get("about:blank")
    browser.get(f"http://{where}/#/{view}")
    wait(browser, lambda d: d.find_elements(By.CSS_SELECTOR, "main .card, main .tile"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_view_is_shown(
    browser: WebDriver, filled: Settings, language: str, theme: str
) -> None:
    with served(dashboard(filled), HERE) as where:
        for view in VIEWS:
            show(browser, where, view, language=language, theme=theme)
            assert browser.find_element(By.TAG_NAME, "h1").get_attribute("textContent")
            assert not browser.find_elements(By.CSS_SELECTOR, "#banner p")
            lang = browser.find_element(By.TAG_NAME, "html").get_attribute("lang")
            assert lang == {"en": "en", "zh": "zh-Hans"}[language]


def test_the_page_asks_only_its_own_server(browser: WebDriver, filled: Settings) -> None:
    with served(dashboard(filled), HERE) as where:
        for view in VIEWS:
            show(browser, where, view)
            names = browser.execute_script(
                "return performance.getEntriesByType('resource').map((each) => each.name)"
            )
            assert names
            assert all(name.startswith(f"http://{where}/") for name in names)


def test_hostile_titles_and_bodies_are_text(browser: WebDriver, filled: Settings) -> None:
    with served(dashboard(filled), HERE) as where:
        views = (f"article/{quote(ODD, safe='')}", PAIR, "story/a03", "letters", "search?q=c%2F")
        for view in views:
            show(browser, where, view)
            wait(browser, holds("onerror"))
            assert browser.execute_script("return window.hurt") is None
            assert not browser.find_elements(By.CSS_SELECTOR, "main img, main script")


def test_the_what_if_slider_answers_and_is_in_the_address(
    browser: WebDriver, filled: Settings
) -> None:
    with served(dashboard(filled), HERE) as where:
        show(browser, where, "rates?range=1h")
        slider = wait(browser, lambda d: d.find_element(By.ID, "threshold"))
        before = wait(browser, lambda d: d.find_element(By.ID, "whatif")).text
        assert "0.68" in before
        slider.send_keys(Keys.END)
        after = browser.find_element(By.ID, "whatif").text
        assert "1.00" in after
        assert after != before
        assert "t=100" in browser.current_url
        shared = browser.current_url.partition("#/")[2]
        show(browser, where, shared)
        wait(browser, lambda d: d.find_element(By.ID, "whatif").text == after)


def test_a_pair_marks_what_differs(browser: WebDriver, filled: Settings) -> None:
    with served(dashboard(filled), HERE) as where:
        show(browser, where, "pair/a03/b17")
        removed = [
            each.get_attribute("textContent")
            for each in browser.find_elements(By.CSS_SELECTOR, ".side .body del")
        ]
        assert removed == ["[removed] 今"]
        assert "overlap" in browser.find_element(By.TAG_NAME, "main").text


def test_search_by_keyboard_leads_to_an_article(browser: WebDriver, filled: Settings) -> None:
    with served(dashboard(filled), HERE) as where:
        browser.get(f"http://{where}/#/search")
        field = wait(browser, lambda d: d.find_element(By.ID, "q"))
        wait(browser, lambda d: d.switch_to.active_element == field)
        field.send_keys("football", Keys.ENTER)
        link = wait(browser, lambda d: d.find_element(By.CSS_SELECTOR, "main table a"))
        assert "1" not in link.text
        link.send_keys(Keys.ENTER)
        wait(browser, says("主队逆转取胜"))
        browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
        wait(browser, lambda d: "#/search" in d.current_url)


def test_the_first_tab_skips_to_the_content(browser: WebDriver, filled: Settings) -> None:
    with served(dashboard(filled), HERE) as where:
        show(browser, where, "rates")
        browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
        assert browser.switch_to.active_element.get_attribute("id") == "skip"
        browser.switch_to.active_element.send_keys(Keys.ENTER)
        assert browser.switch_to.active_element.get_attribute("id") == "main"


def test_controls_and_pictures_have_names(browser: WebDriver, filled: Settings) -> None:
    with served(dashboard(filled), HERE) as where:
        for view in VIEWS:
            show(browser, where, view)
            unnamed = browser.execute_script(
                """return [...document.querySelectorAll('a, button, input, select, [role=img]')]
                .filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label')
                || (e.labels && e.labels.length))).map((e) => e.outerHTML)"""
            )
            assert unnamed == []
            headings = browser.find_elements(By.TAG_NAME, "h1")
            assert len(headings) == 1


def test_language_and_colours_can_be_chosen(browser: WebDriver, filled: Settings) -> None:
    with served(dashboard(filled), HERE) as where:
        show(browser, where, "rates", language="en")
        Select(browser.find_element(By.CSS_SELECTOR, "[data-key=language]")).select_by_value("zh")
        wait(browser, says("重复率"))
        Select(browser.find_element(By.CSS_SELECTOR, "[data-key=theme]")).select_by_value("dark")
        assert browser.find_element(By.TAG_NAME, "html").get_attribute("data-theme") == "dark"


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_sticks_out_on_a_phone(browser: WebDriver, filled: Settings, view: str) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    with served(dashboard(filled), HERE) as where:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        show(browser, where, view)
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= size["width"]


def test_an_empty_store_fills_while_the_page_is_open(browser: WebDriver, tmp_path: Path) -> None:
    settings = settings_of(f"sqlite:{tmp_path / 'leitong.db'}")
    with served(dashboard(settings), HERE) as where:
        browser.get(f"http://{where}/#/rates?range=1h")
        wait(browser, says("leitong run"))
        fill(tmp_path, settings)
        wait(browser, says("4 articles"))
        more = {"article_id": "new", "title": "new", "body": "另外一件事情发生在今天早上。" * 5}
        publish(tmp_path / "log", settings, [more])
        wait(browser, says("5 articles"))
    open_index(settings).close()


def test_a_store_that_goes_away_and_comes_back(browser: WebDriver, tmp_path: Path) -> None:
    file = tmp_path / "leitong.db"
    settings = settings_of(f"sqlite:{file}")
    fill(tmp_path, settings)
    open_index(settings).close()
    with served(dashboard(settings), HERE) as where:
        show(browser, where, "now")
        file.rename(tmp_path / "away")
        wait(browser, lambda d: d.find_elements(By.CSS_SELECTOR, "#banner .bad"))
        assert browser.find_elements(By.CSS_SELECTOR, ".tile")  # what was known stays in sight
        (tmp_path / "away").rename(file)
        wait(browser, lambda d: not d.find_elements(By.CSS_SELECTOR, "#banner .bad"))


def test_a_server_that_ends_is_told_of(browser: WebDriver, filled: Settings) -> None:
    with served(dashboard(filled), HERE) as where:
        show(browser, where, "now")
    wait(browser, lambda d: d.find_elements(By.CSS_SELECTOR, "#banner .bad"))


def test_an_alert_that_stands_is_shown_in_both_languages(
    browser: WebDriver, tmp_path: Path
) -> None:
    settings = settings_of(f"sqlite:{tmp_path / 'leitong.db'}")
    copies = [
        {"article_id": f"w{n}", "title": "降温", "body": BODY, "channel": "<b>体育"}
        for n in range(60)
    ]
    publish(tmp_path / "log", settings, copies)
    app = dashboard(settings, BEGIN_MS + 60 * 60_000)
    with watching(app.watcher, every=0.1), served(app, HERE) as where:
        show(browser, where, "now", language="en")
        wait(browser, lambda d: d.find_elements(By.CSS_SELECTOR, ".alerts li"))
        (told,) = (each.text for each in browser.find_elements(By.CSS_SELECTOR, ".alerts li"))
        assert told == "Nearly all flagged: Channel <b>体育\n59 of 60 articles are repeats."
        assert browser.find_elements(By.CSS_SELECTOR, ".alerts li.critical")
        show(browser, where, "now", language="zh")
        wait(browser, lambda d: d.find_elements(By.CSS_SELECTOR, ".alerts li"))
        (told,) = (each.text for each in browser.find_elements(By.CSS_SELECTOR, ".alerts li"))
        assert told == "几乎全部判重： 频道 <b>体育\n60 篇稿件中有 59 篇判为重复。"
        assert "还没有批次" in browser.find_element(By.TAG_NAME, "main").text


def test_a_token_is_asked_for(browser: WebDriver, filled: Settings) -> None:
    with served(dashboard(filled, token="long-enough-token"), HERE) as where:  # noqa: S106
        browser.get(f"http://{where}/#/stories")
        wait(browser, lambda d: d.find_element(By.ID, "token")).send_keys(
            "long-enough-token", Keys.ENTER
        )
        wait(browser, says("降温"))
        assert "long-enough-token" not in browser.current_url


def test_a_page_that_stays_open_does_not_grow(browser: WebDriver, filled: Settings) -> None:
    def nodes() -> int:
        browser.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(int(each["value"]) for each in metrics if each["name"] == "Nodes")

    with served(dashboard(filled, END_MS), HERE) as where:
        browser.execute_cdp_cmd("Performance.enable", {})
        for view in ("now", "rates"):
            show(browser, where, view)
            script = """
            const done = arguments[0];
            (async () => {
              for (let n = 0; n < 20; n += 1) {
                document.dispatchEvent(new Event('visibilitychange'));
                await new Promise((ready) => setTimeout(ready, 40));
              }
              done();
            })();
            """
            browser.execute_async_script(script)
            before = nodes()
            for _ in range(3):
                browser.execute_async_script(script)
            assert nodes() <= before * 1.2
