"""Reading a pop for pictures: what the worker offers."""

from msgspec import UnsetType

from ordu.kinds.catalogue import Catalogue
from ordu.kinds.image import bridges
from ordu.kinds.image.asking import KIND_NAME
from ordu.protocol.errors import Refused
from ordu.protocol.jobs import PopInputStable
from ordu.rules.matching import Capability, Feature, Offer, WorkerId
from ordu.rules.names import user_id_of
from ordu.store.users import User

DEFAULT_MODELS = frozenset({"stable_diffusion"})  # when a pop names none (design §2)
FLUX = "flux_1"  # the baseline that takes a program of its time
BLACKLIST_WORDS_MAX = 200
BLACKLIST_WORD_LENGTH_MAX = 15


def offer(body: PopInputStable, worker_id: WorkerId, owner: User, catalogue: Catalogue) -> Offer:
    """What a worker offers with this pop.

    Raises:
        Refused: BadRequest, where only listed models are taken and none of the worker's is.
    """
    models = models_of(body, owner, catalogue)
    known = catalogue.of(models).items()
    return Offer(
        capability=Capability(
            kind=KIND_NAME,
            worker_id=worker_id,
            models=models,
            models_only_for_painting=frozenset(name for name, model in known if model.inpainting),
            models_not_for_painting=frozenset(
                name for name, model in known if model.inpainting is False
            ),
            pixels_max=body.max_pixels,
            features=features(body),
            switched_off=switched_off(body),
            nsfw=body.nsfw,
            is_trusted=owner.is_trusted,
            is_extra_slow=body.extra_slow_worker,
            takes_many_steps=not body.limit_max_steps,
        ),
        requires_kudos=body.require_upfront_kudos,
        agent=body.bridge_agent,
        threads=body.threads,
        amount=body.amount,
        blacklist=tuple(
            word[:BLACKLIST_WORD_LENGTH_MAX]
            for word in body.blacklist[:BLACKLIST_WORDS_MAX]
            if word.strip()
        ),
        priority_user_ids=tuple(
            user_id for name in body.priority_usernames if (user_id := user_id_of(name)) is not None
        ),
    )


def models_of(body: PopInputStable, owner: User, catalogue: Catalogue) -> frozenset[str]:
    """The models that a worker may be given jobs for; a pop that names none means the usual one.

    A program of before Flux cannot draw with it, whatever its owner says.
    """
    named = frozenset(body.models) or DEFAULT_MODELS
    models = catalogue.offered(named, is_customizer=owner.is_customizer)
    if not models:
        raise Refused(
            "BadRequest",
            "This horde does not know any of the models that this worker offers. "
            "GET /api/v2/status/models lists those that are asked for.",
        )
    if Feature.FLUX in features(body):
        return models
    return frozenset(name for name in models if FLUX not in catalogue.baselines([name]))


def features(body: PopInputStable) -> frozenset[str]:
    """What the worker's program can do.

    Ordu's own worker says what its backend can. Without that it can everything, textual inversions
    only with LoRAs: there is no word for them in a pop.
    """
    can = bridges.abilities(body.bridge_agent, body.bridge_version)
    if not (body.bridge_agent or "").startswith(f"{bridges.OWN_AGENT}:"):
        return can
    if not isinstance(body.features, UnsetType):
        return bridges.said(body.features)
    return can if body.allow_lora else can - {Feature.TEXTUAL_INVERSION}


def switched_off(body: PopInputStable) -> frozenset[str]:
    """What the worker's owner does not let it do."""
    is_on = {
        Feature.IMG2IMG: body.allow_img2img,
        Feature.PAINTING: body.allow_painting,
        Feature.POST_PROCESSING: body.allow_post_processing,
        Feature.CONTROLNET: body.allow_controlnet,
        Feature.QR_CODE: body.allow_controlnet and body.allow_sdxl_controlnet,
        Feature.TRANSPARENT: body.allow_sdxl_controlnet,
        Feature.LORA: body.allow_lora,
    }
    return frozenset(feature for feature, on in is_on.items() if not on)
