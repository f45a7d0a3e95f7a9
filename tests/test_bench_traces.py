"""The benchmark on real traffic: what it reads off frontiers, how it adds traces up, and that it runs."""

from __future__ import annotations

import gzip
import math
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bench.machine import Machine
from bench.traces.__main__ import main
from bench.traces.aims import AIMS, promised
from bench.traces.effort import swapped
from bench.traces.frontier import Point, cold_by, cold_starts, cost_at, frontier, spillover, worst_share
from bench.traces.kinds import Kind, kind_of
from bench.traces.page import Run, markdown, section
from bench.traces.ratios import Pair, at_level, geometric_mean, of_nothings, together, where_tracked
from bench.traces.sweep import SAVINGS, Swept, beyond
from bench.traces.tables import ratio, tables
from traces import MONDAY, minutes, noise, office
from warmcast.simulate.compare import CLAIRVOYANT, CRON_TABLE, NONE, STATIC_PEAK, TARGET_TRACKING, WARMCAST
from warmcast.simulate.trace import Trace
from warmcast.simulate.verdict import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from warmcast.model import FloatArray


def point(spilled: float, cost: float, *, setting: float = 0.0, cold: float = 1.0, worst: float = 0.1) -> Point:
    """A setting that spills so much for this cost; at other keepalives twice and half the cold starts."""
    return Point(
        setting=setting,
        allocation_usd=cost,
        total_usd=cost + 100,
        spillover=spilled,
        cold=(cold, 2 * cold, cold / 2),
        worst=worst,
        changes_per_day=12.0,
    )


def swept(name: str = "one", changed: Mapping[str, tuple[Point, ...]] = MappingProxyType({})) -> Swept:
    """A trace on which Warmcast costs 8 at 1% where the others cost 10, but for what is changed."""
    points: dict[str, tuple[Point, ...]] = {
        WARMCAST: (point(0.01, 8.0, setting=0.01), point(0.1, 4.0, setting=0.1)),
        SAVINGS: (point(0.5, -5.0),),
        NONE: (point(1.0, 0.0, cold=4.0, worst=0.4),),
        STATIC_PEAK: (point(0.0, 20.0, cold=0.0, worst=0.0),),
        TARGET_TRACKING: (point(0.01, 10.0, setting=0.5), point(0.1, 8.0, setting=0.7)),
        CRON_TABLE: (point(0.01, 10.0, setting=0.95),),
        CLAIRVOYANT: (point(0.01, 5.0, setting=0.01),),
        **changed,
    }
    return Swept(
        name=name,
        kind=Kind.MINUTES,
        scored_days=7.0,
        two_weeks=True,
        asked=(0.01, 0.1),
        points=points,
        ticks=100,
        ticking_s=0.2,
    )


# --- reading off -----------------------------------------------------------------------------------------------------

SETTINGS = (point(0.05, 20.0), point(0.01, 30.0), point(0.04, 10.0))


@pytest.mark.parametrize(("level", "cost"), [(0.01, 30.0), (0.02, 20.0), (0.04, 10.0), (0.045, 10.0), (0.5, 10.0)])
def test_cost_is_read_off_in_the_logarithm_of_the_level(level: float, cost: float) -> None:
    """2% is halfway between 1% and 4%; 5% for 20 is beaten by 4% for 10; looser than the loosest costs no less."""
    assert cost_at(SETTINGS, spillover, level) == pytest.approx(cost)


def test_below_its_lowest_level_a_policy_does_not_get_there() -> None:
    """Nothing is extrapolated; without any setting there is nothing to read."""
    assert math.isnan(cost_at(SETTINGS, spillover, 0.0099))
    assert math.isnan(cost_at((), spillover, 0.01))


def test_a_level_of_zero_is_reached_by_what_spills_nothing() -> None:
    """Its logarithm is cut off, its cost is not."""
    settings = (point(0.0, 50.0), point(0.01, 30.0))
    assert cost_at(settings, spillover, 0.0) == 50.0
    assert 30.0 < cost_at(settings, spillover, 1e-5) < 50.0


def test_a_frontier_rises_in_level_and_falls_in_cost() -> None:
    """Whatever was measured, in whatever order: against a search of all pairs."""
    rng = np.random.default_rng(7)
    settings = [point(float(spilled), float(cost)) for spilled, cost in rng.random((60, 2))]
    line = frontier(settings, spillover)
    unbeaten = {
        (each.spillover, each.allocation_usd)
        for each in settings
        if not any(
            other.spillover <= each.spillover and other.allocation_usd <= each.allocation_usd
            for other in settings
            if other is not each
        )
    }
    assert set(zip(line.levels.tolist(), line.costs.tolist(), strict=True)) == unbeaten
    assert (np.diff(line.levels) > 0).all()
    assert (np.diff(line.costs) < 0).all()


