"""Everything a horde keeps of a user, as one document (`get_user_export`)."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.kudos import KudosMovement
from ordu.protocol.users import UserDetailsStable
from ordu.protocol.webhooks import WebhookDelivery
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
        list[WebhookDelivery] | UnsetType, Meta(description="What was sent, newest first.")
    ] = UNSET
    kudos: Annotated[
        list[KudosMovement] | UnsetType, Meta(description="Every movement, newest first.")
    ] = UNSET
