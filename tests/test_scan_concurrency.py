"""Limits of concurrency: who is close to which, and whether a reservation or a quota is the answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from judging import VIRGINIA, function
from warmcast.model import AccountLimits
from warmcast.scan.concurrency import pressures
from warmcast.scan.found import ConcurrencyRow, Denial, FunctionSeen, Pressure, Survey


def _named(name: str, *, reserved: int | None = None, units: int = 0) -> FunctionSeen:
    return replace(function(units=units), name=name, reserved=reserved)


def _rows(
    *functions: FunctionSeen,
    limit: int = 1000,
    peaks: dict[str, float] | None = None,
    throttles: dict[str, float] | None = None,
    account_peak: float = 100.0,
    others_in_use: float | None = None,
) -> dict[str, ConcurrencyRow]:
    unreserved = limit - sum(each.reserved or 0 for each in functions)
    survey = Survey(VIRGINIA, functions, AccountLimits(limit, unreserved, others_in_use))
    rows = pressures(survey, peaks=peaks or {}, throttles=throttles or {}, account_peak=account_peak, days=14)
    assert all(row.evidence for row in rows)
    assert not any("nan" in each.text for row in rows for each in row.evidence)
    return {row.function: row for row in rows}


def test_the_accounts_row_tells_what_is_claimed_and_left() -> None:
    """300 reserved, 50 provisioned without a reservation; provisioned within a reservation is not counted twice."""
    rows = _rows(_named("a", reserved=300, units=200), _named("b", units=50), peaks={"a": 250.0})
    account = rows[""]
    assert (account.limit, account.left, account.peak, account.pressure) == (1000, 650, 100.0, Pressure.FINE)
    assert "350 are claimed" in account.evidence[1].text
    assert set(rows) == {"", "a"}


def test_what_could_not_be_read_is_no_zero() -> None:
    """A peak that is not known, functions that were not listed, and one that was not asked for its capacity."""
    account = _rows(account_peak=float("nan"))[""]
    assert np.isnan(account.peak)
    assert account.evidence[0].text.endswith("its peak is not known.")
    denied = Denial(VIRGINIA, "ListFunctions", "AccessDeniedException", "no")
    unasked = replace(_named("a"), unread=("provisioned concurrency: AccessDeniedException: no",))
    for survey in (
        Survey(VIRGINIA, (), AccountLimits(1000, 900), (denied,)),
        Survey(VIRGINIA, (unasked,), AccountLimits(1000, 900)),
    ):
        (row,) = pressures(survey, peaks={}, throttles={}, account_peak=5.0, days=14)
        assert row.left is None
        assert row.evidence[1].text.startswith("100 are reserved; how many are provisioned on functions")
        assert np.isnan(row.throttles)


@pytest.mark.parametrize(
    ("throttles", "told"),
    [
        ({"a": 0.0}, "nothing was throttled"),
        ({"a": 1.0}, "1 request was"),
        ({"a": 2.0}, "2 requests were"),
        ({}, "is not known"),
    ],
)
def test_throttles_are_counted_in_words(throttles: dict[str, float], told: str) -> None:
    """One is one, and none is not the same as not known."""
    assert told in _rows(_named("a", reserved=90), peaks={"a": 9.0}, throttles=throttles)["a"].evidence[0].text


def test_a_reservation_whose_use_is_not_known_is_not_called_unused() -> None:
    """No metric, no word about it; not even in an account that is full."""
    row = _rows(_named("a", reserved=900), peaks={"a": float("nan")})["a"]
    assert (row.pressure, np.isnan(row.peak)) == (Pressure.FINE, True)
    assert "its peak is not known" in row.evidence[0].text
    assert row.evidence[1].text == "How much of its reservation was in use is not known."


def test_without_the_accounts_limits_nothing_is_said() -> None:
    """They could not be read: that is a denial of the survey's."""
    assert pressures(Survey(VIRGINIA), peaks={}, throttles={}, account_peak=5.0, days=14) == ()


@pytest.mark.parametrize(("peak", "pressure"), [(799.0, Pressure.FINE), (801.0, Pressure.QUOTA)])
def test_an_account_near_its_limit_asks_for_a_quota(peak: float, pressure: Pressure) -> None:
    """From four fifths on."""
    assert _rows(account_peak=peak)[""].pressure is pressure


def test_an_account_claimed_up_is_near_its_limit_too() -> None:
    """Reservations and provisioned concurrency count whether anything runs or not."""
    assert _rows(_named("a", reserved=850), account_peak=float("nan"))[""].pressure is Pressure.QUOTA


