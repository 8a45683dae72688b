"""Requests and jobs: `/generate/…`, the horde's main work."""

import math
import time
from functools import partial

import msgspec
import pybase64
from starlette.responses import Response

from ordu.engine import checkin, end, place, settle
from ordu.engine.claim import Claimed
from ordu.engine.explaining import explain
from ordu.engine.once import before
from ordu.engine.progress import Progress, progress_of
from ordu.kinds.image import IMAGE
from ordu.kinds.image.drawing import EMPTY_PAYLOAD, decode
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.explanations import RequestExplanation
from ordu.protocol.jobs import (
    GenerationPayload,
    GenerationSubmitted,
    NoValidRequestFoundStable,
    PopInputStable,
    PostJobSubmitRequest,
)
from ordu.protocol.requests import (
    GenerationInput,
    RequestAsync,
    RequestStatusCheck,
    RequestStatusStable,
)
from ordu.rules import money, names, results
from ordu.rules.lifecycle import JobId, JobState, RequestId
from ordu.rules.matching import Reason
from ordu.rules.money import Kudos
from ordu.server import etags, once, placing, sources, synchronous, taking, waiting
from ordu.server.call import Answer, Call, handles
from ordu.server.etags import NotModified
from ordu.server.explanations import request_explanation
from ordu.server.missed import Seen
from ordu.server.ratelimits import address_of
from ordu.server.shown import counted, generation
from ordu.server.streams import STREAM_S_MAX, EventStream
from ordu.server.synchronous import Waited
from ordu.store.jobs import Job
from ordu.store.requests import Request

UPLOAD_GRACE_S = 60  # an upload link outlives its job, so that a late one is told why

# Keys of `skipped` that programs of today expect even when they are zero (protocol sheet 11 §2).
ALWAYS_SKIPPED = (
    "worker_id",
    "performance",
    "nsfw",
    "untrusted",
    "models",
    "bridge_version",
    "unsafe_ip",
    "img2img",
    "painting",
    "post_processing",
    "lora",
    "controlnet",
    "max_pixels",
    "blacklist",
    "kudos",
    "step_count",
)


# Placing


@handles(operations.post_async_generate)
async def post_async_generate(call: Call[GenerationInput]) -> Answer:
    """Place a request and answer at once with its id."""
    key = once.once_of(call)
    earlier = await before(call.horde, key, placing.Told)
    if earlier is not None:
        return queued(call, earlier, is_again=True)
    wish = await placing.admitted(call)
    if call.body.dry_run:
        outlook = await placing.outlook_of(call, wish)
        return Answer(RequestAsync(**placing.price_of(call, wish), outlook=outlook), 200)
    place.check_open(call.horde)
    pictures = await sources.given(call)
    told = partial(placing.told, call)
    done = await placing.put_once(call, wish, pictures, key, told, placing.Told)
    return queued(call, done.reply, is_again=done.is_again)


def queued(call: Call[GenerationInput], told: placing.Told, *, is_again: bool) -> Answer:
    """The answer to who placed a request, with where it can be looked after."""
    status, events = (
        row.path.replace("{id}", told.id)
        for row in (operations.get_async_status, operations.get_async_events)
    )
    headers = {"Location": status, "Link": f'<{events}>; rel="monitor"'}
    return Answer(told.reply(), headers=headers | once.headers(call, is_again=is_again))


@handles(operations.post_sync_generate)
async def post_sync_generate(call: Call[GenerationInput]) -> Answer:
    """Place a request and answer when it is done, given up or expired."""
    key = once.once_of(call)
    earlier = await before(call.horde, key, str)
    if earlier is not None:
        synchronous.check_room(call)
        waited = Waited(RequestId(earlier), is_again=True, has_key=True)
        return await ended(call, await synchronous.until_done(call, waited), is_again=True)
    wish = await placing.admitted(call)
    if call.body.dry_run:
        return Answer(placing.price_of(call, wish))
    progress, is_again = await synchronous.finished_once(call, wish, key)
    return await ended(call, progress, is_again=is_again)


