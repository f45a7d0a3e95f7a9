"""What AWS's refusal of a read means, and how to mend it, in words. Pure.

The codes are families: each service spells the same refusal in its own way.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from warmcast.permissions import action_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.errors import AwsError

THROTTLED: Final = (
    "TooManyRequestsException",
    "ThrottlingException",
    "Throttling",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "SlowDown",
    "429",
)
NEVER_SENT: Final = (
    "ConnectTimeoutError",
    "EndpointConnectionError",
    "ProxyConnectionError",
    "SSLError",
)
DENIED: Final = ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "NotAuthorized", "Forbidden", "403")
NO_IDENTITY: Final = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "TokenRetrievalError",
    "SSOTokenLoadError",
    "UnauthorizedSSOTokenError",
    "ExpiredToken",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "IncompleteSignature",
    "OptInRequired",
    "RequestExpired",
)
_EXPIRED: Final = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_SIGNED_OUT: Final = ("TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError")
_NO_CREDENTIALS: Final = ("NoCredentialsError", "PartialCredentialsError")
_NOT_VALID_HERE: Final = ("UnrecognizedClientException", "InvalidClientTokenId", "OptInRequired")
_SIGNATURE: Final = ("InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature")
_REGION: Final = ("InvalidRegionError", "NoRegionError", "UnknownRegionError")


class Refusal(StrEnum):
    """Why a read came to nothing, as far as a person can act on it."""

    DENIED = "denied"
    IDENTITY = "identity"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    SETTINGS = "settings"
    OTHER = "other"


_KINDS: Final[Mapping[str, Refusal]] = {
    **dict.fromkeys(DENIED, Refusal.DENIED),
    **dict.fromkeys(NO_IDENTITY, Refusal.IDENTITY),
    **dict.fromkeys(THROTTLED, Refusal.THROTTLED),
    **dict.fromkeys((*NEVER_SENT, "ReadTimeoutError", "ConnectionClosedError"), Refusal.UNREACHABLE),
    **dict.fromkeys((*_REGION, "ProfileNotFound", "ConfigParseError", "ConfigNotFound"), Refusal.SETTINGS),
}


def refusal_of(error: AwsError) -> Refusal:
    """What kind of refusal it is; a code that is not known is `other`."""
    return _KINDS.get(error.code, Refusal.OTHER)


def fix_of(error: AwsError, *, profile: str = "", region: str = "") -> str:
    """What to do about a refused read: an IAM action to allow, or a command; empty where there is no advice."""
    match refusal_of(error):
        case Refusal.DENIED:
            return f"allow {action_of(error.operation)} (`warmcast iam scan` prints the whole policy)"
        case Refusal.IDENTITY:
            return _mend_identity(error.code, profile, region)
        case Refusal.THROTTLED:
            return "others use up AWS's request rate: try again later"
        case Refusal.UNREACHABLE:
            return f"check the network, its proxy, and whether {region or 'the Region'} is the name of a Region"
        case Refusal.SETTINGS:
            return _mend_settings(error.code)
        case Refusal.OTHER:
            return ""


def _mend_identity(code: str, profile: str, region: str) -> str:
    option = f" --profile {profile}" if profile else ""
    if code in _NO_CREDENTIALS:
        return (
            "no credentials were found: `aws configure sso` makes a profile to name with --profile; or set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if code in _SIGNED_OUT:
        return f"sign in again: `aws sso login{option}`"
    if code in _EXPIRED:
        return f"the credentials have expired: `aws sso login{option}`, or take new ones"
    if code in _NOT_VALID_HERE:
        return (
            f"the credentials are not valid in {region or 'this Region'}: take current ones, or enable the Region "
            f"(`aws account enable-region --region-name {region or 'REGION'}`) if it is one that has to be"
        )
    if code in _SIGNATURE:
        return "the secret key does not fit the key's id, or this machine's clock is wrong"
    return f"see who you are: `aws sts get-caller-identity{option}`"


def _mend_settings(code: str) -> str:
    if code == "ProfileNotFound":
        return "`aws configure list-profiles` names the profiles there are"
    if code in _REGION:
        return "pass --region, such as eu-west-1, or set AWS_REGION"
    return "mend the AWS configuration file (`aws configure`)"
