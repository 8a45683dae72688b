"""The installation's secret: one value from the first start, and the keys derived from it.

It comes from the setting `secret`, else from the file `secret` (mode 0600) in the data folder,
which is made at the first start. Key hashes and links each use a key of their own, derived by
label, and a fingerprint in the database refuses a start with another secret: every key would be
unknown.
"""

import hmac
import os
import secrets
from pathlib import Path

from ordu.settings import ServerSettings, SettingError
from ordu.store import facts
from ordu.store.database import Transaction

FILE_NAME = "secret"
KEY_SCHEME = "h1:"
FINGERPRINT = "secret fingerprint"  # the fact


class Secret:
    """The secret, used only to derive keys."""

    def __init__(self, text: str) -> None:
        self.text = text.encode()
        self.hashing_key = self.key("api keys")  # derived once: every call hashes a key

    def key(self, label: str) -> bytes:
        """The key for one purpose."""
        return hmac.digest(self.text, label.encode(), "sha256")

    def hash_of(self, api_key: str) -> str:
        """How an API key is stored; the prefix names the scheme."""
        digest = hmac.digest(self.hashing_key, api_key.encode(), "sha256")
        return KEY_SCHEME + digest.hex()

    def fingerprint(self) -> str:
        """What the database remembers of the secret."""
        return self.key("fingerprint").hex()[:32]


def read_secret(settings: ServerSettings) -> Secret:
    """The secret of this installation; made now when there is none."""
    if settings.secret:
        return Secret(settings.secret)
    path = Path(settings.data) / FILE_NAME
    if not path.exists():
        make_secret(path)
    text = path.read_text(encoding="utf-8").strip()
    if not text:
        raise SettingError(f"The file {path} is empty; it must hold the installation's secret.")
    return Secret(text)


def make_secret(path: Path) -> None:
    """Write a new secret that only its owner may read; whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def check_fingerprint(tx: Transaction, secret: Secret) -> None:
    """Refuse a secret that is not the one this database was made with."""
    known = facts.get(tx, FINGERPRINT)
    if known is None:
        facts.add(tx, FINGERPRINT, secret.fingerprint())
    elif known != secret.fingerprint():
        raise SettingError(
            "The secret is not the one this database was made with: set ORDU_SECRET, or the file "
            f"`{FILE_NAME}` in the data folder, to the one of the backup or the other machine."
        )
