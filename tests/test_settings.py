"""What the stack tells the function, and how a wrong variable is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from warmcast.model import Budget
from warmcast.settings import SettingsError, read_settings

LEAST = {"AWS_REGION": "eu-west-1", "WARMCAST_ACCOUNT": "123456789012", "WARMCAST_TABLE": "control"}


def test_what_is_not_said_has_the_templates_defaults() -> None:
    """Only the Region, the account and the table must be named."""
    settings = read_settings(LEAST)
    assert (settings.region, settings.account, settings.table) == ("eu-west-1", "123456789012", "control")
    assert (settings.fleet, settings.fleet_version, settings.endpoint_url) == (Path("fleet"), "", None)
    assert settings.rhythm.tick == timedelta(minutes=5)
    assert settings.budget == Budget(units=None, usd_per_hour=None, headroom=100)


def test_every_variable_is_read() -> None:
    """Each variable of the template reaches the setting that it is for."""
    settings = read_settings(
        LEAST
        | {
            "AWS_ENDPOINT_URL": "http://172.17.0.1:4566",
            "WARMCAST_FLEET": "fleet/shop",
            "WARMCAST_FLEET_VERSION": "4f1c2aa",
            "WARMCAST_FUNCTION_PATTERN": "shop-*",
            "WARMCAST_RATE_MINUTES": "10",
            "WARMCAST_BUDGET_UNITS": "250",
            "WARMCAST_BUDGET_USD_PER_HOUR": "3.5",
            "WARMCAST_BUDGET_HEADROOM": "40",
        }
    )
    assert settings.endpoint_url == "http://172.17.0.1:4566"
    assert (settings.fleet, settings.fleet_version) == (Path("fleet/shop"), "4f1c2aa")
    assert settings.function_pattern == "shop-*"
    assert settings.rhythm.tick == timedelta(minutes=10)
    assert settings.budget == Budget(units=250, usd_per_hour=3.5, headroom=40)


def test_an_empty_endpoint_means_aws() -> None:
    """The template declares the variable empty, so that `sam local` may fill it."""
    assert read_settings(LEAST | {"AWS_ENDPOINT_URL": ""}).endpoint_url is None


def test_none_means_no_limit_and_zero_means_nothing() -> None:
    """A budget of 0 units is a budget; only the word `none` lifts it."""
    budget = read_settings(LEAST | {"WARMCAST_BUDGET_UNITS": "0", "WARMCAST_BUDGET_USD_PER_HOUR": "none"}).budget
    assert budget == Budget(units=0, usd_per_hour=None, headroom=100)


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("AWS_ENDPOINT_URL", "localhost:4566", "^https?://"),
        ("AWS_REGION", "", "at least 1 character"),
        ("WARMCAST_ACCOUNT", "1234", "^[0-9]{12}$"),
        ("WARMCAST_TABLE", "", "at least 1 character"),
        ("WARMCAST_FLEET", "/etc", "inside the package"),
        ("WARMCAST_FLEET", "../fleet", "inside the package"),
        ("WARMCAST_FUNCTION_PATTERN", "shop-[ab]", "should match pattern"),
        ("WARMCAST_RATE_MINUTES", "0", "greater than or equal to 1"),
        ("WARMCAST_RATE_MINUTES", "five", "valid integer"),
        ("WARMCAST_BUDGET_UNITS", "-1", "greater than or equal to 0"),
        ("WARMCAST_BUDGET_UNITS", "many", "valid integer"),
        ("WARMCAST_BUDGET_USD_PER_HOUR", "nan", "greater than or equal to 0"),
        ("WARMCAST_BUDGET_HEADROOM", "none", "valid integer"),
    ],
)
def test_a_wrong_variable_is_named_with_its_rule_and_its_value(variable: str, value: str, rule: str) -> None:
    """Nobody has to guess which of a stack's parameters was meant."""
    with pytest.raises(SettingsError) as caught:
        read_settings(LEAST | {variable: value})
    message = str(caught.value)
    assert f"{variable}: " in message
    assert rule in message
    assert repr(value) in message


def test_all_wrong_variables_come_out_at_once() -> None:
    """One deploy is enough to learn of two mistakes."""
    with pytest.raises(SettingsError, match=r"WARMCAST_TABLE: Field required.*WARMCAST_RATE_MINUTES: .*'20'"):
        read_settings({"AWS_REGION": "eu-west-1", "WARMCAST_ACCOUNT": "123456789012", "WARMCAST_RATE_MINUTES": "20"})


def test_settings_do_not_change() -> None:
    """They are read once per environment and shared by all ticks."""
    settings = read_settings(LEAST)
    with pytest.raises(ValidationError, match="frozen"):
        settings.table = "other"  # type: ignore[misc] # the assignment that must fail
