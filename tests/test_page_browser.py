"""The page of a scan in a real browser: what a reader sees, with and without a script, on a phone and on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

import scanned
from browsing import Browser, browser
from warmcast.page import page
from warmcast.scan.record import record_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = record_of(scanned.scan()).rows
MOST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3 (AA), for text of any size."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests here: starting it takes longer than they do."""
    with browser() as made:
        yield made


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a scan with everything in it."""
    made = tmp_path_factory.mktemp("page") / "scan.html"
    made.write_text(page(record_of(scanned.scan())), encoding="utf-8")
    return made


@pytest.fixture
def opened(chromium: Browser, path: Path) -> Browser:
    """The browser with the page freshly open."""
    chromium.open(path)
    chromium.console()
    return chromium


def names(browser: Browser) -> list[str]:
    """The aliases that are shown, in their order."""
    shown: list[str] = browser.run(
        "return [...document.querySelectorAll('tbody.alias')].filter((each) => each.checkVisibility())"
        ".map((each) => each.querySelector('.alias-name').textContent)"
    )
    return shown


def heading(browser: Browser, words: str) -> Any:  # noqa: ANN401 - selenium's element
    """The button that sorts by this column."""
    return browser.driver.find_element(By.XPATH, f"//thead//button[.='{words}']")


def sorting(browser: Browser) -> dict[str, str]:
    """`aria-sort` of each column that is sorted."""
    pairs = browser.run(
        "return [...document.querySelectorAll('[aria-sort]')]"
        ".map((each) => [each.querySelector('button').textContent, each.getAttribute('aria-sort')])"
    )
    return {words: direction for words, direction in pairs if direction != "none"}


def choose(browser: Browser, field: str, value: str) -> None:
    """Pick an option."""
    Select(browser.driver.find_element(By.ID, field)).select_by_visible_text(value)


def test_everything_is_there_and_nothing_is_complained_of(opened: Browser) -> None:
    """Money, every alias with its verdict, limits, denials and the method; a clean console."""
    text = opened.text()
    for told in (
        "$3,066",
        "$2,562",
        "-$2,334",
        "Prices: AWS Price List API, read 2026-03-09",
        "14 days up to 2026-03-09",
    ):
        assert told in text
    for row in ROWS:
        assert row.name in text
        assert row.verdict.value in text
    for told in (
        "ask for a higher quota",
        "AccessDeniedException",
        "193 functions left out",
        "12,480 metrics",
        "$0.12",
    ):
        assert told in text
    assert text.index("$3,066") < text.index("fn-schedule:live")
    assert opened.driver.title == "Provisioned concurrency in 2 accounts and 3 Regions, 2026-03-09 12:00 UTC"
    assert opened.console() == []


def test_hostile_names_are_text(opened: Browser) -> None:
    """A name with a script in it is shown as it is, and only the page's own script is there."""
    assert names(opened)[-1] == f"{scanned.NASTY}:live"
    assert opened.run("return document.scripts.length") == 1
    assert opened.run("return document.querySelectorAll('details').length") == len(ROWS)


def test_nothing_is_fetched(chromium: Browser, path: Path) -> None:
    """The file, and the empty picture that stands for an icon, are all that the browser asks for."""
    chromium.requested()
    chromium.open(path)
    assert {each for each in chromium.requested() if not each.startswith("data:")} == {path.as_uri()}


def test_a_column_of_usd_sorts_by_its_amounts(opened: Browser) -> None:
    """By what it costs, not by its letters; pressed again, the other way; the direction is told to everyone."""
    by_change = [row.name for row in sorted(ROWS, key=lambda row: row.change_monthly_usd)]
    heading(opened, "Change a month").click()
    assert names(opened) == by_change
    assert sorting(opened) == {"Change a month": "ascending"}
    heading(opened, "Change a month").click()
    assert [row for row in names(opened) if row in by_change[:9]] == by_change[:9][::-1]
    assert sorting(opened) == {"Change a month": "descending"}


def test_the_keyboard_sorts_too(opened: Browser) -> None:
    """The headings are buttons: Enter presses them."""
    heading(opened, "USD a month").send_keys(Keys.ENTER)
    assert sorting(opened) == {"USD a month": "descending"}
    dearest = max(ROWS, key=lambda row: row.allocated_monthly_usd)
    assert ROWS[[row.name for row in ROWS].index(names(opened)[0])].allocated_monthly_usd == pytest.approx(
        dearest.allocated_monthly_usd, abs=0.01
    )


