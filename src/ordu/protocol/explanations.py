"""Explanations: why a request waits or would wait, why a worker gets no work, and what would help.

Texts are sentences for people and may change; programs go by the words and numbers beside them.
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

Value: TypeAlias = str | int | bool | list[str] | None


class PassedOver(msgspec.Struct, frozen=True, kw_only=True):
    """Workers that are not given a request, for one reason; each is counted once."""

    reason: Annotated[
        str | UnsetType,
        Meta(
            description="Why, as in `skipped` of a pop; `resting`: they serve their owners only,"
            " in maintenance or paused."
        ),
    ] = UNSET
    workers: Annotated[int | UnsetType, Meta(description="How many workers online.")] = UNSET
    text: Annotated[str | UnsetType, Meta(description="The reason as a sentence.")] = UNSET


class OfferedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a request could name as well."""

    name: Annotated[str | UnsetType, Meta(description="The model's name.")] = UNSET
    workers: Annotated[
        int | UnsetType, Meta(description="How many more workers could serve it with that.")
    ] = UNSET


class ChangeThatHelps(msgspec.Struct, frozen=True, kw_only=True):
    """A change that would start a request sooner, if it were placed anew with it."""

    subjects: Annotated[
        list[str] | UnsetType,
        Meta(
            description="What is changed, by the body's word for it; two where no single change"
            " helps."
        ),
    ] = UNSET
    set: Annotated[
        dict[str, Value] | UnsetType,
        Meta(
            description="What the body would say, by dotted name, such as `params.width`; null:"
            " leave it out."
        ),
    ] = UNSET
    text: Annotated[str | UnsetType, Meta(description="The change as a sentence.")] = UNSET
    models: Annotated[
        list[OfferedModel] | UnsetType,
        Meta(description="Models that could be named beside those asked for, the best first."),
    ] = UNSET
    workers: Annotated[
        int | UnsetType, Meta(description="How many workers online could serve it then.")
    ] = UNSET
    workers_more: Annotated[
        int | UnsetType, Meta(description="How many workers more than now that is.")
    ] = UNSET
    jobs_before: Annotated[
        int | UnsetType, Meta(description="How many pictures would wait before it.")
    ] = UNSET
    starts_in: Annotated[
        int | UnsetType | None,
        Meta(description="Estimated seconds until its first picture is begun then."),
    ] = UNSET
    wait_time: Annotated[
        int | UnsetType | None, Meta(description="Estimated seconds until it is done then.")
    ] = UNSET


class RequestChances(msgspec.Struct, frozen=True, kw_only=True):
    """Who could serve a request, and what would start it sooner."""

    workers_online: Annotated[int | UnsetType, Meta(description="How many workers are online.")] = (
        UNSET
    )
    workers_able: Annotated[
        int | UnsetType, Meta(description="How many of these could serve it.")
    ] = UNSET
    workers_free: Annotated[
        int | UnsetType,
        Meta(description="How many of those that could serve it are free for a picture."),
    ] = UNSET
    why_not: Annotated[
        list[PassedOver] | UnsetType,
        Meta(description="Why the other workers online are passed over, the most first."),
    ] = UNSET
    jobs_before: Annotated[
        int | UnsetType,
        Meta(description="How many pictures wait before it with those that could serve it."),
    ] = UNSET
    changes: Annotated[
        list[ChangeThatHelps] | UnsetType,
        Meta(description="Changes that would start it sooner, the soonest first."),
    ] = UNSET


class RequestExplanation(RequestChances, frozen=True, kw_only=True):
    """Why a request waits, who could serve it, and what would start it sooner."""

    state: Annotated[
        str | UnsetType,
        Meta(description="`waiting`, `processing`, `done`, `faulted` or `cancelled`."),
    ] = UNSET
    text: Annotated[str | UnsetType, Meta(description="Why, in a sentence or two.")] = UNSET
    waiting: Annotated[int | UnsetType, Meta(description="How many pictures of it wait.")] = UNSET
    processing: Annotated[
        int | UnsetType, Meta(description="How many pictures of it are being drawn.")
    ] = UNSET
    queue_position: Annotated[
        int | UnsetType, Meta(description="Its place, as check tells it; 0 when nothing waits.")
    ] = UNSET
    wait_time: Annotated[
        int | UnsetType,
        Meta(description="Estimated seconds until all of it is done, as check tells it."),
    ] = UNSET
    starts_in: Annotated[
        int | UnsetType | None,
        Meta(
            description="Estimated seconds until the next picture of it is begun; null when nothing"
            " of it waits or nobody online could serve it."
        ),
    ] = UNSET
    megapixelsteps_before: Annotated[
        float | UnsetType, Meta(description="How much work these pictures are.")
    ] = UNSET


