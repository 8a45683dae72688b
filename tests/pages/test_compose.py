"""The composer of the page Ask: what is asked for, what is said before, and how it is sent."""

import base64
import io
import json
import re

import httpx
import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.builders import a_picture
from tests.pages.conftest import axe_everywhere
from tests.system.processes import until

POP = {"models": ["stable_diffusion"], "max_pixels": 1024 * 1024, "bridge_agent": "Ordu:1:x"}
ASYNC = "**/api/v2/generate/async"


@pytest.fixture
def horde_server(processes):
    """A horde for each test: what waits and who is here is what it is about."""
    server = processes.server(data=f"horde-{len(processes.started)}")
    yield server
    server.kill()


@pytest.fixture
def pop(horde_server):
    """A machine asks for work; the answer."""

    def pops(name="attic", **offer):
        reply = httpx.post(
            f"{horde_server.url}/api/v2/generate/pop",
            json=POP | {"name": name} | offer,
            headers={"apikey": horde_server.admin_key},
        )
        assert reply.status_code == 200, reply.text
        return reply.json()

    return pops


def rich(server, name="aida", kudos=1000):
    """Somebody with kudos."""
    key = server.register(name)
    admin = {"apikey": server.admin_key}
    with httpx.Client(base_url=server.url) as api:
        user = api.get("/api/v2/find_user", headers={"apikey": key}).json()
        path = f"/api/v2/users/{user['id']}"
        assert api.put(path, json={"kudos": kudos}, headers=admin).status_code == 200
    return key


def heard(page):
    """Keep what the page tells its other parts."""
    page.evaluate(
        "window.heard = [];"
        "document.addEventListener('ordu:asked', ({detail}) => heard.push(detail))"
    )


def asked(page):
    """The request that was placed, once it is."""
    until(lambda: page.evaluate("window.heard.length > 0"), "a request")
    return page.evaluate(
        "(({id, body, source, kudos}) => ({id, body, kudos, hasSource: source !== null,"
        " hasMask: !!source?.mask}))(heard.at(-1))"
    )


def test_a_prompt_is_asked_for_as_it_was_put_together(person, horde_server, pop):
    pop()
    person.sign_in(rich(horde_server))
    page = person.open("/")
    heard(page)
    page.get_by_label("What should be in the picture?").fill("a yurt under snow")
    page.get_by_label("Leave out").fill("text")
    page.get_by_label("Pictures", exact=True).select_option("4")
    page.get_by_label("Steps").fill("20")
    page.get_by_label("Sampler").select_option("Heun")
    page.get_by_label("Seed", exact=True).fill("blue")
    expect(page.locator("#price")).to_contain_text(re.compile(r"16 kudos, ready in about \d+ s"))
    expect(page.locator("#price")).to_contain_text("You keep 984 kudos.")
    page.get_by_role("button", name="Ask for 4 pictures").click()
    told = asked(page)
    assert (told["kudos"], told["hasSource"]) == (16, False)
    body = told["body"]
    assert body["prompt"] == "a yurt under snow ### text"
    assert {name: body["params"][name] for name in ("n", "steps", "seed", "seed_variation")} == {
        "n": 4, "steps": 20, "seed": "blue", "seed_variation": 1,
    }  # fmt: skip
    payload = pop()["payload"]
    assert (payload["prompt"], payload["sampler_name"]) == (body["prompt"], "k_heun")


def test_the_wait_and_who_goes_first_are_said_before(person, horde_server, pop):
    pop()
    key = rich(horde_server, kudos=10)
    body = {"prompt": "a fox", "params": {"n": 3}}
    first = rich(horde_server, "first", kudos=5000)
    for _ in range(2):
        url = f"{horde_server.url}/api/v2/generate/async"
        assert httpx.post(url, json=body, headers={"apikey": first}).status_code == 202
    person.sign_in(key)
    page = person.open("/")
    expect(page.locator("#price")).to_contain_text("6 pictures are ahead.")
    page.get_by_label("Pictures", exact=True).select_option("20")
    expect(page.locator("#price")).to_contain_text(
        "You have 10 kudos and give what is there: nobody is refused for being poor."
    )


