"""Forms with files (`multipart/form-data`), within strict bounds.

The bytes are there already, within the horde's limit on bodies. They are given to the parser in
pieces, and other calls go on between these, because some forms take it long.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import NamedTuple

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from ordu.protocol.errors import Refused
from ordu.server.call import Call
from ordu.server.doors.openai.errors import FieldRefused

FIELDS_MAX = 50
FILES_MAX = 17  # sixteen pictures and a mask are the most that OpenAI takes
FIELD_BYTES_MAX = 256 * 1024  # of a text
PIECE_BYTES = 64 * 1024
NAME_SHOWN_MAX = 60


class Form(NamedTuple):
    """A form that was read."""

    fields: Mapping[str, str]
    files: Mapping[str, list[bytes]]


class InMemory(MultiPartParser):
    """A parser that puts nothing on the disk: what it reads is in memory anyway."""

    spool_max_size = 0  # of a temporary file: never rolled over

    def close(self) -> None:
        """Give back what was read, also of a part that was cut off."""
        for file in self._files_to_close_on_error:
            file.close()


async def read_form(call: Call[None], files: frozenset[str]) -> Form:
    """The form in a call's body, in which only fields of these names are files.

    Raises:
        Refused: MalformedBody, or `FieldRefused`.
    """
    media_type = call.header(b"content-type") or ""
    if media_type.partition(";")[0].strip().lower() != "multipart/form-data":
        raise Refused(
            "MalformedBody", "This call is a form with files: send it as multipart/form-data."
        )
    parser = InMemory(
        Headers({"content-type": media_type}),
        in_pieces(call.raw),
        max_files=FILES_MAX,
        max_fields=FIELDS_MAX,
        max_part_size=FIELD_BYTES_MAX,
    )
    try:
        return await sorted_out(await parser.parse(), files)
    except (MultiPartException, UnicodeError, ValueError) as error:
        said = str(error) if isinstance(error, MultiPartException) else "It is damaged."
        raise Refused("MalformedBody", f"The form cannot be read: {said}") from error
    finally:
        parser.close()


async def in_pieces(raw: bytes) -> AsyncGenerator[bytes, None]:
    """The bytes piece by piece; others have their turn between them."""
    for start in range(0, len(raw), PIECE_BYTES):
        yield raw[start : start + PIECE_BYTES]
        await asyncio.sleep(0)


async def sorted_out(form: FormData, wanted: frozenset[str]) -> Form:
    """Texts and files apart. A list of pictures comes as `image[]`, or as `image` repeated."""
    fields: dict[str, str] = {}
    files: dict[str, list[bytes]] = {}
    for name, value in form.multi_items():
        shown = name[:NAME_SHOWN_MAX]
        if isinstance(value, UploadFile):
            plain = name.removesuffix("[]")
            if plain not in wanted:
                words = f"'{shown}' is a file; files here are: {', '.join(sorted(wanted))}."
                raise FieldRefused(shown, words)
            files.setdefault(plain, []).append(await value.read())
        elif name.removesuffix("[]") in wanted:
            raise FieldRefused(shown, f"'{shown}' is a file: send it with a filename.")
        elif name in fields:
            raise FieldRefused(shown, f"'{shown}' is there twice. Send it once.")
        else:
            fields[name] = value
    return Form(fields, files)


def one_file(form: Form, name: str) -> bytes:
    """The one file of this name.

    Raises:
        Refused: `FieldRefused`: it is missing, or there are more.
    """
    files = form.files.get(name, [])
    if not files:
        words = f"Missing required parameter: '{name}', a file."
        raise FieldRefused(name, words, code="missing_required_parameter")
    if len(files) > 1:
        raise FieldRefused(name, f"One '{name}' is drawn from; {len(files)} were sent. Send one.")
    return files[0]