def test_every_level_is_read_off_its_own_figure() -> None:
    """Cold starts at each keepalive, and the worst five minutes."""
    one = point(0.02, 7.0, cold=3.0, worst=0.25)
    assert (cold_starts(one), cold_by(1)(one), cold_by(2)(one), worst_share(one)) == (3.0, 6.0, 1.5, 0.25)


# --- ratios ----------------------------------------------------------------------------------------------------------


def test_the_mean_is_geometric_and_the_worst_is_named() -> None:
    """Half and double come to 1."""
    found = together({"half": Pair(1, 2), "double": Pair(4, 2)})
    assert found.mean == pytest.approx(1.0)
    assert (found.count, found.worst, found.worst_on, found.missed) == (2, 2.0, "double", ())


def test_a_trace_counts_where_the_policy_compared_gets_there() -> None:
    """Where it does not, nothing is said; where Warmcast alone does not, the trace is named and not counted."""
    found = together({"both": Pair(3, 4), "neither": Pair(math.nan, math.nan), "we": Pair(3, math.nan)})
    assert (found.count, found.missed) == (1, ())
    assert found.mean == pytest.approx(0.75)
    found = together({"both": Pair(3, 4), "they": Pair(math.nan, 4)})
    assert (found.count, found.missed) == (1, ("they",))
    assert found.mean == pytest.approx(0.75)


def test_of_no_traces_there_is_no_mean() -> None:
    """Nor of a policy that costs nothing: there is no ratio to it."""
    assert math.isnan(together({}).mean)
    assert together({"free": Pair(3, 0)}).count == 0
    assert math.isnan(geometric_mean([]))
    assert geometric_mean([0.0, 4.0]) == 0.0


def test_equal_spillover_compares_each_at_its_best_setting() -> None:
    """At the geometric middle of 1% and 10% Warmcast costs 6, target tracking 9."""
    pair = at_level(swept(), TARGET_TRACKING, math.sqrt(0.01 * 0.1))
    assert pair.ours == pytest.approx(6.0)
    assert pair.other == pytest.approx(9.0)


def test_target_tracking_is_met_where_it_stands() -> None:
    """At 70% it spills 10% for 8, where Warmcast costs 4; with fewer cold starts than Warmcast it is not met."""
    assert where_tracked(swept()) == Pair(4.0, 8.0)
    colder = swept(changed={TARGET_TRACKING: (point(0.1, 8.0, setting=0.7, cold=0.5),)})
    assert math.isnan(where_tracked(colder, cold_starts).ours)


def test_cold_starts_are_compared_at_shares_of_those_without_any_capacity() -> None:
    """None has 4 per 10,000: half of that is 2, which Warmcast's 1 keeps at its cheapest."""
    assert of_nothings(swept(), CRON_TABLE, 0.5, cold_starts) == Pair(4.0, 10.0)
    assert math.isnan(of_nothings(swept(), CRON_TABLE, 0.2, cold_starts).ours)


# --- aims ------------------------------------------------------------------------------------------------------------


def test_an_aim_is_met_in_the_mean_on_the_worst_trace_and_on_all() -> None:
    """Target tracking at its best: 0.80 in the mean, none above 1, none on which Warmcast alone falls short."""
    best = AIMS[0]
    good = swept("good")
    dear = swept("dear", {WARMCAST: (point(0.01, 10.5, setting=0.01),)})
    cheap = swept("cheap", {WARMCAST: (point(0.01, 2.0, setting=0.01),)})
    loose = swept("loose", {WARMCAST: (point(0.02, 2.0, setting=0.01),)})
    assert best.met(best.found([good]), held_back=False)
    assert not best.met(best.found([good, dear]), held_back=False)
    assert not best.met(best.found([cheap, dear]), held_back=False)
    assert not best.met(best.found([good, loose]), held_back=False)
    assert not best.met(best.found([]), held_back=False)


def test_aims_for_traces_held_back_are_their_own() -> None:
    """0.86 is good enough where 0.80 is asked of those at hand."""
    best = AIMS[0]
    found = best.found([swept(changed={WARMCAST: (point(0.01, 8.5, setting=0.01),)})])
    assert (best.met(found, held_back=False), best.met(found, held_back=True)) == (False, True)


def test_a_promise_is_kept_on_nine_traces_in_ten() -> None:
    """From half to five quarters of what was asked; both ends count."""
    reached = [0.005, 0.0125, *[0.01] * 7, 0.02]
    traces = [swept(f"t{n}", {WARMCAST: (point(each, 8.0, setting=0.01),)}) for n, each in enumerate(reached)]
    told = promised(traces, 0.01)
    assert (told.kept, told.met, told.reached[-1]) == (9, True, (2.0, "t9"))
    assert not promised(traces[1:], 0.01).met
    assert not promised([], 0.01).met


def test_the_bill_with_savings_is_compared_with_that_of_none() -> None:
    """95 dollars against 100."""
    savings = next(aim for aim in AIMS if "savings" in aim.name)
    assert savings.found([swept()]).mean == pytest.approx(0.95)


