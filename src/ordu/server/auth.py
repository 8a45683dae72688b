"""Who is calling: from the header `apikey` to a user."""

import hashlib
import re
import secrets

from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.protocol.operations import Key, Operation
from ordu.rules.money import ANONYMOUS
from ordu.rules.names import ANONYMOUS_KEY
from ordu.server.secret import Secret
from ordu.store import users
from ordu.store.users import User

KEY_LENGTH_MAX = 100
SALT = secrets.token_bytes(32)  # of the names by which callers are remembered in this process
NOBODY = b""  # the name of those without a key of their own
SHARED_KEY = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


async def identify(
    horde: Horde, secret: Secret, api_key: str | None, operation: Operation
) -> User | None:
    """The user of this key; None where none was given and none is needed.

    Raises:
        Refused: InvalidAPIKey (or what the row says), or NotImplemented for a shared key.
    """
    need = operation.key
    if need is Key.NONE or (not api_key and need is Key.OPTIONAL):
        return None
    if not api_key:
        raise Refused(
            "InvalidAPIKey",
            "The header `apikey` is missing. Send your key in it, or 0000000000 to be anonymous.",
        )
    if api_key == ANONYMOUS_KEY:
        return await anonymous(horde)
    if SHARED_KEY.fullmatch(api_key):
        raise Refused("NotImplemented", "This horde does not serve shared keys yet. Use your own.")
    user = await find(horde, secret, api_key)
    if user is None:
        raise Refused(
            operation.unknown_key,
            "This horde does not know that key. A key has 22 characters; "
            f"yours has {len(api_key)}.",
        )
    return user


async def find(horde: Horde, secret: Secret, api_key: str) -> User | None:
    """The user of this key, the account's own or a browser's, if there is one.

    Keys are compared by their hash only.
    """
    if len(api_key) > KEY_LENGTH_MAX:
        return None
    now = horde.now()
    caller = hashlib.blake2b(api_key.encode(), key=SALT, digest_size=16).digest()
    user = horde.known.users.get(caller, now)
    if user is None:
        key_hash = secret.hash_of(api_key)
        user = await horde.read(lambda tx: users.by_key_hash(tx, key_hash, now))
        if user is not None:
            horde.known.remember_user(caller, user, now)
    return user


async def anonymous(horde: Horde) -> User:
    """The user whom everybody without a key of their own shares."""
    if not horde.settings.anonymous:
        raise Refused(
            "AnonymousOff",
            "This horde takes no anonymous requests. Register to get a key of your own.",
        )
    now = horde.now()
    user = horde.known.users.get(NOBODY, now)
    if user is None:
        user = await horde.read(lambda tx: users.by_id(tx, ANONYMOUS))
        assert user is not None, "the anonymous user is made at the first start"
        horde.known.remember_user(NOBODY, user, now)
    return user