def test_a_guest_is_told_what_being_one_means(person, pop):
    pop()
    page = person.open("/")
    expect(page.locator("#price")).to_contain_text("Free for guests, ready in about")
    expect(page.locator("#price")).to_contain_text("up to 1024 × 1024 and 100 steps")
    expect(page.locator("#price").get_by_role("link", name="Take a name")).to_be_visible()


def test_who_cannot_pay_up_front_is_told_what_would_do(person, horde_server, pop):
    pop(max_pixels=4096 * 4096)
    person.sign_in(rich(horde_server, kudos=40))
    page = person.open("/")
    page.get_by_label("Pictures", exact=True).select_option("2")
    page.get_by_role("button", name="Size").click()
    page.get_by_label("Width").fill("2048")
    page.get_by_label("Height").fill("1100")
    page.get_by_label("Height").blur()
    expect(page.get_by_label("Height")).to_have_value("1088")
    expect(page.locator("#size-trouble")).to_contain_text("Above 1024 × 1024 the whole price")
    page.get_by_role("button", name="Done").click()
    price = page.locator("#price")
    expect(price).to_contain_text("This costs 102 kudos, which have to be there when you ask, and")
    expect(price.get_by_role("link", name="Lend a machine")).to_be_visible()
    axe_everywhere(page)
    price.get_by_role("button", name="Make it smaller").click()
    expect(page.locator("#size-now")).to_have_text("1344 × 704")
    expect(price).to_contain_text("ready in about")


def test_what_nobody_can_make_is_said_with_what_would_help(person, pop):
    pop("cellar", max_pixels=512 * 512)
    page = person.open("/")
    price = page.locator("#price")
    expect(price).to_contain_text("ready in about")
    page.get_by_role("button", name="Size").click()
    page.get_by_role("button", name="1024 × 1024").click()
    expect(page.locator("#size-trouble")).to_have_text("No machine here can make this.")
    axe_everywhere(page)
    page.get_by_role("button", name="Done").click()
    expect(price).to_contain_text("1 machine draws nothing so large.")
    expect(price).to_contain_text("we keep it for 20 min in case one comes.")
    axe_everywhere(page)
    price.get_by_role("button", name="512 × 512").click()
    expect(page.locator("#size-now")).to_have_text("512 × 512")
    expect(price).to_contain_text("ready in about")


def test_that_no_machine_is_there_is_said(person):
    page = person.open("/")
    expect(page.locator("#price")).to_contain_text("No machine is here now.")


def test_models_are_found_and_ticked(person, pop):
    pop(models=["Albedo XL", "Deliberate 3"])
    pop("cellar", models=["Deliberate 3", "Inkwell 2"])
    page = person.open("/")
    expect(page.locator("#model-now")).to_have_text("Any model 2 machines")
    page.get_by_role("button", name="Model").click()
    expect(page.locator("#models")).to_contain_text("Deliberate 32 machines")
    axe_everywhere(page)
    page.get_by_label("Find a model").fill("albe")
    expect(page.get_by_label("Inkwell 2")).to_be_hidden()
    page.get_by_label("Albedo XL").check()
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#model-now")).to_contain_text(re.compile("Albedo XL 1 machine, .* s each"))
    expect(page.locator("#price")).to_contain_text("ready in about")


def test_a_model_that_is_gone_is_said_and_can_be_changed(person, pop):
    pop(models=["Albedo XL"])
    page = person.open("/")
    page.evaluate(fill({"prompt": "a fox", "params": {}, "models": ["Steppe"]}))
    expect(page.locator("#model-now")).to_contain_text("Steppe")
    price = page.locator("#price")
    expect(price).to_contain_text("1 machine has no such model.")
    price.get_by_role("button", name="Albedo XL").click()
    expect(page.locator("#model-now")).to_contain_text("2 models")
    expect(price).to_contain_text("ready in about")


