"""moto's part: every service that we do not answer ourselves, in process, kept apart by account.

moto keeps its state per process; what is dropped here is only what belongs to one account.
"""

from __future__ import annotations

import sys

from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

_DEFAULT_ACCOUNT = "123456789012"


def application() -> DomainDispatcherApplication:
    """The WSGI application that is moto's own, for all of its services."""
    return DomainDispatcherApplication(create_backend_app)


def account_of(access_key: str, *, default: str) -> str:
    """Whose an access key is: twelve digits name the account; keys that moto's STS or IAM gave out are known to it."""
    if len(access_key) == 12 and access_key.isdigit():
        return access_key
    iam = sys.modules.get("moto.iam.models")  # only loaded once IAM or STS was asked for something
    known = str(iam.get_account_id_from(access_key)) if iam is not None else _DEFAULT_ACCOUNT
    return default if known == _DEFAULT_ACCOUNT else known


def drop_account(account: str) -> None:
    """Forget all that moto keeps of an account."""
    for backends in list(BackendDict._instances):  # type: ignore[misc] # moto's registry of all of its services
        if account in backends:
            backends[account].reset()
