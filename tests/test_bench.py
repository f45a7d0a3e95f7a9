"""The bench's own arithmetic, and a tiny run of its parts: what it prints must be what was counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench import day, decisions, package, ticks
from bench.bill import Function, costs, latency_s, stack_usd, tick_s
from bench.cloud import QuickMetrics, World, load
from bench.day import Usage
from bench.dynamo import Dynamo, item_bytes
from bench.figures import MOST_THINK_MS, Figure, Measured, figures
from bench.forecasts.race import Race
from bench.machine import Machine, peak_mb
from bench.over_http import HttpMeasured
from bench.package import Imported, Package
from bench.population import START_S, SUNDAY, WEDNESDAY, Character, populate
from bench.stage import TICK, HurriedClock, Stage, Ticked
from bench.tables import markdown, number, tables
from warmcast.aws.metrics import Answer, Grid
from warmcast.aws.wire import CallCounter, Pace
from warmcast.model import TickReport
from warmcast.observe.history import Measure
from warmcast.observe.polling import query_of
from warmcast.report import metrics

if TYPE_CHECKING:
    from pathlib import Path

    from bench.population import Member
    from warmcast.model import FloatArray

FUNCTION = Function(memory_mb=1024, architecture="arm64")


@pytest.fixture(scope="module")
def ticked() -> list[Ticked]:
    """Three ticks over ten targets on a working morning."""
    stage = Stage(populate(10), HurriedClock(ticks.COLD_AT))
    return [stage.tick(ticks.COLD_AT + n * TICK) for n in range(3)]


def tick(**changes: object) -> Ticked:
    """A tick in which nothing happened, but for these."""
    nothing = Ticked(
        cpu_s=0.0,
        waited_s=0.0,
        calls={},
        asked=(),
        series=0,
        log_bytes=0,
        written_units=0,
        read_units=0,
        deferred=0,
        written_to=frozenset(),
        learned=0,
    )
    return replace(nothing, **changes)  # type: ignore[arg-type] # the fields of a tick


# --- the fleet that is measured --------------------------------------------------------------------------------------


def test_of_ten_targets_four_work_always_four_in_office_hours_two_now_and_then() -> None:
    """The mix that the page names, in any ten neighbours."""
    assert Counter(member.character for member in populate(10)) == {
        Character.ALWAYS: 4,
        Character.OFFICE: 4,
        Character.RARE: 2,
    }


def test_a_smaller_fleet_is_the_beginning_of_a_larger_one() -> None:
    """So a figure per target means the same at both sizes."""
    small, large = populate(3), populate(20)[:3]
    assert [(each.target, each.mean_demand) for each in small] == [(each.target, each.mean_demand) for each in large]


def test_office_targets_rest_at_night_and_on_sundays() -> None:
    """From 8 to 19 on working days there are invocations; at night and on a Sunday there are none."""
    office = next(member for member in populate(10) if member.character is Character.OFFICE)
    assert hour(office, 10).all()
    assert not hour(office, 3).any()
    assert not hour(office, 10 + 24 * (SUNDAY - WEDNESDAY).days).any()


def hour(member: Member, of_wednesday: int) -> FloatArray:
    """Invocations of each minute of an hour, counted from Wednesday's midnight."""
    start = int(WEDNESDAY.timestamp()) + 3600 * of_wednesday
    return load(member, start, start + 3600)


# --- the fake AWS ----------------------------------------------------------------------------------------------------


@pytest.fixture
def world() -> World:
    """Ten functions at ten on Wednesday."""
    members = {member.target.function: member for member in populate(10)}
    clock = HurriedClock(WEDNESDAY + timedelta(hours=10))
    return World(members, CallCounter(), Pace(clock), clock.now())


def read(world: World, member: Member, measure: Measure, grid: Grid) -> FloatArray:
    """What the fake CloudWatch answers to one query."""
    (answer,) = QuickMetrics(world).read([query_of(member.target, measure)], grid)
    assert isinstance(answer, Answer)
    return answer.values


