"""Settings: what the stack tells the function through its environment, checked once. Reads only the mapping given.

`template.yaml` declares every variable; `docs/deploy.md` says what each parameter is for.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - beside pydantic's own run-time imports
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from warmcast.errors import WarmcastError
from warmcast.model import Budget, Rhythm


class SettingsError(WarmcastError):
    """The environment can't be used; the message names each variable, its rule and its value."""


def _none_if(word: str) -> BeforeValidator:
    """Read one word as "not set"."""
    return BeforeValidator(lambda value: None if value == word else value)


def _inside_package(folder: Path) -> Path:
    if folder.is_absolute() or ".." in folder.parts:
        raise ValueError("must be a folder inside the package")
    return folder


Url = Annotated[str, Field(pattern="^https?://")]
Units = Annotated[int, Field(ge=0)]
Usd = Annotated[float, Field(ge=0)]


class Settings(BaseModel):
    """The function's settings, frozen.

    Args:
        region: where the function runs, from Lambda itself.
        own_function: the function's own name, from Lambda itself; empty elsewhere.
        endpoint_url: another AWS than AWS's own; None for AWS.
        account: the account it runs in, 12 digits.
        table: name of the control table.
        fleet: folder of the policy files, relative to the package's root.
        fleet_version: empty where the stack names none.
        function_pattern: names of functions that it may touch, with the wildcards `*` and `?`.
        rate_minutes: minutes between two ticks.
        units: most provisioned concurrency over all targets; None for no limit.
        usd_per_hour: most that all of it may cost; None for no limit.
        headroom: unreserved concurrency kept free.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    region: Annotated[str, Field(alias="AWS_REGION", min_length=1)]
    own_function: Annotated[str, Field(alias="AWS_LAMBDA_FUNCTION_NAME")] = ""
    endpoint_url: Annotated[Url | None, _none_if(""), Field(alias="AWS_ENDPOINT_URL")] = None
    account: Annotated[str, Field(alias="WARMCAST_ACCOUNT", pattern="^[0-9]{12}$")]
    table: Annotated[str, Field(alias="WARMCAST_TABLE", min_length=1)]
    fleet: Annotated[Path, AfterValidator(_inside_package), Field(alias="WARMCAST_FLEET")] = Path("fleet")
    fleet_version: Annotated[str, Field(alias="WARMCAST_FLEET_VERSION")] = ""
    function_pattern: Annotated[str, Field(alias="WARMCAST_FUNCTION_PATTERN", pattern=r"^[A-Za-z0-9_*?-]+$")] = "*"
    rate_minutes: Annotated[int, Field(alias="WARMCAST_RATE_MINUTES", ge=1, le=15)] = 5
    units: Annotated[Units | None, _none_if("none"), Field(alias="WARMCAST_BUDGET_UNITS")] = None
    usd_per_hour: Annotated[Usd | None, _none_if("none"), Field(alias="WARMCAST_BUDGET_USD_PER_HOUR")] = None
    headroom: Annotated[Units, Field(alias="WARMCAST_BUDGET_HEADROOM")] = 100

    @property
    def budget(self) -> Budget:
        """What the account's owner lets Warmcast use."""
        return Budget(units=self.units, usd_per_hour=self.usd_per_hour, headroom=self.headroom)

    @property
    def rhythm(self) -> Rhythm:
        """How often a tick comes."""
        return Rhythm(tick=timedelta(minutes=self.rate_minutes))


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; SettingsError names every variable that is wrong."""
    try:
        return Settings.model_validate(dict(environment))
    except ValidationError as error:
        raise SettingsError(f"the function's environment can't be used: {in_words(error)}") from None


def in_words(error: ValidationError) -> str:
    """What pydantic found wrong: each key with its rule and its value."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'it'}: {problem['msg']}"
        + ("" if problem["type"] == "missing" else f", not {problem['input']!r}")
        for problem in error.errors(include_url=False, include_context=False)
    )
