"""The page of a scan as a file: whole, escaped, small; `test_page_browser` looks at it as a reader does."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

import scanned
from warmcast.page import page
from warmcast.page.sketch import HEIGHT, WIDTH, sketch_of
from warmcast.scan.charting import Chart
from warmcast.scan.record import record_of

if TYPE_CHECKING:
    from warmcast.scan.found import Scan

VOID = {"meta", "link", "input", "path", "br"}


class Tags(HTMLParser):
    """Whether every tag is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what is open, and every address."""
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data", "action"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """What closes must be what was opened last."""
        if tag not in VOID and self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A path closes itself."""


@pytest.mark.parametrize("made", [scanned.scan(), scanned.empty(), scanned.denied()], ids=["full", "empty", "denied"])
def test_the_page_is_whole_and_asks_for_nothing(made: Scan) -> None:
    """Every tag closed in its order; its only addresses are its own method and an icon of no bytes."""
    tags = Tags()
    tags.feed(page(record_of(made)))
    assert (tags.open, tags.wrong) == ([], [])
    assert set(tags.addresses) <= {"#method", "data:,"}


def test_names_are_escaped() -> None:
    """Neither as text nor in an attribute does a name begin a tag; control characters are gone."""
    text = page(record_of(scanned.scan()))
    assert scanned.NASTY not in text
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;:live" in text
    assert "\x1b" not in text


def test_a_page_without_rows_claims_no_money() -> None:
    """What could not be read does not cost $0."""
    text = page(record_of(scanned.denied()))
    assert "Nothing could be read." in text
    assert 'class="money"' not in text
    assert "<form" not in text


def test_thousands_of_rows_stay_a_file_that_opens() -> None:
    """Below 5 kB a row: 2,000 aliases are 10 MB at most."""
    few, many = (len(page(record_of(scanned.many(number)))) for number in (10, 110))
    assert (many - few) / 100 < 5_000


def chart(**series: tuple[float | None, ...]) -> Chart:
    """A chart of these series."""
    return Chart(start_epoch_s=0, step_s=3600, capacity_certain_share=1.0, **series)


def test_a_sketch_has_its_highest_at_the_top_and_gaps_as_gaps() -> None:
    """Four hours by hand: 10 units at the height of 2, a demand of 5 at the middle, the third hour not known."""
    sketch = sketch_of(
        chart(demand_mean=(0, 5, None, 5), demand_highest=(0, 10, None, 5), capacity=(10.0, 10.0, None, 5.0))
    )
    assert (WIDTH, HEIGHT) == (168, 40)
    assert sketch.mean == "M0 40V40H42V21H84V40H126V21H168V40z"
    assert sketch.capacity == "M0 2H84M126 21H168"
    assert sketch.gaps == "M0 40V40H84V0H126V40H168V40z"
    assert sketch.caption == "highest 10, units 10"
    assert sketch.label.startswith("0.167 days from 1970-01-01 UTC: demand up to 10 executions")


def test_a_sketch_merges_what_is_too_fine_to_see() -> None:
    """Two weeks of hours in 84 columns: means of 4 hours, and no peak lost."""
    demand = tuple(1.0 if hour % 4 else 5.0 for hour in range(336))
    sketch = sketch_of(chart(demand_mean=demand, demand_highest=demand, capacity=(2.0,) * 336))
    assert sketch.highest == "M0 40V2H168V40z"
    assert sketch.mean == f"M0 40V{40 - round(2 * 38 / 5)}H168V40z"


def test_nothing_to_draw_is_drawn_as_nothing() -> None:
    """No demand, no capacity; no known step and no step at all are not called 0."""
    told = {
        (0.0, 0.0): "highest 0, no units",
        (None, None): "highest not known, units not known",
        (): "highest not known, units not known",
    }
    for values, caption in told.items():
        sketch = sketch_of(chart(demand_mean=values, demand_highest=values, capacity=values))
        assert (sketch.highest, sketch.mean) == ("", "")
        assert sketch.caption == caption


def test_the_page_says_what_its_policy_allows() -> None:
    """Only the style and the script that are in the file, by their hashes."""
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page(record_of(scanned.empty())))
    assert policy.startswith("default-src 'none'")
    assert len(re.findall("'sha256-[A-Za-z0-9+/]{43}='", policy)) == 2
    assert "unsafe" not in policy
