"""The words and numbers of every report: money, shares, sentences, spelled out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

import scanned
from builders import capacity
from warmcast.prices import unit_prices
from warmcast.scan import telling
from warmcast.scan.found import Owner, Verdict
from warmcast.scan.record import Row, record_of


def row(verdict: Verdict = Verdict.TOO_HIGH, **changes: object) -> Row:
    """The row of a finding with these changes."""
    finding = replace(scanned.finding(verdict), **changes)  # type: ignore[arg-type] # fields of Finding, by name
    (made,) = record_of(replace(scanned.empty(), findings=(finding,))).rows
    return made


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "not known"),
        (0.0, "$0"),
        (0.004, "$0"),
        (0.006, "$0.01"),
        (12.344, "$12.34"),
        (99.99, "$99.99"),
        (99.996, "$100"),
        (-1402.6, "-$1,403"),
        (1_234_567.8, "$1,234,568"),
    ],
)
def test_amounts_have_cents_only_where_they_matter(value: float | None, told: str) -> None:
    """Below 100 dollars; and nothing is not known to be nothing."""
    assert telling.usd(value) == told


def test_a_change_has_its_sign() -> None:
    """Saved, spent, and a dash for neither."""
    assert [telling.usd_change(value) for value in (-3.0, 3.0, 0.0, -0.001)] == ["-$3.00", "+$3.00", "–", "–"]  # noqa: RUF001 - the dash of an empty cell


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.01, "$0.01"), (0.0873, "$0.0873"), (0.0004, "$0.0004"), (1.5, "$1.50"), (0.0, "$0"), (-0.05, "-$0.05")],
)
def test_amounts_far_below_a_cent_keep_their_digits(value: float, told: str) -> None:
    """What a cold start costs."""
    assert telling.fraction(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0, "0%"),
        (0.0001, "<0.1%"),
        (0.004, "0.4%"),
        (0.087, "8.7%"),
        (0.101, "10%"),
        (0.94, "94%"),
        (0.997, "99.7%"),
        (0.9999, ">99.9%"),
        (1.0, "100%"),
        (1.18, "118%"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(value: float, told: str) -> None:
    """A little spillover is some, and a gap in the data is one."""
    assert telling.share(value) == told


def test_numbers_keep_three_digits_that_matter() -> None:
    """Thousands apart, no digits that nobody measured."""
    assert [telling.number(value) for value in (0, 1.7362, 12.0, 47.26, 16_853.4)] == [
        "0",
        "1.74",
        "12",
        "47.3",
        "16,853",
    ]


def test_next_to_nothing_is_told_as_such() -> None:
    """No power of ten: what is less than a thousandth is that, and nothing is 0."""
    assert [telling.number(value) for value in (0.0, 1e-229, 0.0009, 0.001)] == ["0", "<0.001", "<0.001", "0.001"]


def test_one_of_a_thing_has_no_plural() -> None:
    """Also where a mean is shown as 1."""
    told = [telling.quantity(value, "unit") for value in (0.0, 0.25, 1.0, 1.004, 1.5, 12_000.0)]
    assert told == ["0 units", "0.25 units", "1 unit", "1 unit", "1.5 units", "12,000 units"]


def test_the_method_says_that_init_is_left_out() -> None:
    """The money of a change has none on either side, for no metric tells it."""
    (change,) = [part.text for part in telling.method(record_of(scanned.scan())) if part.about == "Change"]
    assert "is left out on both sides" in change


def test_units_tell_what_stands_and_what_should() -> None:
    """An arrow only where something would change."""
    assert telling.units(row(amount=6)) == "20 → 6"
    assert telling.units(row(amount=None)) == "20"
    assert telling.units(row(amount=20)) == "20"
    assert telling.units(row(Verdict.BUY, capacity=None, amount=2)) == "0 → 2"
    assert telling.units(row(Verdict.NO, capacity=None, amount=None)) == telling.NOTHING
    assert telling.units(row(Verdict.DROP, capacity=capacity(3), amount=0)) == "3 → 0"


@pytest.mark.parametrize("owner", list(Owner))
def test_every_owner_has_words(owner: Owner) -> None:
    """Also whom nobody knows; and an alias without capacity has nobody to name."""
    told = telling.owned(row(owner=owner))
    assert (told == "") == (owner is Owner.NOBODY)
    assert told != "set by CloudFormation" or owner is not Owner.STACK


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_a_tone_and_a_meaning(verdict: Verdict) -> None:
    """A sentence that ends, for whoever meets the word for the first time."""
    assert telling.tone(verdict) in telling.Tone
    assert telling.MEANINGS[verdict].endswith(".")


def test_only_keep_and_no_leave_things_as_they_are() -> None:
    """Everything else is told with its evidence."""
    left = {verdict for verdict in Verdict if telling.tone(verdict) is telling.Tone.LEAVE}
    assert left == {Verdict.KEEP, Verdict.NO}


def test_assumed_prices_are_a_caveat_and_marked_in_their_row() -> None:
    """The bundled table lacks some Regions, and arm64 in most."""
    made = replace(scanned.finding(Verdict.KEEP), prices=unit_prices("eu-west-1", "arm64"))
    record = record_of(replace(scanned.empty(), findings=(made,)))
    assert telling.caveats(record) == ("1 row with assumed prices: those of the Region or architecture are not known.",)
    assert "(assumed)" in telling.unit_price(record.rows[0])
    assert "(assumed)" not in telling.unit_price(row())


def test_the_scan_tells_what_it_cost() -> None:
    """12,480 metrics at a cent per thousand are 12 cents."""
    told = telling.scan_cost(record_of(scanned.scan()))
    assert told == (
        "The scan read 12,480 metrics, which CloudWatch bills at $0.01 per 1,000 (list price): $0.12. "
        "All of its 30 calls only read."
    )


def test_control_characters_become_spaces() -> None:
    """An escape sequence, a line feed, a right-to-left override."""
    assert telling.printable("a\x1b[2Jb\nc\u202ed") == "a [2Jb c d"


def test_what_stands_now_is_told_where_it_is_another_amount() -> None:
    """20 units stood, 30 stand now, at $10.95 each; nothing is said of a difference that nobody would see."""
    raised = replace(scanned.finding(Verdict.KEEP), capacity=capacity(30))
    changed, same = (
        telling.headlines(record_of(replace(scanned.empty(), findings=(made,))))[0]
        for made in (raised, scanned.finding(Verdict.KEEP))
    )
    assert changed.amount == same.amount == "$219"
    assert changed.words == f"{same.words}; what stands now would be $329"
