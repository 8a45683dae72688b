"""The messages: names and types of the seed, real defaults, and both eras' examples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from msgspec import UNSET, inspect

from ordu.protocol import (
    explanations,
    jobs,
    kudos,
    params,
    registration,
    replies,
    requests,
    status,
    users,
    workers,
)
from ordu.protocol.decoding import decode, decode_reply
from ordu.protocol.jobs import GenerationPayload, PopInputStable, PostJobSubmitRequest
from ordu.protocol.kudos import PostTransferKudosRequest
from ordu.protocol.operations import TABLE, Era
from ordu.protocol.params import Lora, ModelGenerationInputStable, ModelPayloadRootStable
from ordu.protocol.requests import GenerationInput, RequestAsync, RequestStatusStable
from ordu.protocol.status import PutHordeModesRequest
from ordu.protocol.users import PutUserSingleRequest, UserDetailsStable
from ordu.protocol.workers import PutWorkerSingleRequest, WorkerDetailsStable

SWAGGER = yaml.safe_load(
    (Path(__file__).parents[3] / "docs" / "seed" / "swagger-2022.yaml").read_text()
)
DEFINITIONS: dict[str, Any] = SWAGGER["definitions"]
MODULES = (
    explanations,
    jobs,
    kudos,
    params,
    registration,
    replies,
    requests,
    status,
    users,
    workers,
)
MESSAGES: dict[str, type[msgspec.Struct]] = {
    name: message
    for module in MODULES
    for name, message in vars(module).items()
    if isinstance(message, type) and issubclass(message, msgspec.Struct)
}
REQUESTS = [row.request for row in TABLE if row.request]
REPLIES = [row.reply for row in TABLE if row.reply]
# Given to the horde and handed on, so they are bounded and their defaults are filled in.
HANDED_ON = {"Lora", "TextualInversion", "ExtraText", "ExtraSourceImage", "GenerationMetadata"}


def members(kind: inspect.Type) -> Iterator[inspect.Type]:
    """The types a field can have, without documentation, null and unset."""
    if isinstance(kind, inspect.Metadata):
        yield from members(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for inner in kind.types:
            yield from members(inner)
    elif not isinstance(kind, inspect.NoneType):
        yield kind


def structs_in(kind: inspect.Type, seen: dict[str, inspect.StructType]) -> None:
    """Collect every struct that a message of this type can contain."""
    for member in members(kind):
        if isinstance(member, inspect.ListType):
            structs_in(member.item_type, seen)
        if isinstance(member, inspect.StructType) and member.cls.__name__ not in seen:
            seen[member.cls.__name__] = member
            for field in member.fields:
                structs_in(field.type, seen)


def within(messages: list[Any]) -> dict[str, inspect.StructType]:
    seen: dict[str, inspect.StructType] = {}
    for message in messages:
        structs_in(inspect.type_info(message), seen)
    return seen


def fields_of(message: type) -> dict[str, inspect.Field]:
    info = inspect.type_info(message)
    assert isinstance(info, inspect.StructType)
    return {field.encode_name: field for field in info.fields}


# -- the seed ----------------------------------------------------------------------------------

JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (inspect.StrType, inspect.LiteralType),
    "integer": (inspect.IntType,),
    "number": (inspect.FloatType,),
    "boolean": (inspect.BoolType,),
    "array": (inspect.ListType,),
}


def seed_fields(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for part in definition.get("allOf", [definition]):
        if "$ref" in part:
            yield from seed_fields(DEFINITIONS[part["$ref"].rsplit("/", 1)[1]])
        else:
            yield from part["properties"].items()


INLINE = {
    "PostJobSubmitRequest": "/v2/generate/submit post",
    "PostTransferKudosRequest": "/v2/kudos/transfer post",
    "PutHordeModesRequest": "/v2/status/modes put",
    "PutUserSingleRequest": "/v2/users/{user_id} put",
    "PutWorkerSingleRequest": "/v2/workers/{worker_id} put",
}


def inline_definition(name: str) -> dict[str, Any]:
    path, method = INLINE[name].split()
    parameters = SWAGGER["paths"][path][method]["parameters"]
    schema: dict[str, Any] = next(said["schema"] for said in parameters if said["in"] == "body")
    return schema


SEED_FIELDS = [
    pytest.param(name, field, said, id=f"{name}.{field}")
    for name, definition in [*DEFINITIONS.items(), *((n, inline_definition(n)) for n in INLINE)]
    for field, said in seed_fields(definition)
]


@pytest.mark.parametrize(("name", "field", "said"), SEED_FIELDS)
def test_every_field_of_the_seed_is_there_with_its_type(name, field, said):
    ours = list(members(fields_of(MESSAGES[name])[field].type))
    if "$ref" in said:
        reference = said["$ref"].rsplit("/", 1)[1]
        assert [member.cls.__name__ for member in ours] == [reference]  # type: ignore[attr-defined] # structs only
    elif (name, field) == ("PutUserSingleRequest", "kudos"):
        assert isinstance(ours[0], inspect.FloatType)  # wider: kudos have hundredths here
    else:
        assert any(isinstance(member, JSON_TYPES[said["type"]]) for member in ours)


@pytest.mark.parametrize(("name", "field", "said"), SEED_FIELDS)
def test_what_the_seed_allows_is_allowed(name, field, said):
    """Bounds of requests are at least as wide as the seed's."""
    if name not in {"GenerationInput", "ModelGenerationInputStable", "PopInputStable", *INLINE}:
        return
    (ours, *_) = members(fields_of(MESSAGES[name])[field].type)
    if isinstance(ours, (inspect.IntType, inspect.FloatType)):
        assert ours.ge is None or ours.ge <= said.get("minimum", ours.ge)
        assert ours.le is None or ours.le >= said.get("maximum", ours.le)
        assert ours.multiple_of in {None, said.get("multipleOf")}
    if isinstance(ours, inspect.LiteralType):
        assert set(said["enum"]) <= set(ours.values)


