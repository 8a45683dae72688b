"""`/api/v2/users/{id}/identities` and `/api/v2/sign_in`: signing in by OpenID Connect."""

from ordu.protocol.operations.row import (
    ALWAYS,
    X_FIELDS,
    Counts,
    Era,
    Key,
    Limit,
    Operation,
    api_key,
    in_path,
)
from ordu.protocol.sign_ins import IdentityBegun, IdentityInput, SignInMessage, UserIdentities

_USER_ID = in_path("user_id", "The number of the user")
_OWN_KEY = api_key("The user's own API key", required=True)
_REFUSALS = ALWAYS | {401: "Invalid API Key", 403: "Access Denied", 404: "Not Found"}
_LIMITS = (Limit(90, 60), Limit(60, 60, Counts.KEY))

get_user_identities = Operation(
    name="get_user_identities",
    method="GET",
    path="/api/v2/users/{user_id}/identities",
    summary="By which providers you can sign in",
    description="Nobody else can see it, moderators neither.",
    parameters=(_USER_ID, _OWN_KEY, X_FIELDS),
    reply=UserIdentities,
    status_text="Identities",
    refusals=_REFUSALS,
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=_LIMITS,
    rcs=("UserNotFound", "AnonForbidden", "NotOwner"),
)

post_user_identity = Operation(
    name="post_user_identity",
    method="POST",
    path="/api/v2/users/{user_id}/identities",
    summary="Begin to sign in by a provider from now on",
    description=(
        "For pages: the answer sets a cookie for ten minutes, so that only the browser which"
        " asked with the key can finish it, at the address in the answer. An account has one"
        " identity of each provider at most."
    ),
    parameters=(_USER_ID, _OWN_KEY, X_FIELDS),
    request=IdentityInput,
    reply=IdentityBegun,
    status_text="Go on at the provider",
    refusals=_REFUSALS,
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=(Limit(30, 60), Limit(10, 60, Counts.KEY)),
    rcs=(
        "UserNotFound",
        "AnonForbidden",
        "NotOwner",
        "DeletedUser",
        "ProviderNotFound",
        "ProviderUnavailable",
        "AlreadyLinked",
    ),
)

delete_user_identity = Operation(
    name="delete_user_identity",
    method="DELETE",
    path="/api/v2/users/{user_id}/identities/{identity_id}",
    summary="Sign in by this provider no more",
    description=(
        "Browsers that are signed in stay so. The last way into an account stays: make a key first."
    ),
    parameters=(_USER_ID, in_path("identity_id", "The id of the identity"), _OWN_KEY, X_FIELDS),
    reply=SignInMessage,
    status_text="Unlinked",
    refusals=_REFUSALS,
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=_LIMITS,
    rcs=("UserNotFound", "AnonForbidden", "NotOwner", "IdentityNotFound", "LastWayIn"),
)

delete_sign_in = Operation(
    name="delete_sign_in",
    method="DELETE",
    path="/api/v2/sign_in",
    summary="Sign out: the key that this call is made with ends",
    description=(
        "Only a browser's key, which came of signing in by a provider. An account's own key ends"
        " when it is replaced; that also ends those of all its browsers."
    ),
    parameters=(api_key("The key of the browser", required=True), X_FIELDS),
    reply=SignInMessage,
    status_text="Signed out",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied"},
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=_LIMITS,
    rcs=("AnonForbidden", "BadRequest"),
)