@pytest.mark.parametrize(
    ("reserved", "limit", "peak", "throttles", "pressure"),
    [
        (20, 1000, 20.0, 500.0, Pressure.RESERVATION_TOO_LOW),
        (20, 1000, 20.0, 0.0, Pressure.FINE),
        (20, 1000, 15.0, 500.0, Pressure.FINE),  # throttled below it: a burst
        (20, 125, 20.0, 500.0, Pressure.QUOTA),  # only 5 more can be reserved
        (0, 1000, 0.0, 500.0, Pressure.FINE),  # switched off on purpose
    ],
)
def test_throttles_at_ones_own_reservation_raise_it_where_there_is_room(
    reserved: int, limit: int, peak: float, throttles: float, pressure: Pressure
) -> None:
    """100 must stay unreserved: small accounts can't reserve more."""
    rows = _rows(_named("a", reserved=reserved), limit=limit, peaks={"a": peak}, throttles={"a": throttles})
    assert rows["a"].pressure is pressure
    if pressure is Pressure.RESERVATION_TOO_LOW:
        assert "Raise it to 30" in rows["a"].evidence[1].text


@pytest.mark.parametrize(
    ("account_peak", "others_in_use", "pressure"),
    [(950.0, None, Pressure.QUOTA), (300.0, None, Pressure.FINE), (300.0, 990.0, Pressure.QUOTA)],
)
def test_throttles_without_a_reservation_in_a_full_account_ask_for_a_quota(
    account_peak: float, others_in_use: float | None, pressure: Pressure
) -> None:
    """With room left they are a burst, against which neither helps."""
    functions = [_named(name) for name in ("a", "b", "c", "d")]
    rows = _rows(
        *functions,
        peaks=dict.fromkeys("abcd", 240.0) if account_peak > 900 else {"a": 90.0},
        throttles={"a": 70.0},
        account_peak=account_peak,
        others_in_use=others_in_use,
    )
    assert rows["a"].pressure is pressure


@pytest.mark.parametrize(("noisy_peak", "pressure"), [(600.0, Pressure.RESERVE), (400.0, Pressure.QUOTA)])
def test_a_noisy_neighbour_is_kept_off_by_a_reservation(noisy_peak: float, pressure: Pressure) -> None:
    """Half of the account's peak in one other function starves the rest."""
    rows = _rows(
        _named("quiet"),
        _named("noisy"),
        peaks={"quiet": 40.0, "noisy": noisy_peak},
        throttles={"quiet": 900.0},
        account_peak=990.0,
    )
    assert rows["quiet"].pressure is pressure
    if pressure is Pressure.RESERVE:
        assert "Reserve 50 for this one" in rows["quiet"].evidence[1].text


def test_in_a_small_account_nothing_can_be_reserved() -> None:
    """100 in all: the answer is a quota."""
    rows = _rows(
        _named("quiet"), _named("noisy"), limit=100, peaks={"quiet": 5.0, "noisy": 90.0}, throttles={"quiet": 9.0},
        account_peak=100.0,
    )  # fmt: skip
    assert rows["quiet"].pressure is Pressure.QUOTA


@pytest.mark.parametrize(
    ("reserved", "peak", "account_peak", "pressure"),
    [
        (500, 20.0, 900.0, Pressure.RESERVATION_IDLE),
        (500, 20.0, 300.0, Pressure.FINE),  # it takes from nobody
        (500, 120.0, 900.0, Pressure.FINE),  # a quarter of it is used
        (10, 1.0, 900.0, Pressure.FINE),  # nine units are not worth a word
    ],
)
def test_a_reservation_hardly_used_is_lowered_where_others_need_it(
    reserved: int, peak: float, account_peak: float, pressure: Pressure
) -> None:
    """Under a fifth in use, in an account near its limit."""
    rows = _rows(_named("a", reserved=reserved), peaks={"a": peak}, account_peak=account_peak)
    assert rows["a"].pressure is pressure


def test_a_function_near_what_is_left_gets_a_row() -> None:
    """700 are left for all: 600 of them in one function are worth a row, 500 are not."""
    for peak, rows in ((600.0, {"", "a", "r"}), (500.0, {"", "r"})):
        found = _rows(_named("a"), _named("r", reserved=300), peaks={"a": peak, "r": 200.0}, account_peak=700.0)
        assert set(found) == rows
