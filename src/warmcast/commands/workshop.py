"""Fleet and clients for the commands that decide from a laptop, as the Lambda has them."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from warmcast.aws.session import make_clients, whoami
from warmcast.aws.throttle import SystemClock
from warmcast.commands.printing import print_findings
from warmcast.fleet import load_fleet
from warmcast.model import Budget, Rhythm
from warmcast.workshop import Workshop, assemble

if TYPE_CHECKING:
    from pathlib import Path

LAPTOP_TICK_S = 600.0


def workshop_of(  # noqa: PLR0913 - all that the commands ask for, by name
    fleet_path: Path,
    *,
    table: str,
    rate_minutes: int,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    targets: tuple[str, ...],
    budget: Budget | None = None,
) -> Workshop:
    """Load the fleet and make the clients, as the Lambda does."""
    home = whoami(profile=profile, region=region, endpoint_url=endpoint_url)
    fleet = load_fleet([fleet_path], home=home, version=_version())
    print_findings(fleet)
    strangers = set(targets) - {str(target) for target in fleet.policies}
    if strangers:
        raise click.UsageError(f"not in the fleet: {', '.join(sorted(strangers))}")
    chosen = {t: policy for t, policy in fleet.policies.items() if not targets or str(t) in targets}
    clients = make_clients(
        region=home.region,
        table_name=table,
        endpoint_url=endpoint_url,
        profile=profile,
        fleet_version=fleet.version,
        clock=SystemClock(),
    )
    kept = fleet if not targets else replace(fleet, policies=chosen)
    return assemble(
        kept,
        clients,
        rhythm=Rhythm(tick=timedelta(minutes=rate_minutes)),
        budget=budget or Budget(),
        clock=SystemClock(),
        one_shot=True,
    )


def _version() -> str:
    """What the environment says of it, as the stack does; empty: the fleet names itself by its content."""
    return os.environ.get("WARMCAST_FLEET_VERSION", "")
