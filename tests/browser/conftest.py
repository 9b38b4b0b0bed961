"""A real Chromium over a dashboard that is really served."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

from streaming.settings import Settings
from tests.dashboard.asking import fill, settings_of

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--lang=en-GB",
)


def _program(*names: str) -> str:
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    pytest.fail(f"no {names[0]}: apt-get install chromium chromium-driver", pytrace=False)


@pytest.fixture(scope="session")
def chromium() -> Iterator[WebDriver]:
    options = Options()
    options.binary_location = _program("chromium", "chromium-browser", "google-chrome")
    for switch in SWITCHES:
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(_program("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: WebDriver) -> Iterator[WebDriver]:
    """Chromium with nothing remembered; whatever it logs as an error fails the test."""
    _logged(chromium)
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    _size(chromium, 1280)
    yield chromium
    errors = [line for line in _logged(chromium) if line["level"] == "SEVERE"]
    chromium.get("about:blank")
    # What the server answers with an error is logged by Chromium itself.
    assert [each for each in errors if "Failed to load resource" not in each["message"]] == []


def _logged(driver: WebDriver) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = driver.get_log("browser")  # type: ignore[no-untyped-call]
    return lines


def _size(driver: WebDriver, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    here = tmp_path_factory.mktemp("shown")
    settings = settings_of(f"sqlite:{here / 'leitong.db'}")
    fill(here, settings)
    return settings
