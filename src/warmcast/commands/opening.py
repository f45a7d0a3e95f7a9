"""Opening one place for a command: a Region that there is, and AWS's refusals with what to do about them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from warmcast.aws.readers import connect, make_readers
from warmcast.aws.throttle import SystemClock
from warmcast.checkup import unknown_region
from warmcast.errors import AwsError, WarmcastError
from warmcast.refusals import fix_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warmcast.aws.readers import Readers


def refuse_unknown_region(*, profile: str | None, region: str | None) -> None:
    """Wrong usage where the SDK knows no such Region, with the names most like it; asks AWS nothing.

    A place that can't be opened at all, for want of a Region or a profile, is left to whoever opens it.
    """
    try:
        connection = connect(region=region, profile=profile, endpoint_url=None, clock=SystemClock())
    except WarmcastError:
        return
    known = connection.known_regions()
    if connection.region not in known:
        told = unknown_region(connection.region, known)
        raise click.BadParameter(f"{told.detail}: {told.fix}", param_hint="--region")


@contextmanager
def with_its_fix(*, profile: str | None, region: str | None) -> Iterator[None]:
    """Add to what AWS refuses how to mend it, where there is advice."""
    try:
        yield
    except AwsError as error:
        fix = fix_of(error, profile=profile or "", region=region or "")
        if not fix:
            raise
        raise WarmcastError(f"{error}; {fix}") from error


def open_one(*, profile: str | None, region: str | None, endpoint_url: str | None) -> Readers:
    """The readers of one account's Region.

    Raises:
        click.BadParameter: there is no such Region.
        WarmcastError: as `make_readers`.
    """
    refuse_unknown_region(profile=profile, region=region)
    return make_readers(region=region, profile=profile, endpoint_url=endpoint_url, clock=SystemClock())