@pytest.mark.parametrize("name", [n for n, said in DEFINITIONS.items() if "allOf" in said])
def test_inheritance_is_that_of_the_seed(name):
    for part in DEFINITIONS[name]["allOf"]:
        if "$ref" in part:
            assert issubclass(MESSAGES[name], MESSAGES[part["$ref"].rsplit("/", 1)[1]])


# -- every message -----------------------------------------------------------------------------


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_every_field_is_described(message):
    assert message.__doc__
    for name, field in fields_of(message).items():
        schema = msgspec.json.schema_components([message])[1][message.__name__]
        assert schema["properties"][name].get("description"), field


def test_every_number_text_and_list_of_a_request_is_bounded():
    """No number beyond 64 bits, and no list without end; texts end with the body."""
    for name, struct in within(REQUESTS).items():
        for field in struct.fields:
            for member in members(field.type):
                where = f"{name}.{field.encode_name}"
                if isinstance(member, (inspect.IntType, inspect.FloatType)):
                    assert member.ge is not None, where
                    assert member.le is not None, where
                    assert -(2**63) <= member.ge <= member.le <= 2**63 - 1, where
                if isinstance(member, inspect.ListType):
                    assert member.max_length is not None, where


@pytest.mark.parametrize("reply", REPLIES, ids=str)
def test_an_answer_may_lack_any_field(reply):
    if isinstance(reply, type):
        assert all(getattr(reply(), name) is UNSET for name in reply.__struct_fields__)
        assert msgspec.json.decode(b"{}", type=reply) == reply()
        assert msgspec.json.encode(reply()) == b"{}"


def test_what_answers_contain_may_lack_any_field_too():
    for name, struct in within(REPLIES).items():
        if name not in HANDED_ON:
            assert not any(field.required for field in struct.fields), name
            assert msgspec.json.encode(struct.cls()) == b"{}", name


