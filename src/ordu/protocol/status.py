"""The horde as a whole: its modes, its load, its models, its news and its pulse."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.acts import Reason

NEWS_LENGTH_MAX = 10_000
TITLE_LENGTH_MAX = 200
TAG_LENGTH_MAX = 50
URL_LENGTH_MAX = 2_000
MANY_MAX = 20  # tags, and addresses to read more at
# What a page may make a link of: http or https, a host, and visible ASCII. It ends as both Python
# and the documents' readers understand it.
WEB_ADDRESS = (
    r"^https?://([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?#][!-~]*)?$(?!\n)"
)
Importance: TypeAlias = Literal["Information", "Upcoming", "Crisis", "Integration", "Workers"]
Tag: TypeAlias = Annotated[str, Meta(min_length=1, max_length=TAG_LENGTH_MAX)]
WebAddress: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=URL_LENGTH_MAX, pattern=WEB_ADDRESS)
]


class HordeModes(msgspec.Struct, frozen=True, kw_only=True):
    """The modes of the horde; an answer to a change has only what was changed."""

    maintenance_mode: Annotated[
        bool | UnsetType | None,
        Meta(
            description="When True, this Horde will not accept new requests for image generation,"
            " but will finish processing the ones currently in the queue."
        ),
    ] = UNSET
    invite_only_mode: Annotated[
        bool | UnsetType | None,
        Meta(description="When True, this Horde only accepts workers explicitly invited to join."),
    ] = UNSET
    raid_mode: Annotated[
        bool | UnsetType | None,
        Meta(
            description="When True, this Horde will not always provide full information in order"
            " to throw off attackers."
        ),
    ] = UNSET


class PutHordeModesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which modes to switch on or off (`put_horde_modes`), by the names of either era."""

    maintenance: Annotated[bool | None, Meta(description="(Admins only) Take no new requests.")] = (
        None
    )
    invite_only: Annotated[
        bool | None, Meta(description="(Mods only) Take no new workers but invited ones.")
    ] = None
    raid: Annotated[
        bool | None, Meta(description="(Mods only) Tell less and admit less, against attackers.")
    ] = None
    maintenance_mode: Annotated[bool | None, Meta(description="Today's name of `maintenance`.")] = (
        None
    )
    invite_only_mode: Annotated[bool | None, Meta(description="Today's name of `invite_only`.")] = (
        None
    )
    raid_mode: Annotated[bool | None, Meta(description="Today's name of `raid`.")] = None
    reason: Reason = None


class HordePerformance(msgspec.Struct, frozen=True, kw_only=True):
    """The load of the horde, as far as all kinds of work share it."""

    queued_requests: Annotated[
        int | UnsetType | None,
        Meta(description="The amount of waiting and processing requests currently in this Horde."),
    ] = UNSET
    worker_count: Annotated[
        int | UnsetType | None,
        Meta(
            description="How many workers are actively processing image generations in this Horde"
            " in the past 5 minutes."
        ),
    ] = UNSET
    thread_count: Annotated[
        int | UnsetType | None,
        Meta(description="How many images those workers draw at the same time."),
    ] = UNSET
    queued_text_requests: Annotated[
        int | UnsetType | None, Meta(description="The same for texts: requests.")
    ] = UNSET
    text_worker_count: Annotated[
        int | UnsetType | None, Meta(description="The same for texts: workers.")
    ] = UNSET
    text_thread_count: Annotated[
        int | UnsetType | None, Meta(description="The same for texts: threads.")
    ] = UNSET
    queued_tokens: Annotated[
        float | UnsetType | None, Meta(description="The tokens of waiting and processing texts.")
    ] = UNSET
    past_minute_tokens: Annotated[
        float | UnsetType | None, Meta(description="The tokens written in the last minute.")
    ] = UNSET
    queued_forms: Annotated[
        float | UnsetType | None, Meta(description="The waiting and processing alchemy forms.")
    ] = UNSET
    interrogator_count: Annotated[
        int | UnsetType | None, Meta(description="How many alchemists are active.")
    ] = UNSET
    interrogator_thread_count: Annotated[
        int | UnsetType | None, Meta(description="How many forms they do at the same time.")
    ] = UNSET


