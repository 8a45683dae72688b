"""One's own pictures on the page Ask: kept in the browser, opened, used again, and let go."""

import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from shutil import which

import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.builders import a_picture
from tests.pages.asking import a_body, ask, fills, note_fills
from tests.pages.conftest import PHONE, WAIT_MS, WIDE, axe, axe_everywhere

AWKWARD = 'a fox\'s "den", $HOME `date` \\n 100 % — ünïcode 🦊 $(date) ### fog'
PLANT = """async ({store, records}) => {
    const request = indexedDB.open("ordu", 1);
    await new Promise((resolve) => (request.onsuccess = resolve));
    const database = request.result;
    const transaction = database.transaction(store, "readwrite");
    for (const record of records) {
        if (store === "pictures") record.blob = new Blob(["old"]);
        transaction.objectStore(store).put(record);
    }
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    database.close();
}"""


@pytest.fixture
def made(page, key, machine):
    """Have pictures made, the last of them first in the gallery."""

    def make(*prompts, source=None, **more):
        for prompt in prompts:
            ask(page, key, a_body(prompt, models=[machine.model], **more), source)
            machine.make()
        expect(the_tiles(page)).to_have_count(len(prompts), timeout=WAIT_MS)
        return page

    return make


def the_tiles(page):
    return page.locator("#pictures .pic")


def the_box(page):
    return page.locator("#opened")


# Where there is nothing yet


def test_who_has_no_pictures_is_given_three_prompts_that_fill_the_composer(page):
    note_fills(page)
    expect(page.get_by_role("heading", name="Nothing here yet.")).to_be_visible()
    expect(page.locator("#no-pictures")).to_contain_text("kept in this browser, not on the server")
    tries = page.locator("#no-pictures button")
    expect(tries).to_have_count(3)
    tries.last.click()
    (filled,) = fills(page)
    assert filled["body"] == {"prompt": tries.last.text_content()}
    axe_everywhere(page)


# Opened


def test_a_picture_is_opened_with_all_that_it_was_made_of(made, machine):
    page = made("dunes at dawn ### fog", sampler_name="k_dpmpp_2m")
    expect(page.locator("#pictures-count")).to_have_text("1, kept in this browser only")
    the_tiles(page).get_by_role("link").click()
    box = the_box(page)
    expect(box.get_by_role("heading", name="dunes at dawn", exact=True)).to_be_focused()
    facts = dict(
        zip(
            box.locator("dt").all_text_contents(),
            box.locator("dd").all_text_contents(),
            strict=True,
        )
    )
    assert facts["Leave out"] == "fog"
    assert facts["Model"] == machine.model
    assert facts["Size"] == "192 × 128"
    assert facts["Steps, guidance"] == "10, 5"
    assert facts["Sampler"] == "DPM++ 2m"
    assert re.fullmatch(r"\d+", facts["Seed"])
    assert facts["Made by"].startswith(machine.name)
    assert re.fullmatch(r"[\d.]+ kudos", facts["Paid"])
    axe_everywhere(page)


def test_an_opened_picture_survives_a_reload_and_esc_closes_it(made):
    page = made("a yurt", "a fox")
    the_tiles(page).nth(1).get_by_role("link").click()
    expect(the_box(page)).to_contain_text("a yurt")
    page.reload()
    expect(the_box(page).locator("h3")).to_have_text("a yurt")
    page.keyboard.press("Escape")
    expect(the_box(page)).to_be_hidden()
    expect(the_tiles(page).nth(1).get_by_role("link")).to_be_focused()
    assert "#" not in page.url


def test_pictures_are_gone_through_by_keyboard_alone(made):
    page = made("one", "two", "three")
    the_tiles(page).first.get_by_role("link").focus()
    page.keyboard.press("Enter")
    title = the_box(page).locator("h3")
    expect(title).to_have_text("three")
    expect(the_box(page).get_by_role("button", name="Previous")).to_be_disabled()
    page.keyboard.press("ArrowRight")
    expect(title).to_have_text("two")
    expect(page.locator("#live")).to_have_text("Picture 2 of 3")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(title).to_have_text("one")
    page.keyboard.press("ArrowLeft")
    expect(title).to_have_text("two")
    page.keyboard.press("Escape")
    expect(the_tiles(page).nth(1).get_by_role("link")).to_be_focused()


def test_on_a_phone_a_picture_has_the_whole_page_and_back_leads_out(people, key, machine):
    person = people(is_phone=True)
    person.sign_in(key)
    page = person.open("/")
    ask(page, key, a_body("a saiga", models=[machine.model]))
    machine.make()
    the_tiles(page).get_by_role("link").click(timeout=WAIT_MS)
    expect(the_box(page)).to_be_visible()
    box = the_box(page).bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"]) == (0, 0, PHONE["width"])
    assert box["height"] == PHONE["height"]
    axe(page)
    page.go_back()
    expect(the_box(page)).to_be_hidden()
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    the_tiles(page).get_by_role("link").click()
    expect(the_box(page)).to_be_visible()
    expect(page.locator("#opened:not(:modal)")).to_be_visible()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    expect(page.locator("#opened:modal")).to_be_visible()


