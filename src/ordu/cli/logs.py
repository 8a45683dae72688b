"""Logging of a process: lines for people, or one JSON object a line for programs; on stderr.

No key is ever logged: libraries that log headers and links are held at warnings.
"""

import json
import logging
from datetime import UTC, datetime

TALKATIVE = ("alembic", "httpx", "httpcore", "asyncio", "uvicorn", "uvicorn.error")
TEXT_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def start_logging(level: str, form: str = "text") -> None:
    """Log from this level on, in this form (`text` or `json`)."""
    handler = logging.StreamHandler()
    formatter = JsonFormatter() if form == "json" else logging.Formatter(TEXT_FORMAT, "%H:%M:%S")
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