def test_what_was_typed_survives_a_reload_and_signing_in(person, horde_server):
    page = person.open("/")
    page.get_by_label("What should be in the picture?").fill("dunes ### at sunset")
    page.get_by_label("Seed", exact=True).fill("12")
    page.get_by_role("button", name="More").click()
    page.get_by_label("Guidance (CFG)").fill("7.5")
    page.get_by_label("Edges that fit together").check()
    page.get_by_label("LoRAs").fill("inkwash 0.8\n12345")
    page.get_by_role("button", name="Done").click()
    said = page.locator("#more-now")
    expect(said).to_contain_text("Guidance (CFG) 7.5, Edges that fit together (tiling), LoRAs ink")
    person.sign_in(rich(horde_server))
    person.open("/")
    expect(page.get_by_label("What should be in the picture?")).to_have_value("dunes")
    expect(page.get_by_label("Leave out")).to_have_value("at sunset")
    expect(page.get_by_label("Seed", exact=True)).to_have_value("12")
    expect(said).to_contain_text("Guidance (CFG) 7.5, Edges that fit together (tiling), LoRAs ink")
    heard(page)
    page.get_by_role("button", name="Ask for a picture").click()
    params = asked(page)["body"]["params"]
    assert (params["cfg_scale"], params["tiling"]) == (7.5, True)
    assert params["loras"] == [
        {"name": "inkwash", "model": 0.8, "clip": 0.8, "is_version": False},
        {"name": "12345", "model": 1, "clip": 1, "is_version": True},
    ]
    page.get_by_role("button", name="More").click()
    axe_everywhere(page)
    page.get_by_role("button", name="Set all back").click()
    page.get_by_role("button", name="Done").click()
    expect(said).to_have_text("As usual")
    expect(page.get_by_label("Seed", exact=True)).to_have_value("12")


def test_the_whole_way_by_keyboard(person, pop):
    pop()
    page = person.open("/")
    heard(page)
    page.get_by_label("What should be in the picture?").focus()
    page.keyboard.type("a fox in tall grass")
    page.keyboard.press("Tab")
    page.keyboard.type("fog")
    page.keyboard.press("Tab")
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="512 × 768").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Size")).to_be_focused()
    page.keyboard.press("Control+Enter")
    body = asked(page)["body"]
    assert body["prompt"] == "a fox in tall grass ### fog"
    assert {name: body["params"][name] for name in ("n", "width", "height")} == {
        "n": 3, "width": 512, "height": 768,
    }  # fmt: skip


# From a picture


def opened_picture(page, name="a.png", size=(1200, 800)):
    page.get_by_role("button", name="From picture").click()
    picture = a_picture(*size, form="PNG")
    page.locator("#file").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": picture}
    )
    expect(page.locator("#with-source")).to_be_visible()


def grey(job, part):
    data = base64.b64decode(job[part])
    return Image.open(io.BytesIO(data))


def test_a_part_of_a_picture_is_drawn_anew_where_it_was_painted_over(person, pop):
    pop()
    page = person.open("/")
    heard(page)
    page.get_by_label("What should be in the picture?").fill("a boat")
    opened_picture(page)
    page.get_by_role("button", name="Take its shape").click()
    page.get_by_label("What to do with it").select_option("Draw a part of it anew")
    expect(page.locator("#source-trouble")).to_contain_text("Nothing is painted over yet")
    axe_everywhere(page)
    box = page.locator("#mask").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.25)
    page.mouse.up()
    expect(page.locator("#source-trouble")).to_be_empty()
    page.get_by_label("How far to go from it").fill("0.6")
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#source-now")).to_have_text("Draw a part of it anew")
    expect(page.locator("#size-now")).to_have_text("1152 × 768")
    page.get_by_role("button", name="Ask for a picture").click()
    told = asked(page)
    assert (told["hasSource"], told["hasMask"]) == (True, True)
    assert "source_image" not in told["body"]
    job = pop()
    assert job["source_processing"] == "inpainting"
    assert job["payload"]["denoising_strength"] == 0.6
    assert grey(job, "source_image").size == (1200, 800)
    mask = grey(job, "source_mask").convert("L")
    wide, high = mask.size
    assert wide / high == pytest.approx(1.5, abs=0.01)
    assert mask.getpixel((int(wide * 0.3), int(high * 0.25))) == 255
    assert mask.getpixel((int(wide * 0.8), int(high * 0.8))) == 0


