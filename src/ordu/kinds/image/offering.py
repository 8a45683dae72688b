"""Reading a pop for pictures: what the worker offers."""

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
            nsfw=body.nsfw,
            is_trusted=is_trusted,
        ),
        agent=body.bridge_agent,
        threads=body.threads,
        blacklist=tuple(
            word[:BLACKLIST_WORD_LENGTH_MAX]
            for word in body.blacklist[:BLACKLIST_WORDS_MAX]
            if word.strip()
        ),
        priority_user_ids=tuple(
            user_id for name in body.priority_usernames if (user_id := user_id_of(name)) is not None
        ),
    )


def features(body: PopInputStable) -> frozenset[Feature]:
    """What the worker says it can do."""
    offered = {
        Feature.IMG2IMG: body.allow_img2img,
        Feature.PAINTING: body.allow_painting,
        Feature.POST_PROCESSING: body.allow_post_processing,
        Feature.TILING: True,
        Feature.HIRES_FIX: True,
        Feature.CLIP_SKIP: True,
    }
    return frozenset(feature for feature, is_offered in offered.items() if is_offered)
