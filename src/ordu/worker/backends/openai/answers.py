"""What an endpoint says, read with bounds: a picture, a list of models, an error in its own words.

Every server of this API writes errors a little differently: OpenAI an object `error`, others a text
there, FastAPI's a `detail`. Here they become one value.
"""

import binascii
from typing import Any

import msgspec

from ordu.worker.backends import BackendError

PICTURE_BYTES_MAX = 64 * 2**20
ANSWER_BYTES_MAX = PICTURE_BYTES_MAX * 4 // 3 + 2**20  # a picture in Base64, and what is around it
MESSAGE_CHARS_MAX = 300
MODELS_MAX = 1000


class Said(msgspec.Struct, frozen=True):
    """What an error says; empty where it says nothing."""

    message: str = ""
    code: str = ""
    parameter: str = ""

    def is_about(self, parameter: str) -> bool:
        """Whether this parameter is what it does not like."""
        return self.parameter == parameter or parameter in self.message


class _Image(msgspec.Struct):
    b64_json: str | None = None
    url: str | None = None


class _Images(msgspec.Struct):
    data: list[_Image] | None = None


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model] | None = None


def read_picture(answer: bytes, who: str) -> bytes | str:
    """The picture in an answer, or the link to it.

    Raises:
        BackendError: there is none; `who` sent it.
    """
    try:
        images = msgspec.json.decode(answer, type=_Images).data or []
        image = images[0] if images else _Image()
        url = image.url or ""
        if text := image.b64_json or (url if url.startswith("data:") else ""):
            return binascii.a2b_base64(text.rpartition("base64,")[2])  # some send a data: address
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error) as error:
        raise BackendError(f"{who} sent an answer that cannot be read: {error}") from error
    if url:
        return url
    raise BackendError(f"{who} sent an answer without a picture.")


def read_models(answer: bytes) -> tuple[str, ...]:
    """The names of the models in a list; none when it is no list."""
    try:
        models = msgspec.json.decode(answer, type=_Models).data or []
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()
    return tuple(model.id for model in models[:MODELS_MAX])


def said_by(content: bytes, key: str) -> Said:
    """What an error says, on one line, short, and without the key."""
    try:
        body: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Said(message=_line(content[: 4 * MESSAGE_CHARS_MAX].decode(errors="replace"), key))
    error = body.get("error") or body.get("detail") or body if isinstance(body, dict) else body
    if isinstance(error, list) and error:  # FastAPI's list of what is wrong
        error = error[0]
    if not isinstance(error, dict):
        return Said(message=_line(str(error), key))
    return Said(
        message=_line(str(error.get("message") or error.get("msg") or ""), key),
        code=str(error.get("code") or ""),
        parameter=str(error.get("param") or ""),
    )


def _line(text: str, key: str) -> str:
    shown = text.replace(key, "(key)") if key else text
    line = " ".join("".join(each if each.isprintable() else " " for each in shown).split())
    return line if len(line) <= MESSAGE_CHARS_MAX else line[: MESSAGE_CHARS_MAX - 1] + "…"
