"""News in SQL."""

from ordu.store.database import Row, Transaction

NEWS_MAX = 100


def newest(tx: Transaction) -> list[Row]:
    """The news, newest first."""
    return tx.all(
        "SELECT id, published_at, newspiece, importance FROM news ORDER BY id DESC LIMIT :most",
        most=NEWS_MAX,
    )
