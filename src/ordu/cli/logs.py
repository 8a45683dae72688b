"""Logging of a process: lines for people, or one JSON object a line for programs; on stderr.

With several server processes each line has the number of its process. No key is ever logged:
libraries that log headers and links are held at warnings. What strangers chose (paths, names) may
stand in a line, so nothing in it acts on a terminal or looks like another line.
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
        return harmless(json.dumps(fields, ensure_ascii=False))


class TextFormatter(logging.Formatter):
    """A line for each record, and the lines of an error below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        said = logging.makeLogRecord(record.__dict__ | {"exc_info": None, "exc_text": None})
        lines = [harmless(super().format(said))]
        if record.exc_info:
            # Set back, so that none of them begins like a record.
            error = self.formatException(record.exc_info)
            lines += [f"  {harmless(line)}" for line in error.split("\n")]
        return "\n".join(lines)


def harmless(text: str) -> str:
    """A text whose control characters, and those that turn its direction, are shown as escapes."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else escaped(each) for each in text)


def escaped(character: str) -> str:
    """A character as JSON writes it in ASCII."""
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


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
    return TextFormatter(TEXT_FORMAT.format(mark=mark), "%H:%M:%S")