# Used again


def test_variations_and_a_start_from_it_go_to_the_composer(made):
    page = made("a marmot", seed="7", denoising_strength=0.4, source=a_picture(64, 64))
    note_fills(page)
    the_tiles(page).get_by_role("link").click()
    the_box(page).get_by_role("button", name="Variations").click()
    expect(the_box(page)).to_be_hidden()
    the_tiles(page).get_by_role("link").click()
    the_box(page).get_by_role("button", name="Start from this").click()
    variations, start = fills(page)
    assert variations["source"] == len(a_picture(64, 64))
    assert (variations["body"]["prompt"], variations["body"]["params"]["n"]) == ("a marmot", 4)
    assert "seed" not in variations["body"]["params"]
    assert start["body"]["source_processing"] == "img2img"
    assert start["body"]["params"]["n"] == 1
    assert start["source"] == len(a_picture(192, 128))


def test_a_picture_is_saved_under_its_words_and_seed(made):
    page = made("Dunes, at dawn!", seed="7")
    the_tiles(page).get_by_role("link").click()
    with page.expect_download() as download:
        the_box(page).get_by_role("button", name="Save", exact=True).click()
    assert re.fullmatch(r"dunes-at-dawn-7-[0-9a-f]{4}\.webp", download.value.suggested_filename)
    assert Path(download.value.path()).read_bytes() == a_picture(192, 128)


def test_all_pictures_are_saved_as_one_archive(made):
    page = made("eins — ü", "zwei")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert [name.rpartition("-")[0].rpartition("-")[0] for name in names] == ["zwei", "eins-ü"]
        assert {archive.read(name) for name in names} == {a_picture(192, 128)}


@pytest.fixture(scope="module")
def worker(processes, horde_server):
    """A machine that sketches, for programs."""
    key = horde_server.register("owner")
    return processes.worker(horde_server, key, name="sketcher")


# For each change one of both for each language.
@pytest.mark.parametrize(
    ("language", "source"),
    [
        pytest.param(language, source, id=f"{language} of {what}", marks=marks)
        for language in ("curl", "Python", "JavaScript")
        for what, source, marks in (
            ("words", None, [pytest.mark.slow] if language == "JavaScript" else []),
            ("picture", a_picture(64, 64), [] if language == "JavaScript" else [pytest.mark.slow]),
        )
    ],
)
def test_the_program_that_was_copied_makes_the_same_picture(
    person, page, key, worker, tmp_path, language, source
):
    del worker
    if which({"curl": "curl", "JavaScript": "node"}.get(language, "sh")) is None:
        pytest.skip(f"there is nothing here that runs {language}")
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, key, a_body(AWKWARD, models=[], seed='a seed\'s "text"', nsfw=False), source)
    the_tiles(page).get_by_role("link").click(timeout=WAIT_MS)
    box = the_box(page)
    box.get_by_role("tab", name=language).click()
    box.get_by_role("button", name="Copy").click()
    expect(box.get_by_role("button", name="Copied")).to_be_visible()
    program = page.evaluate("() => navigator.clipboard.readText()")
    assert key not in program
    if source is not None:
        with page.expect_download() as download:
            box.get_by_role("button", name="Save source.webp").click()
        download.value.save_as(tmp_path / "source.webp")
    said = run(program, language, tmp_path, key)
    with page.expect_download() as download:
        box.get_by_role("button", name="Save", exact=True).click()
    mine = Path(download.value.path()).read_bytes()
    if language == "curl":
        link = re.search(r'"img":"([^"]+)"', said)
        assert link is not None, said
        theirs = subprocess.run(["curl", "-sS", link[1]], capture_output=True, check=True).stdout
    else:
        (file,) = (each for each in tmp_path.glob("*.webp") if each.name != "source.webp")
        theirs = file.read_bytes()
    assert Image.open(io.BytesIO(theirs)).tobytes() == Image.open(io.BytesIO(mine)).tobytes()


