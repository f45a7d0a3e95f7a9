"""`python -m localaws`: the local AWS as a process, until it is interrupted.

On standard output one JSON line for programs, on standard error the environment variables for people to export.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

from localaws.faults import RateLimit
from localaws.seed import plant
from localaws.server import LocalAws
from scanning.account import prepare_account

VERDICTS = "verdicts"
"""The seed that is an account with a function for every verdict of a scan."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; prints the endpoint as one JSON line once it answers."""
    given = _parser().parse_args(arguments)
    aws = LocalAws(
        given.now,
        account=given.account,
        region=given.region,
        rate_limit=given.rate_limit,
        host=given.host,
        port=given.port,
    )
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with aws:
        _plant(aws, given.seed)
        for name, value in aws.environment().items():
            sys.stderr.write(f"export {name}={value}\n")
        sys.stdout.write(json.dumps({"endpoint_url": aws.endpoint_url, "now": aws.now().isoformat()}) + "\n")
        sys.stdout.flush()
        stopped.wait()
    return 0


def _plant(aws: LocalAws, seed: str) -> None:
    if seed == VERDICTS:
        prepare_account(aws, now=aws.now())
    elif seed:
        plant(aws, json.loads(Path(seed).read_text(encoding="utf-8")))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localaws", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument(
        "--port", type=int, default=4566, help="port to listen on, 0 for a free one (default %(default)s)"
    )
    parser.add_argument("--account", default="123456789012", help="account of callers that name none")
    parser.add_argument("--region", default="us-east-1", help="Region of callers that name none")
    parser.add_argument("--now", type=datetime.fromisoformat, help="drive the clock from this instant, with an offset")
    parser.add_argument(
        "--rate-limit", type=RateLimit, choices=list(RateLimit), help="the clock of Lambda's rate limit"
    )
    parser.add_argument(
        "--seed",
        default="",
        help=f"JSON file of what to create at first (see README.md), or `{VERDICTS}`: an account to try a scan on",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
