"""A real browser for tests of pages: Chromium without a window, driven by selenium."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CONTRASTS = """
const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return { rgb: [r, g, b], a }; };
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const back = parse(getComputedStyle(each).backgroundColor);
    if (back.a === 1) return back.rgb;
    if (back.a !== 0) throw new Error(`half transparent: ${each.outerHTML.slice(0, 80)}`);
  }
  throw new Error("no background");
};
const ratio = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
for (const each of document.querySelectorAll("details")) each.open = true;
const written = [...document.querySelectorAll("body *")].filter((element) =>
  element.checkVisibility() && element.localName !== "script" &&
  ([...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) || element.placeholder));
const parts = (element) => ["", "::before", "::after", ...(element.placeholder ? ["::placeholder"] : [])];
const colours = written.flatMap((element) => parts(element)
  .map((part) => [element, getComputedStyle(element, part || null)])
  .filter(([, style], index) => index === 0 || style.content !== "none"));
return colours.map(([element, style]) => ({
  text: (element.textContent || element.placeholder || element.localName).trim().slice(0, 40),
  ratio: ratio(parse(style.color).rgb, behind(element)),
}));
"""


class Browser:
    """One Chromium; each page is opened from a file, as a reader would."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, path: Path, *, width: int = 1280, dark: bool = False, media: str = "screen") -> None:
        """Open a page in a window this wide."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setDeviceMetricsOverride", size)
        self.tell("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]})
        self.driver.get(path.as_uri())

    def tell(self, command: str, arguments: Mapping[str, object]) -> None:
        """A command of the DevTools protocol."""
        self.driver.execute_cdp_cmd(command, dict(arguments))

    def run(self, script: str) -> Any:  # noqa: ANN401 - whatever the script returns
        """What a script in the page returns."""
        return self.driver.execute_script(script)

    def text(self) -> str:
        """What a reader sees, its white space joined."""
        return " ".join(self.run("return document.body.innerText").split())

    def console(self) -> list[str]:
        """What the browser complained about since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call] # as above

    def requested(self) -> list[str]:
        """Every address asked for since the last call."""
        entries = self.driver.get_log("performance")  # type: ignore[no-untyped-call] # selenium has no types for it
        events = [json.loads(entry["message"])["message"] for entry in entries]
        sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]

    def contrasts(self) -> dict[str, float]:
        """Least contrast of each text with what is behind it (WCAG 2.2, relative luminance)."""
        found: dict[str, float] = {}
        for each in self.run(CONTRASTS):
            found[each["text"]] = min(each["ratio"], found.get(each["text"], each["ratio"]))
        return found


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium where it is installed; else the test is skipped, but in CI it fails."""
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    chauffeur = shutil.which("chromedriver")
    if not binary or not chauffeur:
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("needs Chromium and chromedriver on the PATH")
    options = ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(chauffeur))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
