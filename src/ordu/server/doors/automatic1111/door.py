"""The door: what each path of this API does.

A call that draws is read, translated, drawn as any synchronous request, and answered with the
finished pictures. `Callers` has what the API takes for the program's state.
"""

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from ordu.engine import end
from ordu.engine.horde import Horde
from ordu.engine.progress import Progress as HordeProgress
from ordu.engine.tidings import AskedAsProgram, SetAsProgram
from ordu.protocol.decoding import decode
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput
from ordu.server.call import Call
from ordu.server.doors import drawing
from ordu.server.doors.automatic1111 import infotexts, pictures, reporting, standing
from ordu.server.doors.automatic1111.answers import answer
from ordu.server.doors.automatic1111.asking import Chosen, generation_input
from ordu.server.doors.automatic1111.callers import Callers, name_of
from ordu.server.doors.automatic1111.lists import sd_models
from ordu.server.doors.automatic1111.messages import (
    Drawn,
    ImageToImage,
    Picture,
    PngInfo,
    PngInfoInput,
    TaskInput,
    TextToImage,
)
from ordu.server.doors.automatic1111.names import model_of, models_here, sampling_of
from ordu.server.doors.automatic1111.refusals import CLIP_SKIP, FACES, MODEL, check, check_settings

IMG2IMG = "img2img"


