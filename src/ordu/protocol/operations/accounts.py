"""`/api/v2/users`, `/api/v2/find_user` and `/register`: people and their keys (sheet 20)."""

import msgspec

from ordu.protocol.export import UserExport
from ordu.protocol.operations.row import (
    ALWAYS,
    IDEMPOTENCY_KEY,
    REASON,
    X_FIELDS,
    Counts,
    Era,
    Key,
    Limit,
    Nulls,
    Operation,
    api_key,
    in_path,
    in_query,
)
from ordu.protocol.registration import (
    Registered,
    RegistrationChallenge,
    RegistrationInput,
    ReplacedKey,
)
from ordu.protocol.users import DeletedUser, ModifyUser, PutUserSingleRequest, UserDetailsStable

_USER_ID = in_path("user_id", "The number of the user")
_LONG_KEY = msgspec.structs.replace(
    IDEMPOTENCY_KEY,
    description=(
        "A random text of at least 22 characters, which nobody else knows. The same again, with the"
        " same body and from the same address, gets the same account and its key for a day"
    ),
)

get_users = Operation(
    name="get_users",
    method="GET",
    path="/api/v2/users",
    summary="A List with the details and statistic of all registered users",
    description="25 users a page; an empty page is the end.",
    parameters=(
        X_FIELDS,
        in_query("page", "Which page, from 1", int),
        in_query(
            "sort",
            "The order: `kudos` (most first, the default), `age` (oldest first) or `month` (those"
            " whose workers earned most this month, and nobody else)",
        ),
        in_query(
            "name",
            "Only users whose names begin like this, in the order of names; a to z in either case",
        ),
    ),
    reply=list[UserDetailsStable],
    status_text="Users List",
    refusals=ALWAYS,
    rcs=("ValidationFailed",),
)

get_user_single = Operation(
    name="get_user_single",
    method="GET",
    path="/api/v2/users/{user_id}",
    summary="Details and statistics about a specific user",
    description="The user and moderators see more than others.",
    parameters=(_USER_ID, api_key("The Admin, Mod or Owner API key"), X_FIELDS),
    reply=UserDetailsStable,
    status_text="User Details",
    refusals=ALWAYS | {401: "Invalid API Key", 404: "User Not Found"},
    nulls=Nulls.SKIP,
    key=Key.OPTIONAL,
    limits=(Limit(60, 60, Counts.PATH),),
    rcs=("UserNotFound",),
)

put_user_single = Operation(
    name="put_user_single",
    method="PUT",
    path="/api/v2/users/{user_id}",
    summary="Endpoint for horde admins to perform operations on users",
    description=(
        "Users may change some things about themselves, moderators more, admins all. Everything is"
        " changed or nothing. The answer has what was changed."
    ),
    parameters=(_USER_ID, api_key("The Admin API key", required=True), X_FIELDS),
    request=PutUserSingleRequest,
    reply=ModifyUser,
    status_text="Modify User",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied", 404: "User Not Found"},
    nulls=Nulls.SKIP,
    key=Key.REQUIRED,
    limits=(Limit(60, 60, Counts.PATH),),
    rcs=(
        "UserNotFound",
        "NoUserModSelected",
        "NotAdmin",
        "NotModerator",
        "AnonForbiddenUserMod",
        "TooLongUserName",
        "BadRequest",
        "UserNotDeleted",
        "KudosTransferNotEnough",
        "NotImplemented",
    ),
)

delete_user_single = Operation(
    name="delete_user_single",
    method="DELETE",
    path="/api/v2/users/{user_id}",
    summary="Delete the account",
    description=(
        "A deleted account can do nothing, and can be restored for 30 days with `undelete`. Then it"
        " is wiped: name, key, contact and workers are gone for good. Only the user and moderators"
        " can do this, and never to a moderator."
    ),
    parameters=(_USER_ID, api_key("The Mod or Owner API key", required=True), X_FIELDS, REASON),
    reply=DeletedUser,
    status_text="Account Deleted",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied", 404: "User Not Found"},
    key=Key.REQUIRED,
    era=Era.TODAY,
    limits=(Limit(60, 60, Counts.PATH),),
    rcs=(
        "BadParameter",
        "UserNotFound",
        "AnonForbiddenUser",
        "CannotDeleteMod",
        "NotUserOrMod",
        "CannotWipeActiveUser",
    ),
)

