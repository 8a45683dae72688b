"""What the pages say: whole in every language, with the same values, and all of it said."""

import re
import string
from pathlib import Path

import pytest
from markupsafe import Markup

from ordu import web
from ordu.web import language
from ordu.web.language import DEFAULT, Language, Words

FOLDER = Path(web.__file__).parent
OTHERS = [each for each in Language if each is not DEFAULT]
SAID = re.compile(r"""["'`]((?:[a-z]+)\.[a-z0-9-]+)["'`]""")


def values_of(message: language.Message) -> set[str]:
    """The names of the values of a message."""
    texts = [message] if isinstance(message, str) else message.values()
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("page", language.pages())
def test_a_page_says_the_same_in_every_language(page, other):
    own, theirs = language.messages(DEFAULT, page), language.messages(other, page)
    assert own.keys() == theirs.keys()
    for key, message in own.items():
        assert values_of(message) == values_of(theirs[key]), key
        assert isinstance(message, str) == isinstance(theirs[key], str), key


@pytest.mark.parametrize("each", Language)
@pytest.mark.parametrize("page", language.pages())
def test_a_message_that_depends_on_a_number_has_every_form(each, page):
    for key, message in language.messages(each, page).items():
        if not isinstance(message, str):
            assert message.keys() == {"one", "other"}, key


def test_every_message_is_said_somewhere_and_there_is_no_other():
    files = [*FOLDER.rglob("*.html"), *FOLDER.rglob("*.js"), *FOLDER.rglob("*.py")]
    files += [*(FOLDER.parent / "server" / "pages").rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    known = {key for page in language.pages() for key in language.messages(DEFAULT, page)}
    prefixes = tuple(f"{page}." for page in language.pages())
    said = {key for key in SAID.findall(text) if key.startswith(prefixes)}
    endings = ("-", ".html", ".js", ".css", ".py", ".toml", ".key")
    assert {key for key in said - known if not key.endswith(endings)} == set()
    made = set(
        re.findall(r"""["'`]([a-z]+\.[a-z-]*)["'`$]\s*[~{+]""", text)
    )  # "common.theme-" ~ theme
    made |= set(re.findall(r"`([a-z]+\.[a-z-]*)\$\{", text)) | set(
        re.findall(r'f"([a-z]+\.[a-z-]*)\{', text)
    )
    assert {key for key in known - said if not key.startswith(tuple(made))} == set()


def test_numbers_and_plurals_are_those_of_the_language():
    english, german = Words(Language.EN), Words(Language.DE)
    assert english.say("horde.wait", count=1) == "1 picture waits."
    assert english.say("horde.wait", count=1234) == "1,234 pictures wait."
    assert german.say("horde.wait", count=1234) == "1.234 Bilder warten."
    assert german.number(1234.567) == "1.234,57"


def test_a_value_is_escaped_unless_it_is_markup():
    say = Words(Language.EN).say
    assert say("horde.here", machines="<b>") == "&lt;b&gt;."
    assert say("horde.here", machines=Markup("<b>2</b>")) == "<b>2</b>."


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (110, "1 min 50 s"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (86_400, "1 day"),
        (6 * 86_400 + 4 * 3600, "6 days 4 h"),
    ],
)
def test_a_duration_is_said_in_two_units(seconds, said):
    assert Words(Language.EN).duration(seconds) == said


def test_a_value_that_is_not_given_is_a_fault():
    with pytest.raises(KeyError):
        Words(Language.EN).say("horde.here")