@dataclass
class Automatic1111:
    """The handlers of this door for one horde."""

    horde: Horde
    callers: Callers

    def __post_init__(self) -> None:
        """Get ready; nothing is asked for yet."""

    # Drawing

    async def txt2img(self, call: Call[None]) -> Response:
        """Draw from a prompt."""
        return await self.drawn(call, decode(TextToImage, call.raw), "txt2img")

    async def img2img(self, call: Call[None]) -> Response:
        """Draw from a picture, or in a part of one."""
        body = decode(ImageToImage, call.raw)
        if not body.init_images:
            words = "Init image not found: put the picture to draw from into `init_images`."
            raise Refused("BadPicture", words, 404)
        return await self.drawn(call, body, IMG2IMG)

    async def drawn(self, call: Call[None], body: Picture, job: str) -> Response:
        """What a call asks for, once it is drawn."""
        check(body)
        chosen = self.chosen(call, body)
        source, mask = "", ""
        if isinstance(body, ImageToImage):
            source, mask = await self.sources(body)
        wanted = generation_input(body, chosen, source, mask)
        who, is_told = name_of(call), False

        async def tell(progress: HordeProgress) -> None:
            nonlocal is_told
            if not is_told:
                is_told = True
                request_id = progress.request.id
                steps = body.steps
                self.callers.asked(AskedAsProgram(who, request_id, body.force_task_id, job, steps))

        found = await drawing.drawn(with_body(call, wanted), tell)
        report = reporting.Report(body, wanted, chosen, found)
        images = []
        if body.send_images:
            for number, picture in enumerate(found.pictures):
                data = await drawing.content(self.horde, picture)
                images.append(await self.image(data, report.infotext(number)))
        return answer(Drawn(images=images, parameters=report.parameters(), info=report.info()))

    def chosen(self, call: Call[None], body: Picture) -> Chosen:
        """The model, sampler and clip skip that a call means."""
        options = self.callers.options(name_of(call), self.horde.now())
        named = body.override_settings.get(MODEL)
        models: tuple[str, ...] = ()
        if named:
            models = (model_of(self.horde, named, f"override_settings.{MODEL}"),)
        elif options is not None and options.model:
            models = (options.model,)
        else:
            models = tuple(models_here(self.horde)[:1])
        usual_skip = 1 if options is None else options.clip_skip
        return Chosen(
            models,
            sampling_of(body.sampler_name or body.sampler_index, body.scheduler),
            body.override_settings.get(CLIP_SKIP) or usual_skip,
        )

    async def sources(self, body: ImageToImage) -> tuple[str, str]:
        """The picture to draw from and its mask in Base64, of the right shape."""
        source = await self.source(body, body.init_images[0], "init_images")
        if not body.mask:
            return source, ""
        return source, await self.source(body, body.mask, "mask", is_mask=True)

    async def source(
        self, body: ImageToImage, text: str, field: str, *, is_mask: bool = False
    ) -> str:
        """A picture as it is sent to workers, which crop what has other proportions.

        Raises:
            Refused: ValidationFailed.
        """
        data, known = pictures.given(text, self.horde.settings, field)
        is_other = known.width * body.height != known.height * body.width
        if is_other and body.resize_mode > 1:
            words = "Send 0 (stretch), 1 (crop), or a picture of the proportions asked for."
            raise Refused("ValidationFailed", words, errors={"resize_mode": words})
        if is_other and body.resize_mode == 0:
            data = await pictures.stretched(data, body.width, body.height, field)
        if is_mask and body.inpainting_mask_invert:
            data = await pictures.turned_round(data, field)
        return pictures.as_text(data)

    async def image(self, data: bytes, infotext: str) -> str:
        """A finished picture in Base64, as PNG where it is not too large for that."""
        return pictures.as_text(await pictures.with_parameters(data, infotext))

    # How far it is

    async def progress(self, call: Call[None]) -> Response:
        """How far the caller's newest call is."""
        asked = self.callers.newest(name_of(call))
        found = await standing.found(self.horde, asked)
        return answer(standing.progress_reply(self.horde, asked, found))

    async def task_progress(self, call: Call[None]) -> Response:
        """How far that call of the caller is that was sent with this `force_task_id`."""
        task_id = decode(TaskInput, call.raw).id_task
        asked = self.callers.by_task(name_of(call), task_id) if task_id else None
        return answer(standing.task_reply(self.horde, await standing.found(self.horde, asked)))

    async def interrupt(self, call: Call[None]) -> Response:
        """Drop what waits of the caller's newest call."""
        asked = self.callers.newest(name_of(call))
        if await standing.found(self.horde, asked) is not None and asked is not None:
            await end.cancel(self.horde, asked.request_id)
        return answer({})

    # Options

    async def get_options(self, call: Call[None]) -> Response:
        """The options that count for the caller."""
        options = self.callers.options(name_of(call), self.horde.now())
        usual = models_here(self.horde)[:1]
        model = options.model if options is not None and options.model else "".join(usual)
        return answer(
            {
                MODEL: model or None,
                CLIP_SKIP: 1 if options is None else options.clip_skip,
                "sd_checkpoint_hash": None,
                "sd_vae": "Automatic",
                "samples_format": "png",
            }
        )

    async def post_options(self, call: Call[None]) -> Response:
        """Keep options for the caller, for a while: the model and how many layers are left out."""
        settings = decode(dict[str, Any], call.raw)
        check_settings(settings)
        if settings.get(FACES):
            words = "Send it in `override_settings` of each call; it is not kept."
            raise Refused("ValidationFailed", words, errors={FACES: words})
        who, now = name_of(call), self.horde.now()
        known = self.callers.options(who, now)
        model, clip_skip = ("", 1) if known is None else (known.model, known.clip_skip)
        if settings.get(MODEL):
            model = model_of(self.horde, settings[MODEL], MODEL)
        self.callers.set(SetAsProgram(who, now, model, settings.get(CLIP_SKIP) or clip_skip))
        return answer(None)

    # The rest

    async def models(self, call: Call[None]) -> Response:
        """The models that workers offer now."""
        return answer(sd_models(call.horde))

    async def png_info(self, call: Call[None]) -> Response:
        """What stands in a picture about how it was drawn."""
        text = decode(PngInfoInput, call.raw).image
        data, _ = pictures.given(text, self.horde.settings, "image")
        texts = await pictures.texts_in(data)
        info = texts.get(pictures.PARAMETERS, "")
        return answer(
            PngInfo(info=info, items=texts, parameters=infotexts.read(info) if info else {})
        )


def with_body(call: Call[None], body: GenerationInput) -> Call[GenerationInput]:
    """The same call, as if it had come to the horde's own API."""
    return Call(
        call.horde,
        call.secret,
        call.operation,
        call.caller,
        body,
        call.raw,
        call.http,
        call.request_id,
    )