# -- what is used when a field is absent (protocol sheets 10 §1 and 11 §1) ---------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("params", ModelGenerationInputStable()),
        ("nsfw", True),
        ("censor_nsfw", True),
        ("trusted_workers", False),
        ("workers", []),
        ("models", ["stable_diffusion"]),
        ("source_image", None),
        ("worker_blacklist", False),
        ("slow_workers", True),
        ("extra_slow_workers", False),
        ("validated_backends", True),
        ("source_processing", "img2img"),
        ("source_mask", None),
        ("extra_source_images", None),
        pytest.param("r2", False, id="r2 absent means base64"),
        ("shared", False),
        ("replacement_filter", True),
        ("dry_run", False),
        ("proxied_account", None),
        ("disable_batching", False),
        ("allow_downgrade", False),
        ("webhook", None),
        ("style", None),
    ],
)
def test_defaults_of_a_request(field, value):
    assert getattr(decode(GenerationInput, b'{"prompt":"a fox"}'), field) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 30),
        ("n", 1),
        ("width", 512),
        ("height", 512),
        ("sampler_name", "k_euler_a"),
        ("cfg_scale", 5.0),
        ("karras", True),
        ("seed", None),
        ("seed_variation", None),
        ("denoising_strength", None),
        ("hires_fix", False),
        ("hires_fix_denoising_strength", None),
        ("clip_skip", None),
        ("tiling", False),
        ("transparent", False),
        ("post_processing", None),
        ("control_type", None),
        ("image_is_control", False),
        ("return_control_map", False),
        ("loras", None),
        ("tis", None),
        ("use_gfpgan", False),
        ("use_real_esrgan", False),
        ("toggles", None),
    ],
)
def test_defaults_of_params(field, value):
    assert getattr(decode(GenerationInput, b'{"prompt":"a fox"}').params, field) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("models", []),
        ("max_pixels", 262_144),
        ("nsfw", True),
        ("blacklist", []),
        ("priority_usernames", []),
        ("bridge_version", 1),
        pytest.param("bridge_agent", None, id="bridge_agent absent can be told"),
        ("threads", 1),
        ("amount", 1),
        ("require_upfront_kudos", False),
        ("allow_img2img", True),
        ("allow_painting", True),
        ("allow_unsafe_ipaddr", True),
        ("allow_post_processing", True),
        ("allow_controlnet", False),
        ("allow_sdxl_controlnet", False),
        ("allow_lora", False),
        ("limit_max_steps", False),
        ("extra_slow_worker", False),
    ],
)
def test_defaults_of_a_pop(field, value):
    assert getattr(decode(PopInputStable, b'{"name":"attic"}'), field) == value


@pytest.mark.parametrize(
    "message", [PutHordeModesRequest, PutUserSingleRequest, PutWorkerSingleRequest]
)
def test_a_change_changes_nothing_that_is_not_named(message):
    assert all(getattr(decode(message, b"{}"), name) is None for name in message.__struct_fields__)


def test_other_defaults():
    assert decode(PostTransferKudosRequest, b'{"username":"fox#1"}').amount == 100
    submit = decode(PostJobSubmitRequest, b'{"id":"j"}')
    assert (submit.generation, submit.seed, submit.state, submit.gen_metadata) == (
        "",
        None,
        "ok",
        [],
    )
    lora = msgspec.json.decode(b'{"name":"ink"}', type=Lora)
    assert (lora.model, lora.clip, lora.is_version) == (1.0, 1.0, False)
    assert b"inject_trigger" not in msgspec.json.encode(lora)


# -- bounds of both eras -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "accepted", "refused"),
    [
        pytest.param("width", [64, 1024, 3072], [0, 63, 100, 3136, -64], id="width"),
        pytest.param("height", [64, 1024, 3072], [0, 63, 100, 3136, -64], id="height"),
        pytest.param("steps", [1, 100, 500], [0, 501], id="steps"),
        pytest.param("n", [1, 20], [0, 21], id="n"),
        pytest.param("cfg_scale", [-40, 0, 7.25, 100], [-40.5, 100.5], id="cfg_scale"),
        pytest.param("denoising_strength", [0, 0.07, 1], [-0.01, 1.01], id="denoising_strength"),
        pytest.param("hires_fix_denoising_strength", [0, 1], [1.5], id="hires denoising"),
        pytest.param("facefixer_strength", [0, 1], [1.5], id="facefixer_strength"),
        pytest.param("clip_skip", [1, 12], [0, 13], id="clip_skip"),
        pytest.param("seed_variation", [1, 1000], [0, 1001], id="seed_variation"),
        pytest.param(
            "sampler_name",
            ["PLMS", "DDIM", "lcm", "k_dpmpp_sde", "dpmsolver"],
            ["plms", "ddim", "euler", ""],
            id="sampler_name",
        ),
        pytest.param("seed", ["", "12", "a fox"], [12, ["1"]], id="seed"),
        pytest.param("post_processing", [[], ["GFPGAN"]], [["upscale"], "GFPGAN"], id="post"),
        pytest.param("control_type", ["canny", "hough"], ["mlsd"], id="control_type"),
        pytest.param("workflow", ["qr_code"], ["other"], id="workflow"),
        pytest.param("karras", [True, False], ["true", 1], id="karras"),
        pytest.param("toggles", [[], [1, 4]], [["1"]], id="toggles"),
    ],
)
def test_bounds_of_params(field, accepted, refused):
    for value in accepted:
        sent = msgspec.convert({field: value}, ModelGenerationInputStable)
        assert getattr(sent, field) == value
    for value in refused:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({field: value}, ModelGenerationInputStable)


