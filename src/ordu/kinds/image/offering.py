"""Reading a pop for pictures: what the worker offers."""

from ordu.kinds.image import bridges
from ordu.kinds.image.asking import KIND_NAME
from ordu.protocol.jobs import PopInputStable
from ordu.rules.matching import Capability, Feature, Offer, WorkerId
from ordu.rules.names import user_id_of

DEFAULT_MODELS = frozenset({"stable_diffusion"})  # when a pop names none (design §2)
BLACKLIST_WORDS_MAX = 200
BLACKLIST_WORD_LENGTH_MAX = 15


def offer(body: PopInputStable, worker_id: WorkerId, is_trusted: bool) -> Offer:
    """What a worker offers with this pop."""
    return Offer(
        capability=Capability(
            kind=KIND_NAME,
            worker_id=worker_id,
            models=frozenset(body.models) or DEFAULT_MODELS,
            pixels_max=body.max_pixels,
            features=features(body),
            switched_off=switched_off(body),
            nsfw=body.nsfw,
            is_trusted=is_trusted,
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


def features(body: PopInputStable) -> frozenset[str]:
    """What the worker's program can do.

    There is no word in a pop for textual inversions; for our own worker, which has no version
    that says so, they go with LoRAs.
    """
    can = bridges.abilities(body.bridge_agent, body.bridge_version)
    is_ours = (body.bridge_agent or "").startswith(f"{bridges.OWN_AGENT}:")
    return can - {Feature.TEXTUAL_INVERSION} if is_ours and not body.allow_lora else can


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
