"""Regions: which there are for Lambda, of those that an account has without asking. Reads botocore's own lists only."""

from __future__ import annotations

from typing import Final

import boto3

from warmcast.aws.answers import translated
from warmcast.errors import WarmcastError

ENABLED_BY_DEFAULT: Final = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1"),
        *("ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2"),
    }
)
"""Of AWS's standard Regions, those that need no opting in (AWS account management guide, manage-acct-regions). Others
answer an account that has not opted in with an error about its credentials; name them with --region."""

STANDARD: Final = "aws"


def usual_region(profile: str | None) -> str:
    """The Region of a profile or the environment.

    Raises:
        WarmcastError: where there is none.
    """
    with translated("(session)"):
        region = boto3.Session(profile_name=profile).region_name
    if region is None:
        raise WarmcastError("no Region: set AWS_REGION, or one in the profile, or pass --region")
    return region


def default_regions(profile: str | None) -> tuple[str, ...]:
    """Every Region with Lambda that is enabled by default, of the partition that the profile's Region is in."""
    with translated("(session)"):
        session = boto3.Session(profile_name=profile)
        partition = session.get_partition_for_region(session.region_name) if session.region_name else STANDARD
        known = session.get_available_regions("lambda", partition_name=partition)
    return tuple(sorted(r for r in known if partition != STANDARD or r in ENABLED_BY_DEFAULT))