@pytest.mark.parametrize("seed", [12, -1, 0, "12", "a fox", 2**32])
def test_submit_takes_a_seed_of_either_era(seed):
    assert decode(PostJobSubmitRequest, json.dumps({"id": "j", "seed": seed}).encode()).seed == seed


def test_too_many_loras_pass_the_message_because_a_rule_refuses_them():
    sent = msgspec.convert({"loras": [{"name": "a"}] * 6}, ModelGenerationInputStable)
    assert sent.loras is not None
    assert len(sent.loras) == 6


# -- what programs really send and read --------------------------------------------------------

BRIDGE_OF_2022 = """{"name": "attic", "max_pixels": 262144, "priority_usernames": [], "nsfw": true,
  "blacklist": [], "models": ["stable_diffusion"], "allow_img2img": true, "allow_unsafe_ip": true,
  "bridge_version": 3}"""
WORKER_OF_TODAY = """{"name": "attic", "models": ["SDXL 1.0"], "bridge_agent":
  "AI Horde Worker reGen:10.0.0:x", "nsfw": false, "threads": 2, "amount": 4, "max_pixels": 4194304,
  "require_upfront_kudos": true, "allow_img2img": true, "allow_painting": true,
  "allow_unsafe_ipaddr": true, "allow_post_processing": true, "allow_controlnet": false,
  "allow_sdxl_controlnet": false, "allow_lora": true, "extra_slow_worker": false,
  "limit_max_steps": true, "priority_usernames": ["fox#1"], "blacklist": ["cat"]}"""


def test_the_pop_of_2022_has_no_agent():
    pop = decode(PopInputStable, BRIDGE_OF_2022.encode())
    assert (pop.bridge_agent, pop.bridge_version, pop.threads) == (None, 3, 1)


def test_the_pop_of_today():
    pop = decode(PopInputStable, WORKER_OF_TODAY.encode())
    assert pop.bridge_agent == "AI Horde Worker reGen:10.0.0:x"
    assert (pop.threads, pop.amount, pop.allow_lora, pop.limit_max_steps) == (2, 4, True, True)


def test_the_request_of_2022():
    sent = decode(
        GenerationInput,
        b"""{"prompt": "a fox", "params": {"sampler_name": "PLMS", "toggles": [1, 4],
        "cfg_scale": -40, "denoising_strength": 0.07, "seed": "12", "height": 64, "width": 1024,
        "seed_variation": 1,
        "use_gfpgan": true, "use_real_esrgan": true, "use_ldsr": true, "use_upscaling": true,
        "steps": 50, "n": 4}, "nsfw": false, "trusted_workers": true, "censor_nsfw": false,
        "workers": ["w"], "models": ["stable_diffusion"], "source_image": "UklGRg=="}""",
    )
    assert (sent.params.sampler_name, sent.params.use_gfpgan, sent.nsfw) == ("PLMS", True, False)


def test_the_request_of_today():
    sent = decode(
        GenerationInput,
        b"""{"prompt": "a fox###blurry", "params": {"sampler_name": "lcm", "cfg_scale": 2.25,
        "width": 3072, "height": 3072, "steps": 500, "n": 20, "karras": false, "hires_fix": true,
        "clip_skip": 2, "post_processing": ["GFPGAN", "RealESRGAN_x4plus"], "loras": [{"name": "1",
        "model": -5, "is_version": true, "inject_trigger": "any"}], "tis": [{"name": "7",
        "inject_ti": "negprompt", "strength": 0.5}], "control_type": "canny"}, "r2": true,
        "shared": false, "replacement_filter": true, "slow_workers": true, "dry_run": true,
        "extra_source_images": [{"image": "UklGRg=="}], "source_processing": "remix"}""",
    )
    assert (sent.r2, sent.dry_run, sent.source_processing) == (True, True, "remix")
    assert sent.params.loras == [Lora(name="1", model=-5, is_version=True, inject_trigger="any")]


def test_the_submit_of_2022_and_of_today():
    old = b'{"id":"j","generation":"UklGRg==","api_key":"0","seed":"12","max_pixels":262144}'
    assert decode(PostJobSubmitRequest, old).seed == "12"
    new = b"""{"id": "j", "generation": "R2", "seed": 12, "state": "censored", "censored": true,
      "gen_metadata": [{"type": "censorship", "value": "nsfw", "ref": "", "other": 1}]}"""
    submit = decode(PostJobSubmitRequest, new)
    assert (submit.state, submit.gen_metadata[0].type) == ("censored", "censorship")