def test_warmcast_is_asked_beyond_the_objectives_where_target_tracking_stands_beyond() -> None:
    """Half of what it spills where that is tighter; looser ones always; what spills nothing can't be asked for."""
    assert list(beyond((0.001, 0.1), 0.02)) == [0.2, 0.5]
    assert list(beyond((0.001, 0.1), 0.0004)) == [0.2, 0.5, 0.0002]
    assert list(beyond((0.001, 0.3), 0.0)) == [0.5]


def test_places_change_where_the_order_turns() -> None:
    """Not where the two are within 2%."""
    one, other = point(0.1, 1.0, cold=1.0), replace(point(0.1, 1.0), cold=(1.5, 1.5, 0.495))
    assert swapped(one, other, 1)
    assert not swapped(one, other, 2)


# --- kinds of traces -------------------------------------------------------------------------------------------------


def trace_of(demand: FloatArray) -> Trace:
    """A trace from Monday on, without peaks."""
    return Trace(int(MONDAY.timestamp()), demand, demand / 0.5, np.full(len(demand), np.nan))


def test_how_a_trace_was_measured_is_told_from_its_shape() -> None:
    """Every minute anew, repeated for five minutes, straight for half an hour; silence tells nothing."""
    hours = 40 * noise(50, 0.5)
    lines = np.interp(np.arange(1440), 30 * np.arange(50), hours).round(3)
    assert kind_of(trace_of(40 * noise(1440, 0.2))) is Kind.MINUTES
    assert kind_of(trace_of(np.repeat(noise(288, 0.2), 5))) is Kind.FIVES
    assert kind_of(trace_of(lines)) is Kind.LINES
    assert kind_of(trace_of(np.zeros(1440))) is Kind.MINUTES


def test_gaps_do_not_hide_how_a_trace_was_measured() -> None:
    """A missing hour is neither a change nor a bend."""
    demand = np.repeat(noise(288, 0.2), 5)
    demand[600:661] = np.nan
    assert kind_of(trace_of(demand)) is Kind.FIVES


# --- what is told ----------------------------------------------------------------------------------------------------


def test_the_page_tells_every_aim_and_every_trace() -> None:
    """With its worst trace, and a dash where a policy does not get there."""
    weak = swept("weak", {CRON_TABLE: (point(0.2, 3.0, setting=0.95),)})
    found = tables([swept("strong"), weak], held_back=False)
    run = Run(traces=2, days=14, asked=(0.01, 0.1), machine=Machine("a processor", 2, "3.11", "2", 0.1), minutes=3)
    page = markdown(run, found)
    assert [aim.name for aim in AIMS if aim.name not in page] == []
    assert "objective `spillover`, 1%, 10%;" in page
    each = next(table for table in found if table.title == "Trace by trace")
    assert [row[:5] for row in each.rows] == [
        ("strong", "7.0", "0.80", "0.50", "0.80"),
        ("weak", "7.0", "0.80", "0.50", "-"),
    ]


def test_tables_stand_straight_in_a_terminal() -> None:
    """All lines of a table are equally long."""
    for table in tables([swept()], held_back=True):
        lines = [line for line in section(table).splitlines() if line.startswith("|")]
        assert len({len(line) for line in lines}) == 1


def test_ratios_near_one_have_a_third_digit() -> None:
    """1.004 is not 1.00 where 1.005 is the limit."""
    assert [ratio(value) for value in (0.5, 1.004, 1.5, math.nan)] == ["0.50", "1.004", "1.50", "-"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one short trace, and a file that is none."""
    at = minutes(MONDAY, 6 / 24)
    rows = zip(at.tolist(), office(at, ZoneInfo("Asia/Tokyo")) * noise(len(at), 0.1), strict=True)
    text = "timestamp,concurrency\n" + "".join(f"{stamp(minute)},{demand:.4f}\n" for minute, demand in rows)
    (tmp_path / "short.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "profiles.csv").write_text("hour,mean\n", encoding="utf-8")
    return tmp_path


def test_the_command_sweeps_writes_and_draws(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Six hours of one trace, from the file to page and picture; what is printed is what is written."""
    out = folder / "out"
    assert main([str(folder), "--objectives", "1", "10", "--processes", "1", "--write", str(out)]) == 0
    page = (out / "benchmark-traces.md").read_text(encoding="utf-8")
    printed = capfd.readouterr()
    assert "1 of 1: short" in printed.err
    assert page[page.index("## Aims") :].strip() in printed.out
    assert (out / "frontiers.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--objectives", "2"], "1 must be among them"),
        (["--only", "shrot"], "no shrot among short"),
        (["--only", "short", "--write"], "name another folder"),
    ],
)
def test_wrong_usage_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    """Before anything is swept."""
    with pytest.raises(SystemExit):
        main([str(folder), *arguments])
    assert told in capsys.readouterr().err