async def ended(call: Call[GenerationInput], progress: Progress, *, is_again: bool) -> Answer:
    """The answer with what came of a request."""
    headers = once.headers(call, is_again=is_again)
    return Answer(await status_of(call, progress), headers=headers)


# Watching


@handles(operations.get_async_check)
async def get_async_check(call: Call[None]) -> Answer | NotModified:
    """Say how far a request is, without its pictures."""
    wait_s, tags = waiting.wait_of(call), etags.given(call)
    progress = await waiting.progress(call, wait_s, tags)
    headers = etags.headers_of(progress.version) | waiting.applied(wait_s)
    if etags.has(tags, progress.version):
        return NotModified(headers)
    return Answer(RequestStatusCheck(**counted(progress)), headers=headers)


@handles(operations.get_async_status)
async def get_async_status(call: Call[None]) -> Answer | NotModified:
    """Say how far a request is, with its pictures."""
    wait_s, tags = waiting.wait_of(call), etags.given(call)
    progress = await waiting.progress(call, wait_s, tags)
    headers = etags.headers_of(progress.version) | waiting.applied(wait_s)
    if etags.has(tags, progress.version):
        return NotModified(headers)
    return Answer(await status_of(call, progress), headers=headers)


@handles(operations.get_async_events)
async def get_async_events(call: Call[None]) -> Response:
    """Tell what happens to a request until its end, from where the caller has seen it."""
    horde = call.horde
    progress = await progress_of(horde, call.path["id"])
    seen = Seen.read(call.header(b"last-event-id"))
    if progress.done and seen.version == progress.version:
        return Response(status_code=204)
    if waiting.is_full(call):
        raise Refused(
            "TooManyWaiters",
            "As many calls wait here already as may, of all or of yours."
            " Ask /api/v2/generate/check/ instead.",
            retry_after_s=5,
        )
    wait_s = waiting.wait_of(call, STREAM_S_MAX)
    headers, callers = waiting.applied(wait_s), waiting.callers_of(call)
    return EventStream(horde, progress, seen, wait_s or STREAM_S_MAX, headers, callers)


@handles(operations.delete_async_status)
async def delete_async_status(call: Call[None]) -> RequestStatusStable:
    """Drop what waits of a request; answer with its state after that."""
    request = await end.cancel(call.horde, RequestId(call.path["id"]))
    return await status_of(call, await progress_of(call.horde, request.id))


async def status_of(call: Call[object], progress: Progress) -> RequestStatusStable:
    """The full status: counts and finished pictures."""
    finished = [job for job in progress.jobs if job.state is JobState.DONE]
    generations = [
        generation(job, await picture_of(call, progress.request, job)) for job in finished
    ]
    return RequestStatusStable(**counted(progress), generations=generations, shared=False)


async def picture_of(call: Call[object], request: Request, job: Job) -> str:
    """A picture as a link where those were asked for and may be given, else in Base64."""
    horde = call.horde
    name = end.picture_name(job)
    if request.wants_links and horde.sends_links:
        return await horde.links.get_url(name)
    data = await horde.pictures.get(name)
    return pybase64.b64encode_as_string(data or b"")


# Working


@handles(operations.post_job_pop)
async def post_job_pop(call: Call[PopInputStable]) -> Answer:
    """Hand out a job, or say why there is none."""
    wait_s = waiting.wait_of(call)
    horde, body, user = call.horde, call.body, call.user
    name = names.worker_name(body.name)
    worker = await checkin.check_in(
        horde,
        user,
        name,
        IMAGE.name,
        lambda worker_id: IMAGE.offer(body, worker_id, user, horde.catalogue),
        address_of(call.http),
        call.raw,
    )
    began_s = time.perf_counter()
    outcome = await waiting.pop(call, worker, wait_s)
    if not wait_s and isinstance(outcome, Claimed):
        horde.tally.handed_out_s.append(time.perf_counter() - began_s)
    headers = waiting.applied(wait_s)
    if not isinstance(outcome, Claimed):
        return Answer(nothing_payload(outcome.skipped), headers=headers)
    lost = partial(end.return_soon, horde, outcome.jobs)
    try:
        return Answer(await job_payload(call, outcome), headers=headers, lost=lost)
    except BaseException:  # whatever goes wrong, and also when this task is cancelled
        lost()
        raise


