"""How a horde is run: its health, and the settings it runs with."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

_MOMENT = {"format": "date-time"}


class BooksHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the books of kudos were found the last time somebody read all of them."""

    balanced: Annotated[
        bool | UnsetType | None,
        Meta(
            description="Whether every entry sums to zero and every balance to its entries; null:"
            " there is too much to read while the horde runs, `ordu audit` does it."
        ),
    ] = UNSET
    wrong: Annotated[
        int | UnsetType | None, Meta(description="How many things are wrong with them.")
    ] = UNSET
    entries: Annotated[int | UnsetType, Meta(description="How many entries there were.")] = UNSET
    checked: Annotated[
        str | UnsetType, Meta(description="When that was, in UTC.", extra_json_schema=_MOMENT)
    ] = UNSET


class PicturesHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How much room there is where pictures lie."""

    place: Annotated[
        str | UnsetType, Meta(description="`folder`, or `s3`, of which nothing else is known.")
    ] = UNSET
    disk_bytes: Annotated[int | UnsetType | None, Meta(description="The size of the disk.")] = UNSET
    free_bytes: Annotated[
        int | UnsetType | None, Meta(description="What is free of it for this horde.")
    ] = UNSET
    pictures_bytes: Annotated[
        int | UnsetType | None,
        Meta(description="What pictures take; null where several processes share the folder."),
    ] = UNSET


class HordeHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the horde is, as the process that answers knows it."""

    version: Annotated[str | UnsetType, Meta(description="The server's version.")] = UNSET
    started: Annotated[
        str | UnsetType,
        Meta(description="When the process that answers began.", extra_json_schema=_MOMENT),
    ] = UNSET
    uptime_s: Annotated[
        int | UnsetType, Meta(description="For how long it has run, in seconds.")
    ] = UNSET
    database: Annotated[str | UnsetType, Meta(description="`sqlite` or `postgresql`.")] = UNSET
    schema: Annotated[str | UnsetType, Meta(description="The version of its tables.")] = UNSET
    writes_waiting: Annotated[
        int | UnsetType, Meta(description="Writes of this process that are not durable yet.")
    ] = UNSET
    handing_out_ms: Annotated[
        float | UnsetType | None,
        Meta(
            description="Within how many milliseconds 95 in 100 of the newest jobs were handed out"
            " by this process, of pops that did not wait; null when there was none."
        ),
    ] = UNSET
    jobs_handed_out: Annotated[
        int | UnsetType, Meta(description="Of how many jobs that was, 1000 at most.")
    ] = UNSET
    pictures_day: Annotated[
        int | UnsetType, Meta(description="Pictures made in the last 24 hours.")
    ] = UNSET
    faulted_day: Annotated[
        int | UnsetType,
        Meta(description="Jobs that ended without a picture in the last 24 hours."),
    ] = UNSET
    pictures_waiting: Annotated[
        int | UnsetType, Meta(description="Pictures that wait for a worker.")
    ] = UNSET
    jobs_running: Annotated[int | UnsetType, Meta(description="Jobs that workers have now.")] = (
        UNSET
    )
    workers: Annotated[int | UnsetType, Meta(description="Workers that are here.")] = UNSET
    users: Annotated[int | UnsetType, Meta(description="Accounts there ever were.")] = UNSET
    webhooks_waiting: Annotated[
        int | UnsetType, Meta(description="Messages to webhooks that wait.")
    ] = UNSET
    books: Annotated[
        BooksHealth | UnsetType | None,
        Meta(description="The books of kudos; null until they were read the first time."),
    ] = UNSET
    pictures: Annotated[
        PicturesHealth | UnsetType, Meta(description="The place where pictures lie.")
    ] = UNSET


class HordeSetting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting in force."""

    name: Annotated[str | UnsetType, Meta(description="Its name.")] = UNSET
    value: Annotated[
        str | UnsetType,
        Meta(
            description="Its value as text that could be given back; of a secret only `(set)` or"
            " `(not set)`."
        ),
    ] = UNSET
    default: Annotated[
        str | UnsetType, Meta(description="What holds when nobody says anything.")
    ] = UNSET
    source: Annotated[
        str | UnsetType,
        Meta(description="Where it comes from: `flag`, `environment`, `file` or `default`."),
    ] = UNSET
    origin: Annotated[
        str | UnsetType, Meta(description="The same in words, with the name of flag or variable.")
    ] = UNSET
    meaning: Annotated[str | UnsetType, Meta(description="What it is.")] = UNSET
    takes: Annotated[str | UnsetType, Meta(description="What is allowed.")] = UNSET
    unit: Annotated[
        str | UnsetType | None, Meta(description="What its number counts; null without one.")
    ] = UNSET