def test_five_minutes_are_the_sum_of_their_minutes_and_the_highest_peak(world: World) -> None:
    """The fake joins minutes to longer steps as CloudWatch does; idle steps have no datapoint."""
    end = int(world.now.timestamp()) - 600
    minutes, fives = Grid(end - 7200, end, 60), Grid(end - 7200, end, 300)
    for member in list(world.members.values()):
        for measure, join in ((Measure.ARRIVALS, np.nansum), (Measure.PEAK, np.nanmax)):
            rows = read(world, member, measure, minutes).reshape(-1, 5)
            busy = ~np.isnan(rows).all(axis=1)
            joined = read(world, member, measure, fives)
            assert (np.isnan(joined) == ~busy).all()
            assert joined[busy] == pytest.approx(join(rows[busy], axis=1))


def test_the_last_minutes_are_not_there_yet(world: World) -> None:
    """At 10:00 the newest minute is the one that began at 9:58."""
    member = next(each for each in world.members.values() if each.mean_demand > 1)
    now = int(world.now.timestamp())
    known = ~np.isnan(read(world, member, Measure.WORK, Grid(now - 300, now, 60)))
    assert known.tolist() == [True, True, True, True, False]


def test_requests_are_counted_in_calls_and_series(world: World) -> None:
    """600 queries over 15 minutes are two calls, for one takes 500; each query is a metric that AWS charges."""
    reads = QuickMetrics(world)
    member = next(iter(world.members.values()))
    end = int(world.now.timestamp()) - 600
    reads.read([query_of(member.target, Measure.WORK)] * 600, Grid(end - 900, end, 60))
    assert reads.requested == 600
    assert world.calls.counts == {"cloudwatch.GetMetricData": 2}


# --- DynamoDB --------------------------------------------------------------------------------------------------------


def test_an_item_is_as_large_as_its_names_and_values() -> None:
    """Keys, a five-digit number and a flag: 2 + 7 + 2 + 1 + 1 + (3 + 1) + 1 + 1 bytes."""
    assert item_bytes({"pk": {"S": "control"}, "sk": {"S": "a"}, "n": {"N": "12345"}, "b": {"BOOL": True}}) == 19


def test_writes_cost_a_unit_per_kilobyte_and_reads_one_per_four() -> None:
    """An item of 1,500 bytes takes 2 units to write; three of them are read back with 2 units, 4,503 bytes."""
    dynamo = Dynamo(CallCounter())
    for n in range(3):
        item = {"pk": {"S": "control"}, "sk": {"S": f"{n}"}, "x": {"S": "x" * 1487}}
        dynamo.put_item(TableName="t", Item=item)  # type: ignore[arg-type] # a plain dict for boto3's type
    assert dynamo.written_units == 6
    (page,) = dynamo.paginate(ExpressionAttributeValues={":control": {"S": "control"}})
    assert (len(page["Items"]), dynamo.read_units) == (3, 2)


# --- counting --------------------------------------------------------------------------------------------------------


def test_calls_about_unchanged_targets_leave_out_what_was_written_now_or_a_tick_ago() -> None:
    """Of four targets a changes now and b changed before: c's alias, d's list and the account count, 3 over 2."""
    calls = {"a": "GetAlias", "b": "ListProvisionedConcurrencyConfigs", "c": "GetAlias", "": "GetAccountSettings"}
    asked = [(name, f"lambda.{operation}") for name, operation in calls.items()]
    asked += [("d", "lambda.GetFunction"), ("d", "lambda.ListProvisionedConcurrencyConfigs")]
    usage = Usage(targets=4)
    usage.add_unchanged(tick(asked=tuple(asked), written_to=frozenset({"a"})), before=tick(written_to=frozenset({"b"})))
    assert (usage.unchanged, usage.unchanged_calls, usage.calls_per_unchanged) == (2, 3, 1.5)


def test_a_week_is_five_working_days_and_two_days_off() -> None:
    """Totals add up by how often each day comes."""
    work, off = Usage(10), Usage(10)
    work.add(tick(series=30, calls={"x": 2}))
    off.add(tick(series=10, calls={"x": 1}))
    week = day.weigh({"work": work, "off": off}, {"work": 5, "off": 2})
    assert (week.targets, week.ticks, week.series, week.calls["x"]) == (10, 7, 170, 12)


