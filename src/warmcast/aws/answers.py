"""What AWS said, in our words: botocore's errors become `AwsError` here and nowhere else.

Every client of this package makes its calls inside `translated`. Touches nothing.
"""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from botocore import parsers
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from warmcast.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

UNREADABLE: Final = "UnreadableAnswer"


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Turn whatever botocore raises inside into an AwsError that names the operation.

    AWS's refusals keep AWS's code and words. Errors of the SDK itself (timeouts, no connection, no credentials,
    parameters that the model forbids) carry botocore's class name as their code; an answer that can't be read, such as
    a truncated body or a missing field, has the code `UnreadableAnswer`.
    """
    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        # A 5xx without a body has neither, and botocore then makes the code of the status: "503".
        raise AwsError(said.get("Code") or "Unknown", said.get("Message") or "(no message)", operation) from error
    except BotoCoreError as error:
        raise AwsError(type(error).__name__, str(error), operation) from error
    except (ResponseParserError, LookupError) as error:
        raise AwsError(UNREADABLE, f"{type(error).__name__}: {error}", operation) from error
    except (AttributeError, TypeError) as error:
        if not _tripped_the_parser(error):
            raise
        raise AwsError(UNREADABLE, f"{type(error).__name__}: {error}", operation) from error


def _tripped_the_parser(error: Exception) -> bool:
    """Whether it came out of botocore's parser, which so meets JSON of another shape; else it is a bug of ours."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == parsers.__name__ for frame, _ in frames)