def test_answers_of_2022_are_read():
    done = decode_reply(
        RequestStatusStable,
        b"""{"finished": 1, "processing": 0, "waiting": 0, "done": true, "faulted": false,
        "wait_time": 0, "queue_position": 0, "generations": [{"worker_id": "w", "worker_name":
        "attic", "model": "stable_diffusion", "img": "UklGRg==", "seed": "12"}]}""",
    )
    assert (done.finished, done.kudos, done.is_possible) == (1, UNSET, UNSET)
    assert done.generations is not UNSET
    assert done.generations[0].censored is UNSET
    job = decode_reply(
        GenerationPayload,
        b"""{"payload": {"prompt": "a fox", "ddim_steps": 50, "n_iter": 1,
        "sampler_name": "k_euler", "cfg_scale": 5.0, "height": 512, "width": 512, "seed": "12",
        "toggles": [1, 4]},
        "id": "j", "skipped": {"max_pixels": 2}, "model": "stable_diffusion"}""",
    )
    assert (job.id, job.ids, job.r2_upload) == ("j", UNSET, UNSET)


def test_answers_of_today_are_read():
    empty = decode_reply(
        GenerationPayload,
        b"""{"payload": {"ddim_steps": 30, "n_iter": 1, "sampler_name": "k_euler_a",
        "cfg_scale": 7.5, "height": 512, "width": 512, "karras": false}, "id": null, "ids": [],
        "messages": [],
        "ttl": null, "skipped": {"worker_id": 0, "post-processing": 3, "kudos": 1}, "model": null,
        "source_image": null, "source_processing": "img2img", "source_mask": null,
        "extra_source_images": null, "r2_upload": null, "r2_uploads": null}""",
    )
    assert (empty.id, empty.ids, empty.ttl) == (None, [], None)
    assert empty.skipped is not UNSET
    assert (empty.skipped.post_processing, empty.skipped.kudos) == (3, 1)
    user = decode_reply(
        UserDetailsStable,
        b"""{"username": "ferris#42", "id": 42, "kudos": 1312.0, "kudos_details": {"donated": 0},
        "usage": {"megapixelsteps": null, "requests": null}, "monthly_kudos": {},
        "worker_ids": null, "records": {"usage": {"megapixelsteps": 12.5, "tokens": 0},
        "request": {"image": 3}}}""",
    )
    assert (user.id, user.worker_ids) == (42, None)
    worker = decode_reply(
        WorkerDetailsStable,
        b"""{"type": "image", "name": "attic-gpu", "kudos_details": {"generated": 130.0,
        "uptime": 60}, "team": {"name": null, "id": null}, "post-processing": true,
        "uptime": 640}""",
    )
    assert worker.post_processing is True


def test_a_newer_server_may_name_what_is_unknown_here():
    job = decode_reply(
        GenerationPayload,
        b"""{"payload": {"sampler_name": "k_new", "width": 8192, "post_processing": ["Finer"],
        "control_type": "new", "workflow": "new", "cfg_scale": 250}, "id": "j", "new": {}}""",
    )
    assert job.payload is not UNSET
    assert (job.payload.sampler_name, job.payload.width) == ("k_new", 8192)


def test_kudos_are_written_as_they_are_given():
    assert msgspec.json.encode(RequestAsync(id="r", kudos=6, kudos_exact=5.99)) == (
        b'{"id":"r","kudos":6,"kudos_exact":5.99}'
    )


def test_the_types_of_a_job_are_never_narrower_than_those_of_a_request():
    shared = set(ModelPayloadRootStable.__struct_fields__)
    sent = ModelGenerationInputStable(
        seed="1", loras=[Lora(name="a")], post_processing=["GFPGAN"], control_type="canny"
    )
    raw = msgspec.json.encode({n: getattr(sent, n) for n in shared})
    assert msgspec.json.decode(raw, type=ModelPayloadRootStable).loras == [Lora(name="a")]


def test_only_operations_of_ours_take_or_give_something_else_than_json():
    for row in TABLE:
        if (row.consumes, row.produces) != ("application/json", "application/json"):
            assert row.era is Era.ORDU
            assert row.request is None
            assert row.reply is None