def painted(page):
    """How much of the picture is painted over, in percent."""
    return page.evaluate("""() => {
        const canvas = document.querySelector("#mask");
        const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let many = 0;
        for (let index = 3; index < data.length; index += 4) many += data[index] > 127;
        return Math.round((400 * many) / data.length);
    }""")


def test_a_mask_is_painted_by_keyboard_rectangle_and_eraser_and_undone(person):
    page = person.open("/")
    opened_picture(page, size=(512, 512))
    page.get_by_label("What to do with it").select_option("Draw a part of it anew")
    mask = page.locator("#mask")
    mask.focus()
    page.keyboard.press("Space")
    assert painted(page) == 1
    expect(page.locator("#live")).to_have_text("Painted at 50 %, 50 %.")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert painted(page) == 2
    page.get_by_role("button", name="Rectangle").click()
    box = mask.bounding_box()
    mask.click(position={"x": 0, "y": 0})
    mask.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    assert painted(page) in (26, 27)
    page.get_by_role("button", name="Eraser").click()
    page.get_by_label("Size of the brush").fill("50")
    mask.click(position={"x": box["width"] / 4, "y": box["height"] / 4})
    assert painted(page) < 15
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    assert painted(page) == 2
    page.get_by_role("button", name="Clear").click()
    assert painted(page) == 0


