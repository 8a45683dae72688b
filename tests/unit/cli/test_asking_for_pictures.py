"""`ordu generate`: what is sent for which options, what is refused here, what is saved."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests import builders
from tests.unit.cli.answering import Answering

from ordu.cli import metadata
from ordu.cli.requesting import PROMPTS_MAX
from ordu.cli.wishing import NO_OPTION, ROWS
from ordu.protocol.params import ModelGenerationInputStable
from ordu.protocol.requests import GenerationInput

WORKER = "0199c82c-c000-7182-892f-902bd23f0824"
ASYNC = "POST /generate/async"
FOX = builders.a_picture(64, 64, "orange")
DONE = {"finished": 1, "processing": 0, "waiting": 0, "done": True, "faulted": False}


def a_generation(number: int = 1, data: bytes = FOX, **change: Any) -> dict[str, Any]:
    return {
        "img": base64.b64encode(data).decode(), "seed": str(number), "id": f"g{number}",
        "model": "sketch", "worker_id": "w", "worker_name": "attic", "censored": False, **change,
    }  # fmt: skip


@pytest.fixture
def drawing(horde: Answering) -> Answering:
    """A horde that has every picture at once."""
    horde.to(ASYNC, {"id": "r", "kudos": 8.0}, status=202)
    horde.to("GET /generate/check/r", DONE)
    horde.to("GET /generate/status/r", {**DONE, "generations": [a_generation()]})
    return horde


def sent(horde: Answering) -> list[dict[str, Any]]:
    return [each.body for each in horde.asked if each.method == "POST"]


def prompts_sent(horde: Answering) -> set[str]:
    return {each["prompt"] for each in sent(horde)}


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "source.webp").write_bytes(FOX)
    return base64.b64encode(FOX).decode()


# -- what is sent ------------------------------------------------------------------------------


def test_every_field_of_a_request_is_an_option_or_has_a_reason_not_to_be():
    fields = set(GenerationInput.__struct_fields__)
    fields |= {f"params.{name}" for name in ModelGenerationInputStable.__struct_fields__}
    places = {row.place for row in ROWS} - {"negative", "not_workers", "batching"}
    assert places | set(NO_OPTION) == fields
    assert places.isdisjoint(NO_OPTION)


def test_nothing_said_is_any_model_and_a_picture_for_everybody(call, drawing):
    assert call("generate", "a fox").exit_code == 0
    assert sent(drawing) == [
        {
            "prompt": "a fox", "models": [], "nsfw": False, "censor_nsfw": False, "r2": True,
            "params": {
                "steps": 30, "n": 1, "width": 512, "height": 512, "cfg_scale": 5.0,
                "sampler_name": "k_euler_a", "karras": True,
            },
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "place", "value"),
    [
        ("--negative people", "prompt", "a fox###people"),
        ("--n 4", "params.n", 4),
        ("--width 640 --height 768", "params.height", 768),
        ("--steps 12", "params.steps", 12),
        ("--seed cat", "params.seed", "cat"),
        ("--model a --model b", "models", ["a", "b"]),
        ("--sampler k_dpmpp_2m", "params.sampler_name", "k_dpmpp_2m"),
        ("--no-karras", "params.karras", False),
        ("--cfg-scale 7.25", "params.cfg_scale", 7.25),
        ("--clip-skip 2", "params.clip_skip", 2),
        ("--hires-fix", "params.hires_fix", True),
        ("--tiling", "params.tiling", True),
        ("--transparent", "params.transparent", True),
        ("--lora snow", "params.loras", [{"name": "snow"}]),
        ("--lora snow:0.8", "params.loras", [{"name": "snow", "model": 0.8}]),
        ("--lora a:b:0.8:0.5", "params.loras", [{"name": "a:b", "model": 0.8, "clip": 0.5}]),
        (
            "--lora 123:0.8,trigger=snowy,version", "params.loras",
            [{"name": "123", "model": 0.8, "inject_trigger": "snowy", "is_version": True}],
        ),
        ("--ti easy:negprompt", "params.tis", [{"name": "easy", "inject_ti": "negprompt"}]),
        (
            "--ti easy:0.9:prompt", "params.tis",
            [{"name": "easy", "inject_ti": "prompt", "strength": 0.9}],
        ),
        (
            "--post-processing GFPGAN --post-processing strip_background",
            "params.post_processing", ["GFPGAN", "strip_background"],
        ),
        ("--facefixer-strength 0.5", "params.facefixer_strength", 0.5),
        ("--seed-variation 3", "params.seed_variation", 3),
        (
            "--workflow qr_code --extra-text qr_code=https://example.org", "params.extra_texts",
            [{"text": "https://example.org", "reference": "qr_code"}],
        ),
        (f"--worker {WORKER}", "workers", [WORKER]),
        (f"--not-worker {WORKER}", "worker_blacklist", True),
        ("--trusted", "trusted_workers", True),
        ("--no-slow-workers", "slow_workers", False),
        ("--extra-slow-workers", "extra_slow_workers", True),
        ("--nsfw", "nsfw", True),
        ("--censor", "censor_nsfw", True),
        ("--no-batching", "disable_batching", True),
        ("--allow-downgrade", "allow_downgrade", True),
        ("--no-replacement-filter", "replacement_filter", False),
        ("--webhook https://example.org/", "webhook", "https://example.org/"),
        ("--style a-style", "style", "a-style"),
        ("--proxied-account me", "proxied_account", "me"),
    ],
)  # fmt: skip
def test_an_option_is_sent_where_it_belongs(call, drawing, arguments, place, value):
    result = call("generate", "a fox", *arguments.split())
    assert (result.exit_code, result.stderr.count("ordu:")) == (0, 0)
    found: Any = sent(drawing)[0]
    for name in place.split("."):
        found = found[name]
    assert found == value


def test_pictures_are_sent_from_files_and_standard_input(call, drawing, source):
    done = call(
        "generate", "a fox", "--source-image", "source.webp", "--source-mask", "source.webp",
        "--source-processing", "inpainting", "--denoising-strength", "0.7",
    )  # fmt: skip
    assert done.exit_code == 0
    body = sent(drawing)[0]
    assert (body["source_image"], body["source_mask"]) == (source, source)
    assert (body["source_processing"], body["params"]["denoising_strength"]) == ("inpainting", 0.7)


def test_a_source_image_comes_through_a_pipe(call, drawing, source):
    assert call("generate", "a fox", "--source-image", "-", stdin=FOX).exit_code == 0
    assert sent(drawing)[0]["source_image"] == source


def test_a_source_image_may_be_a_link_and_a_remix_has_more(call, drawing, source):
    link = "https://example.org/a.webp"
    images = ("--extra-image", "source.webp:0.5", "--extra-image", "source.webp")
    done = call(
        "generate", "a fox", "--source-image", link, "--source-processing", "remix", *images
    )
    assert done.exit_code == 0
    assert sent(drawing)[0]["source_image"] == link
    assert sent(drawing)[0]["extra_source_images"] == [
        {"image": source, "strength": 0.5}, {"image": source},
    ]  # fmt: skip


def test_workers_are_named_or_given_by_id(call, drawing):
    drawing.to("GET /workers/name/attic", {"id": WORKER, "name": "attic"})
    assert call("generate", "a fox", "--not-worker", "attic").exit_code == 0
    assert sent(drawing)[0]["workers"] == [WORKER]


def test_a_worker_that_is_not_there_stops_it_before_anything_is_asked_for(call, drawing):
    drawing.to(
        "GET /workers/name/nobody", {"message": "No such.", "rc": "WorkerNotFound"}, status=404
    )
    result = call("generate", "a fox", "--worker", "nobody")
    assert (result.exit_code, result.stderr) == (1, "ordu: No such. (rc WorkerNotFound)\n")
    assert sent(drawing) == []


# -- what is refused before anything is sent ---------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--width 100", "--width: 100 is not a multiple of 64. Allowed: 64 to"),
        ("--steps 0", "--steps: 0 is too small. Allowed:"),
        ("--n 21", "--n: 21 is too large."),
        ("--cfg-scale nan", "--cfg-scale: It must be a number that is finite."),
        ("--cfg-scale 7.123", "--cfg-scale: 7.123 has more than two digits after the point."),
        ("--denoising-strength 2", "--denoising-strength: 2 is too large."),
        ("--lora :", "'--lora': it has no name. Write NAME[:MODEL[:CLIP]]"),
        ("--lora snow:9", "--lora: 9 is too large."),
        ("--lora snow:inf", "--lora: "),
        ("--lora a --lora b --lora c --lora d --lora e --lora f", "--lora: At most 5"),
        ("--ti x:nan", "--ti: It must be a number that is finite."),
        ("--extra-text qr_code", "'--extra-text': 'qr_code' has not both. Write REFERENCE=TEXT."),
        ("--extra-text abc=x", "--extra-text: It and --workflow need each other."),
        ("--sampler magic", "'--sampler': 'magic' is not one of 'k_lms'"),
        ("--post-processing x", "'--post-processing': 'x' is not one of"),
        ("--source-image gone.webp", "'--source-image': gone.webp: No such file or directory."),
        ("--source-image text.txt", "'--source-image': text.txt is text; WebP, PNG and JPEG"),
        ("--source-image .", "'--source-image': .: Is a directory."),
        ("--source-mask source.webp", "--source-mask: It needs a --source-image."),
        ("--source-processing inpainting", "--source-processing: It needs a --source-image."),
        ("--control-type canny", "--control-type: It needs a --source-image."),
        (
            "--source-image source.webp --control-type canny --source-processing inpainting",
            "--control-type: It does not go together with --source-processing inpainting.",
        ),
        (
            "--source-image source.webp --extra-image source.webp",
            "--extra-image: It is for --source-processing remix.",
        ),
        ("--webhook ftp://example.org/", "--webhook: It must be an address that begins with"),
        ("--webhook x", "--webhook: "),
        ("--worker a --not-worker b", "--not-worker: It does not go together with --worker."),
        ("--prompts gone.txt", "'--prompts': gone.txt: No such file or directory."),
        ("--prompts empty.txt", "--prompts: there is no prompt in empty.txt."),
        ("--prompts source.webp", "--prompts: source.webp is no text in UTF-8."),
        ("--prompts - --source-image -", "standard input is read for"),
        ("--like source.webp", "'--like': source.webp does not say what it was asked with."),
        ("--like text.txt", "'--like': text.txt is no WebP, PNG or JPEG picture."),
        ("--at-once 0", "'--at-once': 0 is not in the range"),
        ("--preview maybe", "'--preview': 'maybe' is not one of"),
    ],
)
def test_what_will_not_do_is_refused_here_and_names_the_option(
    call, horde, source, arguments, words
):
    Path("text.txt").write_text("no picture")
    Path("empty.txt").write_text("\n \n")
    result = call("generate", "a fox", *arguments.split(), stdin="a hare\n")
    assert result.exit_code == 2
    assert words in result.stderr
    assert horde.asked == []


def test_all_that_is_wrong_is_said_at_once(call, horde):
    result = call("generate", "a fox", "--width", "100", "--steps", "900", "--seed", "x" * 2000)
    lines = result.stderr.splitlines()[-3:]
    assert lines[0].startswith("Error: --")
    assert {line.removeprefix("Error: ").partition(":")[0] for line in lines} == {
        "--steps", "--seed", "--width",
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [[], ["  "], ["###people"], ["a fox", " "]])
def test_a_picture_of_nothing_is_refused(call, horde, arguments):
    result = call("generate", *arguments)
    assert result.exit_code == 2
    assert "Say what the picture is to be of: PROMPT, --prompts or --like." in result.stderr
    assert horde.asked == []


def test_there_is_a_bound_on_prompts(call, horde):
    result = call("generate", "-", stdin="fox\n" * (PROMPTS_MAX + 1))
    assert result.exit_code == 2
    assert "There are 1,001 prompts; at most 1,000 go." in result.stderr


# -- several prompts ---------------------------------------------------------------------------


def test_prompts_come_from_arguments_files_and_standard_input(call, drawing):
    Path("prompts.txt").write_text("\ufeffan owl\n\n  a hare  \n")
    done = call("generate", "a fox", "-", "--prompts", "prompts.txt", stdin="a bear\n")
    assert done.exit_code == 0
    assert prompts_sent(drawing) == {"a fox", "a bear", "an owl", "a hare"}
    assert [Path(line.split("  ")[0]).stem for line in done.stdout.splitlines()] == [
        "a-fox-1", "a-bear-1", "an-owl-1", "a-hare-1",
    ]  # fmt: skip


def test_a_negative_prompt_is_that_of_all_unless_a_prompt_has_its_own(call, drawing):
    assert call("generate", "a fox", "an owl###trees").exit_code == 0
    assert prompts_sent(drawing) == {"a fox", "an owl###trees"}
    assert call("generate", "a hare", "--negative", "people").exit_code == 0
    assert "a hare###people" in prompts_sent(drawing)


def test_one_that_fails_leaves_the_others(call, drawing):
    refusal = {"message": "Not that.", "rc": "CorruptPrompt"}
    drawing.answers[ASYNC] = [(202, {"id": "r"}), (400, refusal), (202, {"id": "r"})]
    done = call("generate", "a", "b", "c", "--at-once", "1", "--json")
    assert done.exit_code == 1
    assert [each["prompt"] for each in json.loads(done.stdout)] == ["a", "c"]
    assert done.stderr.endswith("ordu: 1 of 3 prompts failed:\n  b: Not that. (rc CorruptPrompt)\n")


def test_a_key_that_nobody_knows_stops_them_all(call, horde):
    horde.to(ASYNC, {"message": "Who?", "rc": "InvalidAPIKey"}, status=401)
    done = call("generate", *map(str, range(20)), "--at-once", "1")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.endswith("ordu: Who? (rc InvalidAPIKey)\n")
    assert len(horde.asked) == 1


def test_a_request_that_faulted_saves_what_there_is_and_fails(call, drawing):
    faulted = {**DONE, "done": False, "faulted": True}
    drawing.to("GET /generate/check/r", faulted)
    drawing.to("GET /generate/status/r", {**faulted, "generations": [a_generation()]})
    done = call("generate", "a fox", "--n", "2")
    assert done.exit_code == 1
    assert done.stdout == "a-fox-1.webp  (seed 1, drawn by attic)\n"
    assert "1 of its pictures were finished" in done.stderr
    assert Path("a-fox-1.webp").exists()


# -- what is saved -----------------------------------------------------------------------------


def test_a_picture_says_what_it_was_asked_with_and_json_says_where_it_is(call, drawing):
    done = call("generate", "a fox", "--negative", "people", "--json")
    (facts,) = json.loads(done.stdout)
    assert facts == {
        "path": "a-fox-1.webp", "bytes": Path("a-fox-1.webp").stat().st_size, "prompt": "a fox",
        "id": "g1", "seed": "1", "model": "sketch", "worker_name": "attic", "worker_id": "w",
        "censored": False,
    }  # fmt: skip
    kept = metadata.from_text(metadata.read_text(Path("a-fox-1.webp").read_bytes()) or "")
    assert kept is not None
    assert kept.request["prompt"] == "a fox###people"
    assert (kept.picture.seed, kept.picture.model) == ("1", "sketch")


def test_no_metadata_saves_what_came(call, drawing):
    assert call("generate", "a fox", "--no-metadata").exit_code == 0
    assert Path("a-fox-1.webp").read_bytes() == FOX


def test_bytes_that_are_no_picture_are_saved_as_they_came(call, drawing):
    odd = a_generation(data=b"what is this")
    drawing.to("GET /generate/status/r", {**DONE, "generations": [odd]})
    done = call("generate", "a fox", "--out", "fox", "--preview", "on")
    assert done.exit_code == 0
    assert Path("fox.bin").read_bytes() == b"what is this"
    assert "Without its parameters: picture g1 is no WebP, PNG or JPEG picture." in done.stderr


def test_files_are_replaced_only_when_that_is_said(call, drawing):
    Path("fox.webp").write_bytes(b"old")
    assert call("generate", "a fox", "--out", "fox.webp").stdout.startswith("fox-2.webp ")
    assert Path("fox.webp").read_bytes() == b"old"
    assert call("generate", "a fox", "--out", "fox.webp", "--overwrite").exit_code == 0
    assert Path("fox.webp").read_bytes().startswith(b"RIFF")


def test_a_place_that_cannot_be_written_is_one_line(call, drawing):
    Path("a-fox").write_text("a file where a folder should be")
    done = call("generate", "a fox", "--out", "{prompt}/{n}")
    assert done.exit_code == 1
    assert done.stderr.endswith("ordu: a-fox: File exists.\n")


def test_a_grid_has_all_pictures_beside_each_other(call, drawing):
    colours = ["orange", "navy", "teal"]
    pictures = [
        a_generation(number, builders.a_picture(128, 64, colour))
        for number, colour in enumerate(colours)
    ]
    drawing.to("GET /generate/status/r", {**DONE, "generations": pictures})
    done = call("generate", "a fox", "--n", "3", "--grid")
    assert done.stdout.splitlines()[-1] == "a-fox-0-grid.webp  (all 3)"
    with Image.open("a-fox-0-grid.webp") as grid:
        assert grid.size == (2 * 128 + 8, 2 * 64 + 8)
        shown = [grid.convert("RGB").getpixel(at) for at in [(64, 32), (200, 32), (64, 104)]]
    wanted = [Image.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in colours]
    for one, other in zip(shown, wanted, strict=True):
        assert all(abs(a - b) < 12 for a, b in zip(one, other, strict=True))


def test_without_pillow_a_grid_is_refused_before_anything_is_asked_for(call, horde, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    done = call("generate", "a fox", "--grid")
    assert done.exit_code == 2
    assert "To save a grid this needs pip install 'ordu[worker]'" in done.stderr
    assert horde.asked == []


# -- like ---------------------------------------------------------------------------------------


def test_like_asks_for_the_same_again(call, drawing):
    asked = ("--negative", "people", "--width", "640", "--lora", "snow:0.8", "--steps", "12")
    assert call("generate", "a fox", *asked, "--n", "3", "--out", "fox").exit_code == 0
    assert call("generate", "--like", "fox.webp").exit_code == 0
    first, again = sent(drawing)
    assert again == {
        **first, "models": ["sketch"], "params": {**first["params"], "n": 1, "seed": "1"},
    }  # fmt: skip


def test_like_gives_way_to_what_is_said(call, drawing):
    given = ("--negative", "people", "--steps", "12", "--out", "fox")
    assert call("generate", "a fox", *given).exit_code == 0
    more = ("--any-seed", "--any-model", "--steps", "15")
    assert call("generate", "an owl", "--like", "fox.webp", *more).exit_code == 0
    again = sent(drawing)[1]
    assert again["prompt"] == "an owl###people"
    assert again["models"] == []
    assert again["params"]["steps"] == 15
    assert "seed" not in again["params"]


def test_like_leaves_out_what_no_horde_takes_and_says_so(call, drawing):
    text = "an owl\nSteps: 20, Sampler: Restart, CFG scale: 7, Seed: 5, Size: 500x512, Model: m"
    Path("owl.webp").write_bytes(metadata.write_text(FOX, text))
    done = call("generate", "--like", "owl.webp")
    assert done.exit_code == 0
    assert "owl.webp: its --width is left out: 500 is not a multiple of 64." in done.stderr
    assert 'owl.webp: its --sampler is left out: "Restart" is not among the values.' in done.stderr
    body = sent(drawing)[0]
    assert (body["prompt"], body["models"], body["params"]["seed"]) == ("an owl", ["m"], "5")
    assert (body["params"]["width"], body["params"]["sampler_name"]) == (512, "k_euler_a")


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"params": []}, id="no params"),
        pytest.param({"params": {"loras": 5, "tis": {}, "n": 20}, "models": 7}, id="other kinds"),
        pytest.param({"params": {"control_type": "canny"}}, id="what needs a source"),
        pytest.param({"webhook": "https://x.example", "workers": ["w"]}, id="nobody's business"),
        pytest.param({"prompt": 5, "params": {"loras": [{"name": "x"}] * 9}}, id="too many"),
    ],
)
def test_like_believes_no_file(call, drawing, request_):
    kept = json.dumps({"request": request_})
    Path("odd.webp").write_bytes(metadata.write_text(FOX, f"Ordu: {json.dumps(kept)}"))
    done = call("generate", "a fox", "--like", "odd.webp")
    if "control_type" in str(request_):
        assert "--control-type: It needs a --source-image." in done.stderr
        return
    assert done.exit_code == 0
    body = sent(drawing)[0]
    assert (body["params"]["n"], body["models"]) == (1, [])
    assert {"webhook", "workers"}.isdisjoint(body)
    assert {"loras", "tis"}.isdisjoint(body["params"])


def test_like_says_that_a_source_image_is_not_kept(call, drawing, source):
    given = ("--source-image", "source.webp", "--source-processing", "inpainting")
    assert call("generate", "a fox", *given, "--out", "fox").exit_code == 0
    done = call("generate", "--like", "fox.webp")
    assert done.exit_code == 0
    assert "it was drawn over another picture, which is not kept in it" in done.stderr
    assert "source_processing" not in sent(drawing)[1]


# -- prices ------------------------------------------------------------------------------------


def test_a_dry_run_tells_prices_and_draws_nothing(call, horde):
    horde.to(ASYNC, {"kudos": 13.0, "kudos_exact": 12.25}, {"kudos": 8.0})
    done = call("generate", "a fox", "an owl", "--n", "2", "--dry-run")
    assert done.stdout == (
        "12.25 kudos  a fox (2 × 512×512, 30 steps)\n"
        "8 kudos  an owl (2 × 512×512, 30 steps)\n"
        "20.25 kudos together\n"
    )
    assert [each["dry_run"] for each in sent(horde)] == [True, True]
    assert list(Path().glob("*.webp")) == []


def test_a_dry_run_for_programs(call, horde):
    horde.to(ASYNC, {"kudos": 8.0})
    done = call("generate", "a fox", "--dry-run", "--json")
    assert json.loads(done.stdout) == [{"prompt": "a fox", "kudos": 8.0}]


def test_a_horde_that_draws_on_a_dry_run_is_stopped(call, horde):
    horde.to(ASYNC, {"id": "r"}, status=202)
    horde.to("DELETE /generate/status/r", DONE)
    done = call("generate", "a fox", "--dry-run")
    assert done.exit_code == 1
    assert "does not tell prices beforehand" in done.stderr
    assert horde.asked[-1].method == "DELETE"


def test_sections_of_the_help(call):
    text = call("generate", "--help").output
    titles = ["Options:", "How it is drawn:", "From a picture:", "Who draws it:", "Price and kind"]
    places = [text.index(f"\n{each}") for each in titles]
    assert places == sorted(places)
    for row in ROWS:
        assert f"  {row.shown} " in text


def test_previews_are_never_written_where_there_is_no_terminal(call, drawing):
    done = call("generate", "a fox", "--preview", "blocks")
    assert done.exit_code == 0
    assert "\x1b" not in done.output
