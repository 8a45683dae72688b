"""Pictures: how a wire body becomes a wish, a pop an offer, and a job a payload."""

from ordu.kinds.image import asking, costs, drawing, easing, offering, wanting
from ordu.kinds.kind import Kind
from ordu.protocol.jobs import ModelPayloadStable, PopInputStable
from ordu.protocol.requests import GenerationInput

IMAGE: Kind[GenerationInput, PopInputStable, ModelPayloadStable] = Kind(
    name=asking.KIND_NAME,
    wish=asking.wish,
    lighter=costs.lighter,
    offer=offering.offer,
    payload=drawing.payload,
    batch=drawing.batch,
    has_word=drawing.has_word,
    ask=easing.ask,
    wanted=wanting.wanted,
    settings=easing.settings,
)