def run(program: str, language: str, folder: Path, key: str) -> str:
    """Run a copied program as a person would; what it said."""
    command, name = {
        "curl": (["bash"], "program.sh"),
        "Python": ([sys.executable], "program.py"),
        "JavaScript": (["node"], "program.mjs"),
    }[language]
    (folder / name).write_text(program, encoding="utf-8")
    done = subprocess.run(
        [*command, name],
        cwd=folder,
        env={**os.environ, "ORDU_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_language_of_programs_is_chosen_by_arrow_keys_and_remembered(made):
    page = made("a fox")
    the_tiles(page).get_by_role("link").click()
    page.get_by_role("tab", name="curl").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Python")).to_be_focused()
    expect(page.get_by_role("tabpanel")).to_contain_text("from ordu.client import Horde")
    page.reload()
    expect(page.get_by_role("tab", name="Python")).to_have_attribute("aria-selected", "true")


# Told to who cannot see it


def test_the_text_of_a_picture_is_its_prompt_shortened_at_a_word_and_its_owner_may_change_it(made):
    prompt = "a long caravan of camels " * 10
    page = made(prompt)
    image = the_tiles(page).locator("img")
    alt = image.get_attribute("alt")
    assert alt is not None
    assert len(alt) <= 150
    assert prompt.startswith(alt.removesuffix("…") + " ")
    the_tiles(page).get_by_role("link").click()
    page.get_by_text("For those who cannot see it").click()
    field = page.get_by_label("What is in the picture")
    field.fill("Camels, seen from above")
    field.press("Tab")
    expect(image).to_have_attribute("alt", "Camels, seen from above")
    page.reload()
    expect(image).to_have_attribute("alt", "Camels, seen from above")


# Gone, and let go


def test_a_removed_picture_comes_back_by_undo(made):
    page = made("a fox")
    the_tiles(page).get_by_role("link").click()
    the_box(page).get_by_role("button", name="Remove from this browser").click()
    expect(page.get_by_role("heading", name="Nothing here yet.")).to_be_visible()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(the_tiles(page)).to_have_count(1)
    page.reload()
    expect(the_tiles(page).locator("img")).to_have_count(1)


def test_a_censored_picture_is_not_shown_and_says_why(page, key, machine):
    ask(page, key, a_body("a fox", models=[machine.model]))
    machine.take()
    machine.deliver(censored=True)
    expect(the_tiles(page)).to_contain_text("unfit to show", timeout=WAIT_MS)
    expect(the_tiles(page).locator("img")).to_have_count(0)
    the_tiles(page).get_by_role("link").click()
    expect(the_box(page).get_by_role("button", name="Make it again")).to_be_visible()
    expect(the_box(page).get_by_role("button", name="Save", exact=True)).to_have_count(0)
    axe_everywhere(page)


def test_a_picture_that_could_not_be_had_keeps_its_tile_and_can_be_made_again(page, key, machine):
    page.route("**/pictures/*", lambda route: route.fulfill(status=404, body=""))
    note_fills(page)
    ask(page, key, a_body("a fox", models=[machine.model]))
    machine.make()
    expect(the_tiles(page)).to_contain_text("keeps this picture no more", timeout=WAIT_MS)
    the_tiles(page).get_by_role("link").click()
    the_box(page).get_by_role("button", name="Make it again").click()
    assert fills(page)[0]["body"]["prompt"] == "a fox"


def test_a_picture_that_a_storage_lets_no_script_read_is_shown_by_its_link(page, key, machine):
    def answer(route):
        if route.request.resource_type == "image":
            route.continue_()
        else:
            route.abort()

    page.route("**/pictures/*", answer)
    ask(page, key, a_body("a fox", models=[machine.model]))
    machine.make()
    image = the_tiles(page).locator("img")
    expect(image).to_have_attribute("src", re.compile("^/pictures/"), timeout=WAIT_MS)
    assert image.evaluate("image => image.decode()") is None


def test_the_oldest_are_let_go_above_the_bound_and_that_is_said(page, key, machine):
    old = {"id": "old", "body": a_body("old"), "askedAt": 1, "state": "done", "done": []}
    one = {"request": "old", "width": 1, "height": 1, "seed": "1", "model": "m", "machine": "x"}
    page.evaluate(PLANT, {"store": "requests", "records": [old]})
    many = [{**one, "id": f"old-{number:03}", "at": number} for number in range(500)]
    page.evaluate(PLANT, {"store": "pictures", "records": many})
    page.reload()
    expect(page.locator("#pictures-count")).to_contain_text("500, kept")
    expect(the_tiles(page)).to_have_count(24)
    page.get_by_role("button", name="Show older pictures").click()
    expect(the_tiles(page)).to_have_count(48)
    expect(the_tiles(page).nth(24).get_by_role("link")).to_be_focused()
    ask(page, key, a_body("new", models=[machine.model]))
    machine.make()
    expect(page.locator("#pictures-notice")).to_have_text("1 old picture was let go to make room.")
    expect(the_tiles(page).first).to_contain_text("new", timeout=WAIT_MS)
    expect(page.locator("#pictures-count")).to_contain_text("500, kept")


NO_STORE = "Object.defineProperty(window, 'indexedDB', {value: undefined})"
FULL = "IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError') }"


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(NO_STORE, id="there is no store"),
        pytest.param(FULL, id="the store is full"),
    ],
)
def test_a_browser_that_keeps_nothing_says_so_and_shows_pictures_all_the_same(
    person, key, machine, broken
):
    person.sign_in(key)
    person.context.add_init_script(broken)
    page = person.open("/")
    ask(page, key, a_body("a fox", models=[machine.model]))
    machine.make()
    expect(the_tiles(page).locator("img")).to_have_count(1, timeout=WAIT_MS)
    expect(page.locator("#pictures-notice")).to_contain_text("This browser keeps no more here")


@pytest.mark.slow
def test_nothing_keeps_people_out_of_pictures_in_german(people, key, machine):
    person = people(locale="de-AT")
    person.sign_in(key)
    page = person.open("/")
    axe(page)
    ask(page, key, a_body("ein Fuchs", models=[machine.model]))
    machine.make()
    the_tiles(page).get_by_role("link").click(timeout=WAIT_MS)
    expect(the_box(page).get_by_role("button", name="Davon ausgehen")).to_be_visible()
    axe(page)
