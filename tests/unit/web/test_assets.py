"""Static files: named after their content, and only tokens for colours."""

import re
from pathlib import Path

import pytest

from ordu.web import assets
from ordu.web.language import Language, pages
from ordu.web.site import Site

FOLDER = Path(assets.__file__).parent / "static"


def test_every_file_of_the_folder_is_served():
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    words = {name for name in assets.by_own_name() if name.startswith("words/")}
    assert assets.by_own_name().keys() - words == files
    assert words == {f"words/{page}.{each}.js" for page in pages() for each in Language}
    assert len(assets.by_served_name()) == len(files | words)


def test_a_name_changes_with_the_content():
    old, new = (assets.Document(content, "text/css") for content in (b"a", b"b"))
    assert assets.served_name("a/b.css", old) != assets.served_name("a/b.css", new)
    assert re.fullmatch(r"b\.[0-9a-f]{12}\.css", assets.served_name("a/b.css", old))


def test_a_stylesheet_names_its_fonts_as_they_are_served():
    tokens = assets.by_own_name()["tokens.css"].content.decode()
    named = assets.NAMED_BY["css"].findall(tokens)
    assert len(named) == 6
    assert set(named) <= assets.by_served_name().keys()


def test_every_font_has_its_licence_beside_it():
    fonts = [name for name in assets.by_own_name() if name.endswith(".woff2")]
    for font in fonts:
        licence = font.partition("-latin")[0] + "-OFL.txt"
        assert b"SIL OPEN FONT LICENSE" in assets.by_own_name()[licence].content


SHEETS = sorted(path.name for path in FOLDER.glob("*.css") if path.name != "tokens.css")


@pytest.mark.parametrize("name", SHEETS)
def test_pages_take_every_colour_from_the_tokens(name):
    sheet = (FOLDER / name).read_text()
    rules = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|\b(rgb|hsl|oklch|oklab|color)a?\(", rules)
    tokens = (FOLDER / "tokens.css").read_text()
    for used in set(re.findall(r"var\((--[\w-]+)", rules)):
        assert f"{used}:" in tokens, used


SCRIPTS = sorted(p.relative_to(FOLDER / "js").as_posix() for p in FOLDER.rglob("*.js"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_imports_others_as_they_are_served(name):
    script = assets.by_own_name()[f"js/{name}"].content.decode()
    named = re.findall(r'from "\./([^"]+)"', script)
    assert set(named) <= assets.by_served_name().keys()
    assert len(named) <= len(assets.imports_of(f"js/{name}"))


def test_a_script_that_is_asked_for_later_is_named_as_served_and_not_loaded_at_once():
    gallery = assets.by_own_name()["js/ask/gallery.js"].content.decode()
    (later,) = set(re.findall(r'import\("\./(opened\.[^"]+)"\)', gallery))
    assert later in assets.by_served_name()
    assert "js/ask/opened.js" not in assets.imports_of("js/ask.js")
    assert "js/ask/picture.js" in assets.imports_of("js/ask.js")


@pytest.mark.parametrize(
    ("url", "path"),
    [("http://horde.test", "/register"), ("https://example.org/horde", "/horde/register")],
)
def test_a_site_may_live_below_another(url, path):
    site = Site(url, "1")
    assert site.path("/register") == path
    assert site.static("pages.css").startswith(site.root + "/static/pages.")
    assert site.name == url.partition("://")[2]