def test_a_file_that_is_no_picture_is_said_and_a_large_one_is_made_to_fit(person):
    page = person.open("/")
    page.get_by_role("button", name="From picture").click()
    text = {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.locator("#file").set_input_files(text)
    expect(page.locator("#source-trouble")).to_contain_text("This file is no picture")
    expect(page.locator("#with-source")).to_be_hidden()
    large = {"name": "b.png", "mimeType": "image/png", "buffer": a_picture(4096, 4096, form="PNG")}
    page.locator("#file").set_input_files(large)
    expect(page.locator("#with-source")).to_be_visible()
    assert page.evaluate("document.querySelector('#picture').width") == 3072
    page.get_by_role("button", name="Start from no picture").click()
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#source-now")).to_have_text("None")


def test_a_picture_that_was_pasted_stays_while_the_tab_is_open(person, pop):
    pop()
    page = person.open("/")
    page.evaluate("""async () => {
        const canvas = Object.assign(document.createElement("canvas"), {width: 640, height: 320});
        canvas.getContext("2d").fillRect(0, 0, 640, 320);
        const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
        const clipboardData = new DataTransfer();
        clipboardData.items.add(new File([blob], "a.png", {type: "image/png"}));
        document.dispatchEvent(new ClipboardEvent("paste", {clipboardData, cancelable: true}));
    }""")
    expect(page.locator("#with-source")).to_be_visible()
    kept = "sessionStorage.getItem('ordu.source') !== null"
    until(lambda: page.evaluate(kept), "the picture to be kept")
    person.open("/")
    expect(page.locator("#source-now")).to_have_text("Draw all of it anew")
    heard(page)
    page.get_by_label("What should be in the picture?").fill("a boat")
    page.get_by_role("button", name="Ask for a picture").click()
    assert asked(page)["hasSource"]
    job = pop()
    assert (job["source_processing"], job["source_mask"]) == ("img2img", None)
    assert grey(job, "source_image").size == (640, 320)


# Filled by other parts of the page


def fill(body, send=False, with_pictures=False):
    """A script that puts a request into the composer."""
    source = "null"
    if with_pictures:
        picture, mask = (
            json.dumps(base64.b64encode(a_picture(256, 256, colour)).decode())
            for colour in ("red", "white")
        )
        source = f"{{picture: blob({picture}), mask: blob({mask})}}"
    return f"""() => {{
        const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
        const blob = (text) => new Blob([bytes(text)]);
        const detail = {{body: {json.dumps(body)}, source: {source}, send: {json.dumps(send)}}};
        document.dispatchEvent(new CustomEvent("ordu:fill", {{detail}}));
    }}"""


def test_another_part_fills_everything_and_asks(person, pop):
    pop(models=["Albedo XL"])
    page = person.open("/")
    heard(page)
    body = {
        "prompt": "a yurt ### fog",
        "params": {
            "n": 2, "width": 768, "height": 512, "steps": 12, "sampler_name": "k_heun",
            "cfg_scale": 6.5, "karras": False, "seed": "77", "seed_variation": 3, "clip_skip": 2,
            "tiling": True, "hires_fix": True, "hires_fix_denoising_strength": 0.4,
            "post_processing": ["GFPGAN", "RealESRGAN_x2plus"], "denoising_strength": 0.3,
            "loras": [{"name": "ink", "model": 0.5, "clip": 0.5, "is_version": False}],
        },
        "models": ["Albedo XL"], "nsfw": False, "censor_nsfw": False, "trusted_workers": True,
        "slow_workers": True, "extra_slow_workers": True, "replacement_filter": True,
        "allow_downgrade": False, "source_processing": "inpainting", "r2": True,
    }  # fmt: skip
    page.evaluate(fill(body, send=True, with_pictures=True))
    told = asked(page)
    assert told["body"] == body
    assert (told["hasSource"], told["hasMask"]) == (True, True)
    expect(page.locator("#source-now")).to_have_text("Draw a part of it anew")
    page.evaluate(fill({"prompt": "a fox", "params": {"seed": "5"}}))
    expect(page.locator("#source-now")).to_have_text("None")
    expect(page.get_by_label("Steps")).to_have_value("30")
    expect(page.get_by_label("What should be in the picture?")).to_be_focused()


# What goes wrong


def test_what_is_missing_is_said_beside_it(person):
    page = person.open("/")
    page.get_by_role("button", name="Ask for a picture").click()
    prompt = page.get_by_label("What should be in the picture?")
    expect(prompt).to_be_focused()
    expect(prompt).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_contain_text("Say what should be in the picture.")
    axe_everywhere(page)


def test_what_is_out_of_its_bounds_is_said_at_its_fields(person):
    page = person.open("/")
    page.get_by_label("What should be in the picture?").fill("a fox")
    page.get_by_label("Steps").fill("900")
    page.get_by_role("button", name="More").click()
    page.get_by_label("CLIP skip").fill("40")
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#price")).to_have_text("Steps: 1 to 500. CLIP skip: 1 to 12.")
    page.get_by_role("button", name="Ask for a picture").click()
    faults = page.locator("#faults")
    expect(faults).to_contain_text("2 things are to be mended:")
    expect(faults).to_be_focused()
    axe_everywhere(page)
    faults.get_by_role("link", name="CLIP skip: 1 to 12.").click()
    expect(page.get_by_label("CLIP skip")).to_be_focused()
    expect(page.locator("#clip_skip-fault")).to_be_visible()
    axe_everywhere(page)
    page.get_by_label("CLIP skip").fill("2")
    page.get_by_label("LoRAs").fill("ink 9")
    page.get_by_role("button", name="Done").click()
    page.get_by_label("Steps").fill("20")
    page.get_by_role("button", name="Ask for a picture").click()
    expect(faults).to_contain_text("“ink 9” is no LoRA")


def test_what_the_horde_refuses_is_said_at_its_field(person):
    page = person.open("/")
    page.get_by_label("What should be in the picture?").fill("a fox")
    refusal = {"rc": "ValidationFailed", "message": "No.", "errors": {"params.cfg_scale": "Less."}}
    page.route(ASYNC, lambda route: route.fulfill(status=400, json=refusal))
    page.get_by_role("button", name="Ask for a picture").click()
    page.locator("#faults").get_by_role("link", name="Guidance (CFG): Less.").click()
    expect(page.get_by_label("Guidance (CFG)")).to_be_focused()
    expect(page.locator("#cfg_scale-fault")).to_have_text("Guidance (CFG): Less.")


def test_a_refusal_is_said_with_its_code(person, horde_server):
    page = person.open("/")
    page.get_by_label("What should be in the picture?").fill("a fox")
    page.get_by_label("Steps").fill("200")
    page.get_by_role("button", name="Ask for a picture").click()
    expect(page.locator("#faults")).to_contain_text("KudosUpfront, Request ")
    axe_everywhere(page)


def test_too_many_calls_count_down(person):
    page = person.open("/")
    page.get_by_label("What should be in the picture?").fill("a fox")
    refusal = {"rc": "RateLimited", "message": "Too many."}
    page.route(
        ASYNC,
        lambda route: route.fulfill(status=429, json=refusal, headers={"Retry-After": "2"}),
    )
    page.get_by_role("button", name="Ask for a picture").click()
    expect(page.locator("#faults")).to_contain_text(re.compile(r"You can ask again in \d s\."))
    expect(page.locator("#faults")).to_contain_text("You can ask again now.")


def test_what_got_lost_on_its_way_is_asked_for_once_only(person):
    page = person.open("/")
    heard(page)
    page.get_by_label("What should be in the picture?").fill("a fox")
    keys = []

    def lose(route):
        body = json.loads(route.request.post_data)
        if "dry_run" not in body:
            keys.append(route.request.headers["idempotency-key"])
            if len(keys) == 1:
                return route.abort()
        return route.continue_()

    page.route(ASYNC, lose)
    for _ in range(2):
        page.get_by_role("button", name="Ask for a picture").click()
        expect(page.locator("#send")).not_to_have_attribute("aria-disabled", "true")
    asked(page)
    assert len(keys) == 2
    assert keys[0] == keys[1]
    page.get_by_role("button", name="Ask for a picture").click()
    until(lambda: page.evaluate("heard.length === 2"), "another request")
    assert keys[2] != keys[1]


# Everybody


@pytest.mark.slow
def test_nothing_keeps_people_out_in_german(people, pop):
    pop()
    page = people(locale="de-DE").open("/")
    expect(page.locator("#price")).to_contain_text("Für Gäste umsonst, fertig in etwa")
    axe_everywhere(page)
    for name in ("Größe", "Modell", "Aus einem Bild", "Mehr"):
        page.get_by_role("button", name=name).click()
        axe_everywhere(page)
        page.keyboard.press("Escape")


def test_without_scripts_a_form_asks_and_a_page_waits_for_the_picture(people, horde_server, pop):
    pop()
    page = people(java_script_enabled=False).open("/")
    page.get_by_label("What should be in the picture?").fill("a fox")
    page.get_by_label("Width").fill("256")
    page.get_by_label("Height").fill("256")
    page.get_by_role("button", name="Ask for a picture").click()
    expect(page.get_by_role("heading")).to_contain_text("In line at place 1")
    job = pop()
    assert (job["payload"]["width"], job["payload"]["karras"]) == (256, True)
    picture = base64.b64encode(a_picture(256, 256)).decode()
    submitted = httpx.post(
        f"{horde_server.url}/api/v2/generate/submit",
        json={"id": job["id"], "generation": picture, "seed": 1},
        headers={"apikey": horde_server.admin_key},
    )
    assert submitted.status_code == 200
    page.reload()
    expect(page.get_by_role("heading")).to_have_text("Your picture is done.")
    shown = page.get_by_role("img", name="Picture 1")
    expect(shown).to_be_visible()
    assert shown.bounding_box()["width"] == 256


def test_a_horde_without_guests_says_how_to_become_somebody(processes, browser):
    server = processes.server("--anonymous", "off", data="closed")
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator("#price")).to_contain_text("This horde takes no guests. Take a name to ask")
    context.close()
    server.kill()
