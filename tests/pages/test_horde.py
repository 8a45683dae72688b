"""The page The horde: who is here, what waits, how it was; live, and without scripts."""

import base64
import re
import sqlite3
import time

import pytest
from playwright.sync_api import expect
from tests.builders import a_picture
from tests.pages.conftest import axe, axe_everywhere

from ordu.rules.lifecycle import Millis
from ordu.store import samples
from ordu.store.samples import MINUTE_S, Gauges
from ordu.store.sqlite import SqliteTransaction, connect
from ordu.web.plots import Value, plot

MODELS = ("Albedo XL", "Deliberate 3", "Photon")
SIZE = {"width": 512, "height": 512, "steps": 20}
SMALL = {"bridge_agent": "Mine:1:me", "max_pixels": 1048576}


@pytest.fixture(scope="module")
def empty_server(processes):
    """A horde in which nothing has happened."""
    return processes.server(data="empty")


class Camp:
    """Machines of a user, worked by hand."""

    def __init__(self, server, key):
        self.horde = server.horde(key)

    def pop(self, name, *models):
        return self.horde.post_job_pop(SMALL | {"name": name, "models": list(models)})

    def ask(self, model, pictures=1):
        wanted = {"prompt": "a fox", "params": SIZE | {"n": pictures}, "models": [model]}
        return self.horde.post_async_generate(wanted).id

    def submit(self, job):
        picture = base64.b64encode(a_picture(64, 64)).decode()
        self.horde.post_job_submit({"id": job.id, "generation": picture, "seed": 1})

    def worker_id(self, name):
        return self.horde.get_worker_single_name(name).id


@pytest.fixture(scope="module")
def camp(horde_server):
    """One machine draws, one rests, one waits; three pictures wait, and one was made."""
    mine = Camp(horde_server, horde_server.admin_key)
    mine.ask("Albedo XL", 5)
    mine.submit(mine.pop("tulpar", "Albedo XL"))
    mine.pop("tulpar", "Albedo XL")
    mine.pop("gobi", "Photon", "Deliberate 3")
    mine.pop("saka", "Photon")
    mine.horde.put_worker_single(mine.worker_id("saka"), {"maintenance": True})
    with mine.horde as horde:
        yield mine
        horde.put_horde_modes({"maintenance": False})


@pytest.fixture(scope="module")
def week(horde_server):
    """Samples of the last hour with a gap, and of the same hour a week ago."""
    path = next(horde_server.data.glob("*.sqlite3"))
    minute_ms = MINUTE_S * 1000
    now = samples.floor(int(time.time() * 1000), MINUTE_S)
    connection = connect(path)
    tx = SqliteTransaction(connection)
    for ago in [*range(2, 20), *range(30, 60), *range(7 * 1440, 7 * 1440 + 60)]:
        gauges = Gauges(20 + ago % 13, 3, 5, 3, 1, 6, 44.0)
        samples.add(tx, Millis(now - ago * minute_ms), gauges, 4, 900_000_000)
    if connection.in_transaction:
        connection.commit()
    connection.close()


def sentence(page):
    return page.locator("#sentence")


def row(page, table, name):
    return page.locator(f"#{table} tr", has=page.get_by_role("rowheader", name=name))


def test_it_says_how_things_stand(person, camp):
    page = person.open("/horde")
    expect(sentence(page)).to_contain_text("3 machines are here, 1 of them drawing.")
    expect(sentence(page)).to_contain_text(re.compile(r"3 pictures wait"))
    expect(page.locator("#legend")).to_contain_text("1 waiting for work")
    expect(page.locator("#legend")).to_contain_text("1 paused by its owner")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()


def test_nothing_keeps_people_out_of_a_camp_with_all_opened(person, camp, week):
    page = person.open("/horde")
    for opened in ("List of machines", "Show as table"):
        page.get_by_text(opened, exact=True).click()
    axe_everywhere(page)


def test_it_says_the_same_without_scripts(people, camp, week):
    page = people(java_script_enabled=False).open("/horde")
    expect(sentence(page)).to_contain_text("3 machines are here, 1 of them drawing.")
    expect(page.locator("#camp a")).to_have_count(3)
    expect(row(page, "model-rows", "Albedo XL")).to_contain_text("3")
    page.locator("#camp a", has_text="tulpar").click()
    expect(row(page, "machine-rows", "tulpar")).to_be_visible()
    page.get_by_text("Show as table", exact=True).click()
    assert page.locator("#number-rows tr").count() >= 48
    page.get_by_role("link", name="Month").click()
    expect(page).to_have_url(re.compile("span=month$"))
    expect(page.get_by_role("link", name="Month")).to_have_attribute("aria-current", "true")