class RequestOutlook(RequestChances, frozen=True, kw_only=True):
    """What would become of a request if it were placed now, in the answer to a dry run."""

    text: Annotated[
        str | UnsetType, Meta(description="When it would be drawn, in a sentence or two.")
    ] = UNSET
    queue_position: Annotated[
        int | UnsetType, Meta(description="Its place in line, as check would tell it.")
    ] = UNSET
    wait_time: Annotated[
        int | UnsetType | None,
        Meta(
            description="Estimated seconds until all of it is done; null when nobody online could"
            " serve it."
        ),
    ] = UNSET
    starts_in: Annotated[
        int | UnsetType | None,
        Meta(
            description="Estimated seconds until its first picture is begun; null when nobody"
            " online could serve it."
        ),
    ] = UNSET
    upfront: Annotated[
        bool | UnsetType,
        Meta(description="True when its price is held as soon as it is placed."),
    ] = UNSET
    kudos_available: Annotated[
        float | UnsetType | None,
        Meta(description="With `upfront`: the kudos you have that are not held for others."),
    ] = UNSET
    affordable: Annotated[
        bool | UnsetType,
        Meta(description="False when it would be refused with `KudosUpfront`."),
    ] = UNSET


class NotGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that a worker is not given, for one reason; each is counted once."""

    reason: Annotated[str | UnsetType, Meta(description="Why, as in `skipped` of a pop.")] = UNSET
    requests: Annotated[int | UnsetType, Meta(description="How many requests that wait.")] = UNSET
    text: Annotated[
        str | UnsetType,
        Meta(description="The reason as a sentence, and what the worker's owner could change."),
    ] = UNSET


class DemandedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that requests wait for."""

    name: Annotated[str | UnsetType, Meta(description="The model's name.")] = UNSET
    jobs: Annotated[
        int | UnsetType, Meta(description="How many pictures wait for it, or for one of several.")
    ] = UNSET
    megapixelsteps: Annotated[
        float | UnsetType, Meta(description="How much work these pictures are.")
    ] = UNSET
    workers: Annotated[int | UnsetType, Meta(description="How many workers online offer it.")] = (
        UNSET
    )
    offered: Annotated[bool | UnsetType, Meta(description="Whether this worker offers it.")] = UNSET
    kudos_per_hour: Annotated[
        float | UnsetType,
        Meta(
            description="What this worker would earn with it in the next hour, at its own speed and"
            " with its share of what waits now and is not too large for it."
        ),
    ] = UNSET


class WorkerExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a worker gets no work, what it could serve, and what is in demand."""

    id: Annotated[str | UnsetType, Meta(description="The UUID of the worker.")] = UNSET
    name: Annotated[str | UnsetType, Meta(description="Its name.")] = UNSET
    text: Annotated[str | UnsetType, Meta(description="Why, in a sentence or two.")] = UNSET
    online: Annotated[
        bool | UnsetType, Meta(description="True when it asked for a job in the last 5 minutes.")
    ] = UNSET
    maintenance_mode: Annotated[
        bool | UnsetType,
        Meta(description="True when it serves its owner only, as its owner wants."),
    ] = UNSET
    paused: Annotated[
        bool | UnsetType | None,
        Meta(description="(Privileged) True when a moderator lets it serve its owner only."),
    ] = UNSET
    processing: Annotated[
        int | UnsetType | None,
        Meta(description="(Privileged) How many pictures it is at."),
    ] = UNSET
    threads: Annotated[
        int | UnsetType, Meta(description="How many pictures it makes at the same time.")
    ] = UNSET
    waiting_requests: Annotated[
        int | UnsetType, Meta(description="How many requests wait on this horde.")
    ] = UNSET
    could_serve: Annotated[
        int | UnsetType, Meta(description="How many of these this worker could serve.")
    ] = UNSET
    jobs: Annotated[
        int | UnsetType, Meta(description="How many pictures wait in those it could serve.")
    ] = UNSET
    megapixelsteps: Annotated[
        float | UnsetType, Meta(description="How much work these pictures are.")
    ] = UNSET
    skipped: Annotated[
        list[NotGiven] | UnsetType,
        Meta(description="Why the other requests are not given to it, the most first."),
    ] = UNSET
    competitors: Annotated[
        int | UnsetType,
        Meta(description="How many other workers online offer one of its models."),
    ] = UNSET
    place: Annotated[
        int | UnsetType, Meta(description="Its place among these by speed; 1 is the fastest.")
    ] = UNSET
    demand: Annotated[
        list[DemandedModel] | UnsetType,
        Meta(description="The models for which most work waits, at most 10."),
    ] = UNSET
