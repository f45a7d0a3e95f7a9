"""The errors that Warmcast raises on purpose: each is told to a person, none is a bug of ours.

Whatever else escapes is a bug, and the entry points say so (exit code 3 on the command line).
"""

from __future__ import annotations


class WarmcastError(Exception):
    """Something that the user can mend; the message says what failed, why, and what to do."""


class FleetError(WarmcastError):
    """The policy files can't be used at all: none found, or none of them readable."""


class TraceError(WarmcastError):
    """A file of demand can't be replayed; the message is `file:line: error: column: rule and value`."""


class ScanFileError(WarmcastError):
    """A file of a scan can't be read as one; the message names file, key and rule."""


class PriceFileError(WarmcastError):
    """A file of prices can't be used; the message is `file:line: error: key: rule and value`, a line each."""


class HistoryError(WarmcastError):
    """CloudWatch's history of an alias does not suffice for a backtest; the message names the alias and what lacks."""


class AwsError(WarmcastError):
    """AWS refused or did not answer; carries AWS's own code, so that outcomes can name it.

    Args:
        code: AWS's error code, such as `ResourceConflictException`.
        message: AWS's own words.
        operation: the API operation, such as `PutProvisionedConcurrencyConfig`.
    """

    def __init__(self, code: str, message: str, operation: str) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.code = code
        self.message = message
        self.operation = operation