class HordePerformanceStable(HordePerformance, frozen=True, kw_only=True):
    """The load of the horde."""

    queued_megapixelsteps: Annotated[
        float | UnsetType | None,
        Meta(
            description="The amount of megapixelsteps in waiting and processing requests currently"
            " in this Horde."
        ),
    ] = UNSET
    past_minute_megapixelsteps: Annotated[
        float | UnsetType | None,
        Meta(description="How many megapixelsteps this Horde generated in the last minute."),
    ] = UNSET


class ActiveModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that workers offer now, or that requests wait for."""

    name: Annotated[
        str | UnsetType,
        Meta(description="The Name of a model available by workers in this horde."),
    ] = UNSET
    count: Annotated[
        int | UnsetType,
        Meta(description="How many workers in this horde are running this model."),
    ] = UNSET
    performance: Annotated[
        float | UnsetType | None,
        Meta(description="The average speed of generation for this model."),
    ] = UNSET
    queued: Annotated[
        float | UnsetType | None,
        Meta(description="How much waits for this model, in pixelsteps."),
    ] = UNSET
    jobs: Annotated[
        float | UnsetType | None, Meta(description="How many jobs wait for this model.")
    ] = UNSET
    eta: Annotated[
        int | UnsetType | None,
        Meta(description="In how many seconds that will be done; 10000 when nobody does it."),
    ] = UNSET
    type: Annotated[str | UnsetType | None, Meta(description="What it makes: image or text.")] = (
        UNSET
    )


class Newspiece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of news."""

    date_published: Annotated[
        str | UnsetType, Meta(description="The date this newspiece was published.")
    ] = UNSET
    newspiece: Annotated[str | UnsetType, Meta(description="The actual piece of news.")] = UNSET
    importance: Annotated[
        str | UnsetType | None, Meta(description="How critical this piece of news is.")
    ] = UNSET
    title: Annotated[str | UnsetType | None, Meta(description="Its title.")] = UNSET
    tags: Annotated[
        list[str] | UnsetType | None, Meta(description="What it is about, in single words.")
    ] = UNSET
    more_info_urls: Annotated[
        list[str] | UnsetType | None, Meta(description="Where to read more.")
    ] = UNSET
    id: Annotated[
        int | UnsetType | None,
        Meta(description="The number of this newspiece, by which it is changed and taken back."),
    ] = UNSET


class PutHordeNewsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of news to publish, or what to change of one (`put_horde_news`)."""

    id: Annotated[
        Annotated[int, Meta(ge=1, le=2**31 - 1)] | None,
        Meta(description="Which piece to change; without it a new one is published."),
    ] = None
    newspiece: Annotated[
        Annotated[str, Meta(min_length=1, max_length=NEWS_LENGTH_MAX)] | None,
        Meta(
            description="The text, as it is to be read: it is not taken for HTML. Needed to"
            " publish."
        ),
    ] = None
    importance: Annotated[
        Importance | None, Meta(description="How critical it is; `Information` unless said.")
    ] = None
    title: Annotated[
        Annotated[str, Meta(max_length=TITLE_LENGTH_MAX)] | None,
        Meta(description="Its title; an empty one takes the title away."),
    ] = None
    tags: Annotated[
        Annotated[list[Tag], Meta(max_length=MANY_MAX)] | None,
        Meta(description="What it is about, in single words."),
    ] = None
    more_info_urls: Annotated[
        Annotated[list[WebAddress], Meta(max_length=MANY_MAX)] | None,
        Meta(description="Where to read more: addresses that begin with http:// or https://."),
    ] = None
    reason: Reason = None


class DeletedNewspiece(msgspec.Struct, frozen=True, kw_only=True):
    """The piece of news that was taken back."""

    deleted_id: Annotated[int | UnsetType, Meta(description="Its number.")] = UNSET


class HistoryPoint(msgspec.Struct, frozen=True, kw_only=True):
    """How the horde stood in one step of time."""

    start: Annotated[
        str | UnsetType,
        Meta(description="When the step began, in UTC.", extra_json_schema={"format": "date-time"}),
    ] = UNSET
    waiting: Annotated[
        float | UnsetType, Meta(description="How many images waited, on average.")
    ] = UNSET
    waiting_max: Annotated[
        int | UnsetType, Meta(description="How many images waited when most did.")
    ] = UNSET
    processing: Annotated[
        float | UnsetType, Meta(description="How many images were being generated, on average.")
    ] = UNSET
    workers: Annotated[
        float | UnsetType, Meta(description="How many workers were online, on average.")
    ] = UNSET
    threads: Annotated[
        float | UnsetType,
        Meta(description="How many images those could draw at the same time, on average."),
    ] = UNSET
    megapixelsteps_per_second: Annotated[
        float | UnsetType, Meta(description="How fast this Horde was, on average.")
    ] = UNSET
    images: Annotated[int | UnsetType, Meta(description="How many images were delivered.")] = UNSET
    wait_time: Annotated[
        float | UnsetType | None,
        Meta(
            description="How many seconds an image of 512 by 512 pixels and 30 steps, of any"
            " model, would have taken for somebody without kudos, on average; null when no worker"
            " could have drawn it, or their speed was not known."
        ),
    ] = UNSET


class HistoryNow(msgspec.Struct, frozen=True, kw_only=True):
    """How the horde stands at this moment."""

    date: Annotated[
        str | UnsetType,
        Meta(description="The moment, in UTC.", extra_json_schema={"format": "date-time"}),
    ] = UNSET
    waiting: Annotated[int | UnsetType, Meta(description="How many images wait.")] = UNSET
    processing: Annotated[
        int | UnsetType, Meta(description="How many images are being generated.")
    ] = UNSET
    workers: Annotated[int | UnsetType, Meta(description="How many workers are online.")] = UNSET
    workers_drawing: Annotated[
        int | UnsetType, Meta(description="How many of them are generating.")
    ] = UNSET
    threads: Annotated[
        int | UnsetType, Meta(description="How many images they draw at the same time.")
    ] = UNSET
    megapixelsteps_per_second: Annotated[
        float | UnsetType, Meta(description="How fast this Horde was in the last minute.")
    ] = UNSET
    wait_time: Annotated[
        float | UnsetType | None,
        Meta(
            description="How many seconds an image of 512 by 512 pixels and 30 steps, of any"
            " model, would take for somebody without kudos; null when no worker could draw it, or"
            " their speed is not known yet."
        ),
    ] = UNSET


class HordeHistory(msgspec.Struct, frozen=True, kw_only=True):
    """How the horde stood over time."""

    span: Annotated[str | UnsetType, Meta(description="How far back it goes.")] = UNSET
    step: Annotated[
        int | UnsetType, Meta(description="How many seconds lie between two points.")
    ] = UNSET
    since: Annotated[
        str | UnsetType,
        Meta(
            description="Where the span begins, in UTC.", extra_json_schema={"format": "date-time"}
        ),
    ] = UNSET
    until: Annotated[
        str | UnsetType,
        Meta(description="Where it ends, in UTC.", extra_json_schema={"format": "date-time"}),
    ] = UNSET
    points: Annotated[
        list[HistoryPoint] | UnsetType,
        Meta(
            description="Oldest first. A step in which no server was there has none. The last may"
            " be of a step that is not over."
        ),
    ] = UNSET
    now: Annotated[
        HistoryNow | UnsetType,
        Meta(description="How the horde stands at this moment; not where it ends earlier."),
    ] = UNSET


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """The pulse of one server process."""

    message: Annotated[str | UnsetType, Meta(description="`OK`, `OVERLOADED` or `DOWN`.")] = UNSET
    version: Annotated[str | UnsetType, Meta(description="The server's version.")] = UNSET
    queue: Annotated[
        int | UnsetType | None, Meta(description="How many calls wait to be answered.")
    ] = UNSET
    threads: Annotated[
        int | UnsetType | None, Meta(description="How many calls are answered at the same time.")
    ] = UNSET
    active_count: Annotated[
        int | UnsetType | None, Meta(description="How many calls are being answered now.")
    ] = UNSET
    db_connection: Annotated[
        bool | UnsetType | None, Meta(description="Whether the database answers.")
    ] = UNSET
