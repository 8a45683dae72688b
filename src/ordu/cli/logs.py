"""Logging of a process: lines for people, or one JSON object a line for programs; on stderr.

With several server processes each line has the number of its process. No key is ever logged:
libraries that log headers and links are held at warnings.
"""

import json
import logging
from datetime import UTC, datetime

TALKATIVE = ("alembic", "httpx", "httpcore", "asyncio", "uvicorn", "uvicorn.error")
TEXT_FORMAT = "%(asctime)s %(levelname)-7s {mark}%(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """One JSON object for each record."""

    def __init__(self, process: int | None) -> None:
        super().__init__()
        self.of_all = {} if process is None else {"process": process}

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self.of_all,
        }
        fields.update(getattr(record, "fields", {}))  # what a call was (`server.missteps`)
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def start_logging(level: str, form: str = "text", process: int | None = None) -> None:
    """Log from this level on, in this form (`text` or `json`), as the process of this number."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(process) if form == "json" else for_people(process))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def for_people(process: int | None) -> logging.Formatter:
    """Lines of text."""
    mark = "" if process is None else f"[{process}] "
    return logging.Formatter(TEXT_FORMAT.format(mark=mark), "%H:%M:%S")