def test_what_is_not_known_stands_last_either_way(opened: Browser) -> None:
    """It is neither the least nor the most."""
    for _ in range(2):
        heading(opened, "of it idle").click()
        assert names(opened)[-1] == "fn-unknown:live"


def test_a_phone_sorts_by_a_list(chromium: Browser, path: Path) -> None:
    """Cards have no headings to press."""
    chromium.open(path, width=360)
    choose(chromium, "order", "Alias")
    assert names(chromium) == sorted((row.name for row in ROWS), key=str.lower)
    choose(chromium, "order", "what to do first")
    assert names(chromium) == [row.name for row in ROWS]


def test_filters_leave_what_fits_and_say_how_much_it_is(opened: Browser) -> None:
    """By verdict, by Region, by account, by any word; the sums follow."""
    choose(opened, "verdict", "too high")
    assert names(opened) == ["fn-too-high:live"]
    assert "1 of 16 rows: $219 a month, -$153 a month" in opened.text()
    choose(opened, "verdict", "all")
    choose(opened, "region", "eu-central-1")
    assert names(opened) == ["fn-too-high:live", "fn-drop:live"]
    choose(opened, "region", "all")
    choose(opened, "account", "444455556666")
    assert names(opened) == ["fn-never-here:live"]
    choose(opened, "account", "all")
    opened.driver.find_element(By.ID, "search").send_keys("Auto SCALING")
    assert names(opened) == ["fn-never-scaled-in:live"]


@pytest.mark.parametrize("width", [320, 360, 800, 1280])
def test_nobody_scrolls_sideways(chromium: Browser, path: Path, width: int) -> None:
    """From a small phone to a desk, with all evidence open."""
    chromium.open(path, width=width)
    chromium.run("for (const each of document.querySelectorAll('details')) each.open = true")
    assert chromium.run("return document.documentElement.scrollWidth") <= width
    beyond = (
        "return [...document.querySelectorAll('body *')].filter((each) => each.checkVisibility() &&"
        " !each.closest('thead') && each.getBoundingClientRect().right > innerWidth + 1).map((each) => each.outerHTML)"
    )
    assert chromium.run(beyond) == []


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (360, False), (360, True)])
def test_every_text_stands_out(chromium: Browser, path: Path, width: int, *, dark: bool) -> None:
    """Contrast of at least 4.5 to 1, in light and dark, on a desk and on a phone, with all evidence open."""
    chromium.open(path, width=width, dark=dark)
    contrasts = chromium.contrasts()
    assert len(contrasts) > 80
    assert {text: ratio for text, ratio in contrasts.items() if ratio < MOST_CONTRAST} == {}


def test_dark_and_light_differ(chromium: Browser, path: Path) -> None:
    """The reader's own setting decides."""
    backs = set()
    for dark in (False, True):
        chromium.open(path, dark=dark)
        backs.add(chromium.run("return getComputedStyle(document.body).backgroundColor"))
    assert len(backs) == 2


def test_paper_has_the_evidence_and_dark_ink(chromium: Browser, path: Path) -> None:
    """What is folded on the screen is open in print, headings and all; nothing to press, no dark background."""
    chromium.open(path, width=1040, dark=True, media="print")
    shown = "return [...document.querySelectorAll('{}')].filter((each) => each.checkVisibility() && each.offsetHeight)"
    assert chromium.run(shown.format("details .facts") + ".length") == len(ROWS)
    assert chromium.run(shown.format("button, #controls") + ".length") == 0
    assert chromium.run(shown.format(".aliases thead th") + ".map((each) => each.innerText)")[3] == "USD a month"
    assert chromium.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert chromium.run("return document.documentElement.scrollWidth") <= 1040


def test_it_works_without_its_script(chromium: Browser, path: Path) -> None:
    """All rows in the scan's order, and no control that would do nothing."""
    chromium.tell("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.open(path)
        driver = chromium.driver
        shown = [each.text for each in driver.find_elements(By.CLASS_NAME, "alias-name")]
        controls = driver.find_element(By.ID, "controls").is_displayed()
        buttons = driver.find_elements(By.TAG_NAME, "button")
    finally:
        chromium.tell("Emulation.setScriptExecutionDisabled", {"value": False})
    assert shown == [row.name for row in ROWS]
    assert (controls, buttons) == (False, [])
