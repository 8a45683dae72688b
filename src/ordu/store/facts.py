"""Facts there is one of: modes of the horde, the fingerprint of its secret."""

from ordu.store.database import Transaction

BACKUP = "backup made"  # when `ordu backup` last made one, in milliseconds
MODES = ("maintenance_mode", "invite_only_mode", "raid_mode")


def get(tx: Transaction, name: str) -> str | None:
    """The value of a fact."""
    row = tx.one("SELECT value FROM facts WHERE name = :name", name=name)
    return None if row is None else str(row["value"])


def add(tx: Transaction, name: str, value: str) -> None:
    """Set a fact that is not there; should somebody else set it at this moment, look again."""
    tx.run("INSERT INTO facts (name, value) VALUES (:name, :value)", name=name, value=value)


def put(tx: Transaction, name: str, value: str) -> None:
    """Set the value of a fact."""
    tx.run(
        "INSERT INTO facts (name, value) VALUES (:name, :value)"
        " ON CONFLICT (name) DO UPDATE SET value = :value",
        name=name,
        value=value,
    )


def modes(tx: Transaction) -> dict[str, bool]:
    """Every mode of the horde and whether it is on."""
    return {mode: get(tx, f"mode:{mode}") == "on" for mode in MODES}


def set_modes(tx: Transaction, changes: dict[str, bool]) -> None:
    """Switch modes on or off."""
    for mode, is_on in sorted(changes.items()):
        put(tx, f"mode:{mode}", "on" if is_on else "off")