# --- the bill --------------------------------------------------------------------------------------------------------


def busy_tick() -> Usage:
    """One tick of ten targets: 12 series, 5 write and 8 read units, 9 KB of log, 0.5 s, 4 s held back."""
    usage = Usage(targets=10)
    usage.add(tick(series=12, written_units=5, read_units=8, log_bytes=9000, cpu_s=0.5, waited_s=4.0))
    return usage


def test_the_bill_is_what_was_counted_times_the_list_prices() -> None:
    """8,760 ticks a month: series at $0.01 per 1,000, units at $0.625 and $0.125 per million, logs at $0.50 per GB."""
    usd = {cost.name: cost.usd for cost in costs(busy_tick(), FUNCTION)}
    assert usd["CloudWatch metrics read"] == pytest.approx(1.2 * 8760 * 1e-5)
    assert usd["control table"] == pytest.approx((0.5 * 0.625e-6 + 0.8 * 0.125e-6) * 8760)
    assert usd["log"] == pytest.approx(900 * 8760 / 1e9 * 0.5)
    gb_s = (0.5 * 1769 / 1024 + 4.0) * 8760
    assert usd["the function itself"] == pytest.approx((gb_s * 0.0000133334 + 8760 * 0.2e-6) / 10, rel=1e-3)


def test_decision_records_are_paid_for_while_they_are_kept() -> None:
    """1 GB written in a tick by one target is 8,760 GB a month, of which 30 days' worth lies there: $0.25 a GB."""
    usage = Usage(targets=1, record_bytes=10**9)
    usage.add(tick())
    table = next(cost for cost in costs(usage, FUNCTION) if cost.name == "control table")
    assert table.usd == pytest.approx(8760 * 30 / (730 / 24) * 0.25)


def test_a_tick_lasts_for_its_work_its_turns_and_aws() -> None:
    """0.5 s of work on 1024/1769 of a core, 4 s held back; two GetMetricData of a second, ten writes of 10 ms."""
    assert tick_s(busy_tick(), FUNCTION) == pytest.approx(0.5 * 1769 / 1024 + 4.0)
    calls = Counter({"cloudwatch.GetMetricData": 2, "dynamodb.PutItem": 10, "lambda.GetAlias": 7})
    assert latency_s(calls) == pytest.approx(2.1)


def test_alarms_and_metrics_are_the_stacks_own() -> None:
    """Six alarms at $0.10 and eight metrics at $0.30 are $3 a month."""
    assert stack_usd(6, len(metrics(TickReport(at=WEDNESDAY, fleet_version="")))) == pytest.approx(3.0)


# --- a tiny run ------------------------------------------------------------------------------------------------------


def test_a_tick_over_the_fake_is_a_whole_tick(ticked: list[Ticked]) -> None:
    """The first reads every target's series, weeks and state, learns them all, logs and locks; later ones read less."""
    first, later = ticked[0], ticked[-1]
    assert first.learned == 10
    assert first.series == 10 * (5 + 4) + 2
    assert first.calls["lambda.GetFunction"] >= 20
    assert first.calls["dynamodb.PutItem"] >= 1
    assert first.log_bytes > 10 * 400
    assert 4 <= later.series < first.series  # four work round the clock
    assert later.cpu_s > 0


def test_a_new_environment_reads_everything_again() -> None:
    """What a restart costs is in the day: weeks of all targets once more."""
    one = day.measure(4, WEDNESDAY, ticks=2)
    assert one.ticks == 2
    assert one.series >= 4 * (5 + 4)


def test_decisions_are_timed_at_each_demand() -> None:
    """One entry per demand, with times that are not nothing."""
    (found,) = decisions.measure(1, demands=(10,))
    assert found.demand == 10
    assert found.think_ms > 0
    assert found.learn_ms > 0


