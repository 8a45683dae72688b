"""The rows of this door, and how it is opened."""

from starlette.requests import Request as HttpRequest

from ordu.protocol import operations
from ordu.protocol.operations import Key, Operation
from ordu.server.call import header
from ordu.server.doors import Door
from ordu.server.doors.openai import calls, errors

_DRAWING = operations.post_sync_generate.limits

post_images_generations = Operation(
    name="openai_post_images_generations",
    method="POST",
    path="/v1/images/generations",
    summary="Draw pictures from words",
    key=Key.REQUIRED,
    limits=_DRAWING,
)
post_images_edits = Operation(
    name="openai_post_images_edits",
    method="POST",
    path="/v1/images/edits",
    summary="Draw anew what is transparent in the mask of a picture, or all of it",
    key=Key.REQUIRED,
    limits=_DRAWING,
)
post_images_variations = Operation(
    name="openai_post_images_variations",
    method="POST",
    path="/v1/images/variations",
    summary="Draw pictures like a picture",
    key=Key.REQUIRED,
    limits=_DRAWING,
)
get_models = Operation(
    name="openai_get_models",
    method="GET",
    path="/v1/models",
    summary="The models that are online",
    key=Key.REQUIRED,
)
get_model = Operation(
    name="openai_get_model",
    method="GET",
    path="/v1/models/{model_name}",
    summary="One of them",
    key=Key.REQUIRED,
)


def key_of(http: HttpRequest) -> str | None:
    """The key in `Authorization: Bearer KEY`; None where there is none."""
    scheme, _, key = (header(http, b"authorization") or "").strip().partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


OPENAI = Door(
    name="OpenAI's images API",
    prefix="/v1/",
    table=(
        (post_images_generations, calls.post_images_generations),
        (post_images_edits, calls.post_images_edits),
        (post_images_variations, calls.post_images_variations),
        (get_models, calls.get_models),
        (get_model, calls.get_model),
    ),
    key_of=key_of,
    answer_refusal=errors.answer_refusal,
)