def test_the_script_draws_what_the_server_drew(people, camp, week):
    """The first look of the script changes times to the visitor's own and nothing else."""
    still = people(java_script_enabled=False, timezone_id="UTC").open("/horde")
    live = people(timezone_id="UTC").open("/horde")
    expect(live.get_by_text("Live", exact=True)).to_be_visible()
    for selector in ("#sentence", "#legend", "#camp", "#model-rows", "#machine-rows"):
        texts = [" ".join(page.locator(selector).inner_text().split()) for page in (still, live)]
        assert texts[0] == texts[1], selector
    for selector in ("path.gridline", "text.axis[text-anchor=end]"):
        counts = [page.locator(f"#plots {selector}").count() for page in (still, live)]
        assert counts[0] == counts[1]
    labels = [
        page.locator("#plots svg").first.get_attribute("aria-label") for page in (still, live)
    ]
    assert labels[0] == labels[1]
    assert "dotted: same hour last week" in live.locator("#plots").inner_text()
    assert live.locator("#plots .series.old").first.get_attribute("d").startswith("M")
    pieces = live.locator('[data-plot="waiting"] .series').last.get_attribute("d").count("M")
    assert pieces == 2, "what is not known is a gap"


CASES = [
    ([], [], {}),
    ([(30, 0.0), (90, 0.0)], [], {"is_whole": True}),
    ([(30, 5.0)], [], {}),
    ([(30, 87.0), (90, 120.0), (600, 3.0), (660, 4.5)], [(0, 50.0), (300, 70.0)], {}),
    ([(30, 0.013), (90, 0.021)], [], {}),
    ([(30, 7.0), (90, 13.0)], [], {"is_whole": True}),
    ([(30, 12_345.0), (90, 99_999.0)], [(0, 250.0)], {"is_whole": True}),
]


@pytest.mark.parametrize(("values", "earlier", "more"), CASES)
def test_both_draw_alike(person, values, earlier, more):
    page = person.open("/horde")
    about = {"since_s": 0, "until_s": 3600, "step_s": 60, "earlier_step_s": 300} | more
    expected = plot([Value(*each) for each in values], [Value(*each) for each in earlier], **about)
    drawn = page.evaluate(
        """async ([values, earlier, about]) => {
          const link = document.querySelector('link[rel=modulepreload][href*="/plot."]');
          const {plot} = await import(link.href);
          return plot(values, earlier, about);
        }""",
        [
            [{"atS": at, "value": value} for at, value in values],
            [{"atS": at, "value": value} for at, value in earlier],
            {"sinceS": 0, "untilS": 3600, "stepS": 60, "earlierStepS": 300,
             "isWhole": about.get("is_whole", False)},
        ],
    )  # fmt: skip
    for name in ("line", "area", "earlier"):
        assert drawn[name] == getattr(expected, name)
    assert drawn["levels"] == [pytest.approx(list(each)) for each in expected.frame.levels]
    assert drawn["end"] == (list(expected.end) if expected.end else None)


def test_a_span_is_chosen_in_place(person, camp, week):
    page = person.open("/horde")
    day = page.locator("#spans").get_by_role("link", name="Day")
    day.click()
    expect(page.locator("#plots")).to_have_attribute("data-span", "day")
    expect(page).to_have_url(re.compile("span=day$"))
    expect(day).to_have_attribute("aria-current", "true")
    page.reload()
    expect(day).to_have_attribute("aria-current", "true")


def test_a_lozenge_says_who_it_is(person, camp):
    page = person.open("/horde")
    page.locator("#camp a", has_text="gobi").hover()
    expect(page.locator("#camp-about")).to_have_text(
        "gobi: waiting for work. Deliberate 3, Photon. Its speed is not known yet."
    )
    page.locator("#camp a").first.focus()
    expect(page.locator("#camp-about")).to_contain_text("tulpar: drawing. Albedo XL.")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#camp-about")).to_contain_text("gobi:")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#camp-about")).to_contain_text("saka: paused.")
    page.keyboard.press("Enter")
    expect(row(page, "machine-rows", "saka")).to_be_visible()


def test_who_lends_sees_which_are_theirs(person, horde_server, camp):
    person.sign_in(horde_server.admin_key)
    page = person.open("/horde")
    expect(page.locator("#camp .mine")).to_have_count(3)
    expect(page.get_by_text("outlined: yours")).to_be_visible()
    expect(page.locator("#giver-rows .chip")).to_have_text("you")