def test_a_package_is_weighed_without_bytecode(tmp_path: Path) -> None:
    """Folders by size, metadata only in the total."""
    for name, size in {
        "big/a.py": 3000,
        "big/__pycache__/a.pyc": 9000,
        "small.py": 1000,
        "x.dist-info/RECORD": 500,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    weighed = package.weigh(tmp_path, "a test")
    assert weighed.mb == pytest.approx(0.0045)
    assert weighed.parts == (("big", 0.003), ("small.py", 0.001))


def test_peak_memory_is_that_of_this_process() -> None:
    """In MB (an interpreter with numpy has some tens of them), and it never falls."""
    before = peak_mb()
    assert 20 < before < 20_000
    assert peak_mb() >= before


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(ticked: list[Ticked]) -> Measured:
    """A run as it might have been."""
    usage = busy_tick()
    usage.add_unchanged(tick(asked=(("a", "lambda.GetAlias"),)), before=tick())
    return Measured(
        machine=Machine("a processor", 2, "3.13.1", "2.4.6", 0.05),
        ticks=ticks.TicksMeasured(
            1000, ticked[0], 10, (1.0, 1.2, 1.1), {"dynamodb.PutItem": 3.0}, 60.0, 50.0, 7.0, 280.0
        ),
        http=HttpMeasured(1000, 6.0, (2.0, 2.1), 600, 580.0, 300.0),
        week=usage,
        function=FUNCTION,
        alarms=6,
        fleet_metrics=8,
        thoughts=[decisions.Thought(10, 1.5, 8.0), decisions.Thought(10_000, 2.5, 8.0)],
        race=Race(warmcast_s=0.01, peer_s=1.0),
        imported=Imported(0.4, 0.2),
        package=Package(70.0, "a test", (("numpy", 50.0),)),
    )


def test_every_aim_of_the_project_is_on_the_page(run: Measured) -> None:
    """Time, memory, calls, cold start, cost, import, package, decision: the bounds as they were set."""
    bounds = {each.name: each.most for each in figures(run)}
    assert bounds == {
        "warm tick, processor time": 5.0,
        "peak memory": 512.0,
        "control-plane calls per unchanged target and tick": 0.05,
        "first tick of a cold environment": 60.0,
        "own cost per target and month": 0.10,
        "importing the handler": 1.0,
        "unzipped package": 100.0,
        "a decision at a demand of 10": 2.0,
        "a decision at a demand of 10,000": 2.0,
        "learning and forecasting / AutoETS on the same series": 0.02,
    }


def test_a_missed_aim_says_no(run: Measured) -> None:
    """2.5 ms where 2 were aimed at; what could not be measured is not met either."""
    slow = next(each for each in figures(run) if each.found == 2.5)
    assert not slow.met
    assert "| a decision at a demand of 10,000 | 2.00 ms | 2.50 ms | no |" in markdown(run)
    assert not Figure("x", MOST_THINK_MS, None, "ms", "").met
    assert "| not measured | no |" in markdown(replace(run, package=None))
    assert "| 0.0200 | not measured | no | its environment is missing: `make peers` |" in markdown(
        replace(run, race=None)
    )


def test_the_page_holds_every_table(run: Measured) -> None:
    """Each table is a section of well-formed rows, and the machine is named."""
    page = markdown(run)
    assert "a processor, 2 cores, Python 3.13.1, numpy 2.4.6" in page
    for table in tables(run):
        assert f"## {table.title}\n" in page
        assert {len(row) for row in table.rows} <= {len(table.columns)}


def test_the_page_in_the_repository_is_of_this_bench(run: Measured) -> None:
    """`--write` was run since a table or an aim was added."""
    written = (package.ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")
    for table in tables(run):
        assert f"## {table.title}\n" in written
        assert f"| {' | '.join(table.columns)} |" in written
    for each in figures(run):
        assert f"| {each.name} | {number(each.most)}" in written


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (None, "not measured"), (0.0461, "0.0461"), (1.234, "1.23"), (62.5, "62.5"), (12_345.6, "12,346")],
)
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    """As many as a measurement is worth."""
    assert number(value) == text


def test_traffic_begins_long_enough_before_the_days_that_are_measured() -> None:
    """Two weeks and the ticks before midnight lie within it."""
    assert timedelta(days=14, hours=2).total_seconds() < WEDNESDAY.timestamp() - START_S