post_user_key = Operation(
    name="post_user_key",
    method="POST",
    path="/api/v2/users/{user_id}/key",
    summary="Replace the key of a user",
    description=(
        "The new key is shown in this answer and never again; the one before stops at once. Users"
        " replace their own; a moderator replaces that of a person who lost it, and only the"
        " administrator that of a moderator."
    ),
    parameters=(
        _USER_ID,
        api_key("The user's own or a Mod API key", required=True),
        X_FIELDS,
        REASON,
    ),
    reply=ReplacedKey,
    status_text="The new key",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied", 404: "User Not Found"},
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=(Limit(30, 60), Limit(10, 60, Counts.KEY)),
    rcs=(
        "UserNotFound",
        "AnonForbiddenUser",
        "NotUserOrMod",
        "NotAdmin",
        "DeletedUser",
        "Forbidden",
        "BadParameter",
    ),
)

get_user_export = Operation(
    name="get_user_export",
    method="GET",
    path="/api/v2/users/{user_id}/export",
    summary="Everything the horde keeps of a user, as one document",
    description=(
        "The account, its workers, the requests that are still kept with what was asked for, every"
        " movement of its kudos, and the log of its webhooks. No keys, no secrets and no pictures:"
        " those are had at the request. Only the user gets it, and the administrator. It is sent"
        " piece by piece, so it takes no `X-Fields`."
    ),
    parameters=(_USER_ID, api_key("The user's own or the Admin API key", required=True)),
    reply=UserExport,
    status_text="The data of the user",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied", 404: "User Not Found"},
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=(Limit(10, 60), Limit(4, 60, Counts.KEY)),
    rcs=("UserNotFound", "AnonForbiddenUser", "NotAdmin"),
)

get_find_user = Operation(
    name="get_find_user",
    method="GET",
    path="/api/v2/find_user",
    summary="Lookup user details based on their API key",
    description="This can be used to verify a user exists",
    parameters=(api_key("User API key we're looking for"), X_FIELDS),
    reply=UserDetailsStable,
    status_text="User Details",
    refusals=ALWAYS | {401: "No API Key", 404: "User Not Found"},
    nulls=Nulls.SKIP,
    key=Key.REQUIRED,
    unknown_key="UserNotFound",
)

get_register_challenge = Operation(
    name="get_register_challenge",
    method="GET",
    path="/register/challenge",
    summary="What to solve before an account is made",
    description=(
        "A horde may ask for some seconds of your computer's time for each account. For every part"
        " from 0 to `parts` - 1 find a number for which the SHA-256 of the text"
        " `CHALLENGE.PART.NUMBER` begins with `bits` zero bits, and send challenge and numbers to"
        " `/register` as `work` before it expires. The client, `ordu worker join` and the web page"
        " do so by themselves. Where `parts` is 0 no work is asked for."
    ),
    reply=RegistrationChallenge,
    status_text="The challenge",
    refusals=ALWAYS,
    era=Era.ORDU,
)

post_register = Operation(
    name="post_register",
    method="POST",
    path="/register",
    summary="Get an account",
    description=(
        "The key is shown in this answer and never again, but to the same call with the same"
        " `Idempotency-Key` within a day. The web page sends a form here. Where the horde asks for"
        " work, `work` is what solves a challenge of `/register/challenge`."
    ),
    parameters=(_LONG_KEY,),
    request=RegistrationInput,
    reply=Registered,
    status_text="Registered",
    refusals=ALWAYS | {403: "Registration Closed"},
    era=Era.ORDU,
    limits=(
        Limit(10, 3600, setting="registrations_per_address"),
        Limit(50, 3600, Counts.NETWORK, setting="registrations_per_network"),
    ),
    rcs=(
        "RegistrationClosed",
        "WorkNeeded",
        "WorkNotAccepted",
        "TooLongUserName",
        "BadRequest",
        "IdempotencyKeyConflict",
    ),
)
