"""Everything a horde keeps of a user, as one document (`get_user_export`)."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.acts import ActChange, ActTarget
from ordu.protocol.kudos import KudosMovement
from ordu.protocol.users import UserDetailsStable
from ordu.protocol.webhooks import WebhookDeliveryDetails
from ordu.protocol.workers import WorkerDetailsStable


class ExportedPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a request, or one that was begun."""

    id: Annotated[str | UnsetType, Meta(description="The UUID of the generation.")] = UNSET
    state: Annotated[str | UnsetType, Meta(description="`running`, `done` or `faulted`.")] = UNSET
    model: Annotated[str | UnsetType, Meta(description="What it was made with.")] = UNSET
    seed: Annotated[str | UnsetType | None, Meta(description="Its seed.")] = UNSET
    worker_id: Annotated[str | UnsetType, Meta(description="The worker that made it.")] = UNSET
    worker_name: Annotated[str | UnsetType, Meta(description="Its name then.")] = UNSET
    censored: Annotated[bool | UnsetType, Meta(description="Whether it was withheld.")] = UNSET
    metadata: Annotated[
        Any, Meta(description="What the worker said of it; null when it said nothing.")
    ] = UNSET
    link: Annotated[
        str | UnsetType | None,
        Meta(
            description="Where the picture is, for as long as links work; null when there is none."
        ),
    ] = UNSET
    began: Annotated[str | UnsetType, Meta(description="When it was begun.")] = UNSET
    ended: Annotated[str | UnsetType | None, Meta(description="When it was over.")] = UNSET


class ExportedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is still kept."""

    id: Annotated[str | UnsetType, Meta(description="Its UUID.")] = UNSET
    kind: Annotated[str | UnsetType, Meta(description="`image`.")] = UNSET
    state: Annotated[str | UnsetType, Meta(description="How it stands.")] = UNSET
    created: Annotated[str | UnsetType, Meta(description="When it was placed.")] = UNSET
    expires: Annotated[str | UnsetType, Meta(description="When it is forgotten.")] = UNSET
    kudos: Annotated[float | UnsetType, Meta(description="What it has cost by now.")] = UNSET
    webhook: Annotated[str | UnsetType | None, Meta(description="Who is told of it.")] = UNSET
    asked: Annotated[
        Any, Meta(description="What was asked for, as it is kept: the prompt and all settings.")
    ] = UNSET
    sources: Annotated[
        list[str] | UnsetType,
        Meta(description="Where the pictures are that came with it, for as long as links work."),
    ] = UNSET
    pictures: Annotated[
        list[ExportedPicture] | UnsetType, Meta(description="The pictures that were begun.")
    ] = UNSET


class ExportedIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the user is to a provider by which they can sign in."""

    issuer: Annotated[str | UnsetType, Meta(description="The provider.")] = UNSET
    subject: Annotated[str | UnsetType, Meta(description="By what it knows the user.")] = UNSET
    created: Annotated[str | UnsetType, Meta(description="Since when.")] = UNSET


class ExportedBrowser(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is signed in by a provider."""

    created: Annotated[str | UnsetType, Meta(description="Since when.")] = UNSET
    expires: Annotated[str | UnsetType, Meta(description="Until when.")] = UNSET


class ExportedDelivery(WebhookDeliveryDetails, frozen=True, kw_only=True):
    """What was sent to a webhook, and how each attempt went."""

    message: Annotated[Any, Meta(description="What was told; a picture is left out.")] = UNSET


class ExportedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a call with an `Idempotency-Key`, for the same call made again."""

    operation: Annotated[str | UnsetType, Meta(description="What was called.")] = UNSET
    answer: Annotated[Any, Meta(description="What it was answered, as it is kept.")] = UNSET


class ExportedSuspicion(msgspec.Struct, frozen=True, kw_only=True):
    """Something the user or one of their workers is suspected of."""

    worker_id: Annotated[
        str | UnsetType | None, Meta(description="The worker; null where it is the user.")
    ] = UNSET
    reason: Annotated[str | UnsetType, Meta(description="What it is.")] = UNSET
    times: Annotated[int | UnsetType, Meta(description="How often it was counted.")] = UNSET
    newest: Annotated[str | UnsetType, Meta(description="When it was counted last.")] = UNSET


class ExportedAct(msgspec.Struct, frozen=True, kw_only=True):
    """What those who run the horde did to the account or a worker; not which of them."""

    date: Annotated[str | UnsetType, Meta(description="When.")] = UNSET
    operation: Annotated[str | UnsetType, Meta(description="By which operation.")] = UNSET
    target: Annotated[ActTarget | UnsetType, Meta(description="What it was done to.")] = UNSET
    changes: Annotated[list[ActChange] | UnsetType, Meta(description="What it changed.")] = UNSET
    reason: Annotated[str | UnsetType | None, Meta(description="Why, where that was said.")] = UNSET


class UserExport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the horde keeps of a user."""

    made: Annotated[str | UnsetType, Meta(description="When this was made.")] = UNSET
    account: Annotated[
        UserDetailsStable | UnsetType, Meta(description="The account, as its owner sees it.")
    ] = UNSET
    identities: Annotated[
        list[ExportedIdentity] | UnsetType, Meta(description="By what they can sign in.")
    ] = UNSET
    browsers: Annotated[
        list[ExportedBrowser] | UnsetType, Meta(description="Those signed in, oldest first.")
    ] = UNSET
    workers: Annotated[
        list[WorkerDetailsStable] | UnsetType, Meta(description="Its workers, oldest first.")
    ] = UNSET
    requests: Annotated[
        list[ExportedRequest] | UnsetType, Meta(description="Those still kept, oldest first.")
    ] = UNSET
    webhooks: Annotated[
        list[ExportedDelivery] | UnsetType, Meta(description="What was sent, newest first.")
    ] = UNSET
    kudos: Annotated[
        list[KudosMovement] | UnsetType, Meta(description="Every movement, newest first.")
    ] = UNSET
    answers: Annotated[
        list[ExportedAnswer] | UnsetType,
        Meta(description="Answers that are kept for calls that may be made again."),
    ] = UNSET
    note: Annotated[
        str | UnsetType | None, Meta(description="What moderators wrote down of the user.")
    ] = UNSET
    suspicions: Annotated[
        list[ExportedSuspicion] | UnsetType, Meta(description="What the user is suspected of.")
    ] = UNSET
    acts: Annotated[
        list[ExportedAct] | UnsetType,
        Meta(description="What was done to the account and its workers, oldest first."),
    ] = UNSET