def nothing_payload(skipped: dict[Reason, int]) -> GenerationPayload:
    """The answer without a job; programs read its `payload` all the same (sheet 11 §4.1)."""
    counts = dict.fromkeys(ALWAYS_SKIPPED, 0)
    counts |= {reason.value.replace("-", "_"): many for reason, many in skipped.items()}
    counts.pop("kind", None)
    return GenerationPayload(
        payload=EMPTY_PAYLOAD,
        id=None,
        ids=[],
        skipped=NoValidRequestFoundStable(**counts),
        model=None,
        source_image=None,
        source_processing="img2img",
        source_mask=None,
        extra_source_images=None,
        r2_upload=None,
        r2_uploads=None,
        messages=[],
        ttl=None,
    )


async def job_payload(call: Call[PopInputStable], claimed: Claimed) -> GenerationPayload:
    """The answer with a job."""
    horde, job, request = call.horde, claimed.job, claimed.request
    ttl_s = math.ceil((job.due_at - job.started_at) / 1000)
    uploads = [
        await horde.links.put_url(end.upload_name(each.id), ttl_s + UPLOAD_GRACE_S)
        for each in claimed.jobs
    ]
    drawing = decode(request.body)
    images = await sources.for_worker(horde, request.id, drawing)
    return GenerationPayload(
        payload=IMAGE.payload(request.body, job.seed, len(claimed.jobs)),
        id=job.id,
        ids=[each.id for each in claimed.jobs],
        skipped=NoValidRequestFoundStable(),
        model=job.model,
        source_image=images.source,
        source_processing=drawing.source_processing or "img2img",
        source_mask=images.mask,
        extra_source_images=images.extras or None,
        r2_upload=uploads[0],
        r2_uploads=uploads,
        messages=[],
        ttl=ttl_s,
    )


@handles(operations.post_job_submit)
async def post_job_submit(call: Call[PostJobSubmitRequest]) -> GenerationSubmitted:
    """Take a picture, pay for it; or take the word that there will be none."""
    body = call.body
    async with call.horde.one_hand(body.id):
        job = await settle.find_running(call.horde, body.id, call.user)
        if body.state == "faulted":
            await end.fault(call.horde, job.id)
            return GenerationSubmitted(reward=0)
        picture = call.horde.picture_name(job.id)
        async with taking.taken(call, job, picture or end.upload_name(job.id)) as seen:
            result = result_of(body, job, picture, seen)
            settled = await settle.deliver(call.horde, job, result, IMAGE.wanted)
    return GenerationSubmitted(reward=exact_reward(settled.reward))


def result_of(
    body: PostJobSubmitRequest, job: Job, picture: str | None, seen: results.Seen
) -> settle.Result:
    """What the worker says of its picture, and what was seen of it."""
    return settle.Result(
        job_id=JobId(job.id),
        seed=str(job.seed) if body.seed is None else str(body.seed),
        censored=taking.is_censored(body),
        metadata=msgspec.json.encode(body.gen_metadata).decode() if body.gen_metadata else None,
        picture=picture,
        seen=seen,
    )


def exact_reward(reward: Kudos) -> float:
    """A reward as it is told to the worker."""
    return money.exact(reward)


@handles(operations.get_async_explain)
async def get_async_explain(call: Call[None]) -> RequestExplanation:
    """Say why a request waits, and what would start it sooner."""
    found = await explain(call.horde, call.path["id"], IMAGE.has_word, IMAGE.ask)
    return request_explanation(found)