def test_machines_keep_their_places_while_they_come_and_go(people, horde_server, camp):
    """Whatever happens, nothing that is looked at moves."""
    page = people(timezone_id="UTC").page
    page.clock.install()
    page.goto(f"{horde_server.url}/horde")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert names(page) == ["tulpar", "gobi", "saka"]
    first = page.locator("#camp a").nth(1).bounding_box()
    camp.ask("Photon")
    job = camp.pop("gobi", "Photon", "Deliberate 3")
    camp.pop("umay", "Inkwell 2")
    page.clock.run_for(21_000)
    expect(page.locator("#camp a.drawing")).to_have_count(2)
    expect(sentence(page)).to_contain_text("4 machines are here, 2 of them drawing.")
    assert names(page) == ["tulpar", "gobi", "saka", "umay"]
    assert page.locator("#camp a").nth(1).bounding_box() == first
    rows = page.locator("#model-rows tr")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Show 1 new model").click()
    expect(row(page, "model-rows", "Inkwell 2")).to_be_visible()
    camp.submit(job)
    camp.horde.delete_worker_single(camp.worker_id("umay"))
    page.clock.run_for(21_000)
    expect(page.locator("#camp a.gone")).to_have_count(1)
    expect(sentence(page)).to_contain_text("3 machines are here, 1 of them drawing.")
    assert names(page)[:3] == ["tulpar", "gobi", "saka"]


def names(page):
    texts = page.locator("#camp a").all_text_contents()
    return [text.strip().partition(":")[0] for text in texts]


def test_nothing_is_asked_while_nobody_looks(people, horde_server, camp):
    page = people().page
    calls = []
    page.on("request", lambda request: calls.append(request.url))
    page.clock.install()
    page.goto(f"{horde_server.url}/horde")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    hide(page, hidden=True)
    expect(page.locator("#time-about")).to_contain_text("As it was at")
    before = len(calls)
    page.clock.run_for(120_000)
    assert calls[before:] == []
    hide(page, hidden=False)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert any("/status/history" in url for url in calls[before:])


def hide(page, *, hidden):
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", {get: () => hidden, configurable: true});
          document.dispatchEvent(new Event("visibilitychange", {bubbles: true}));
        }""",
        hidden,
    )


def test_models_are_sorted_when_somebody_asks(person, camp):
    page = person.open("/horde")
    heads = page.locator("#models th")
    expect(heads.nth(2)).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="Model", exact=True).click()
    expect(heads.nth(0)).to_have_attribute("aria-sort", "ascending")
    expect(heads.nth(2)).not_to_have_attribute("aria-sort", re.compile("."))
    shown = page.locator("#model-rows th").all_text_contents()
    assert shown == sorted(shown)
    page.get_by_role("button", name="Model", exact=True).click()
    assert page.locator("#model-rows th").all_text_contents() == shown[::-1]


def test_it_is_closed_when_the_operators_say_so(person, camp):
    camp.horde.put_horde_modes({"maintenance": True})
    page = person.open("/horde")
    expect(sentence(page)).to_have_text(
        "Closed for maintenance. What you asked for before is kept."
    )
    camp.horde.put_horde_modes({"maintenance": False})


def test_an_empty_horde_says_what_to_do(browser, empty_server):
    for is_live in (True, False):
        context = browser.new_context(java_script_enabled=is_live, locale="en")
        page = context.new_page()
        page.goto(f"{empty_server.url}/horde")
        expect(sentence(page)).to_contain_text("No machine is here.")
        expect(page.get_by_text("One command brings yours")).to_be_visible()
        expect(page.get_by_text("Nothing is known of this time yet.")).to_be_visible()
        expect(page.get_by_role("heading", name="No model is offered.")).to_be_visible()
        expect(page.get_by_text("Nobody has given anything this month.")).to_be_visible()
        expect(page.locator("#news-title")).to_have_count(0)
        if is_live:
            axe(page)
        context.close()


def test_news_are_told_as_they_were_written(person, camp, horde_server):
    path = next(horde_server.data.glob("*.sqlite3"))
    with sqlite3.connect(path, timeout=20) as connection:
        connection.execute(
            "INSERT INTO news (published_at, newspiece, importance, tags, more_info_urls)"
            " VALUES (1700000000000, '<b>Two A100</b> joined.', 'Information', '[]',"
            ' \'["https://example.org/x", "javascript:alert(1)"]\')'
        )
    connection.close()
    page = person.open("/horde")
    expect(page.locator(".news")).to_contain_text("<b>Two A100</b> joined.")
    expect(page.locator(".news time")).to_contain_text("2023")
    assert page.locator(".news a").count() == 1


def test_it_speaks_german(people, camp, week):
    page = people(locale="de-DE").open("/horde")
    expect(sentence(page)).to_contain_text(re.compile(r"\d Maschinen sind da, \d davon mal"))
    expect(page.locator("#legend")).to_contain_text("auf Arbeit")
    axe_everywhere(page)
