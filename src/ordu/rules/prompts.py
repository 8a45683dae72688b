"""Prompts: what no horde draws, and what an operator's horde does not.

Sexual content with minors is refused everywhere, by two lists of words: a prompt that has something
of both is refused. It cannot be switched off. An operator adds words of their own with the setting
`blocked_words`; each of them alone is enough. Words in `replaced_words` are drawn as what stands
for them; who does not want that says `replacement_filter: false` and is refused instead.

Before it is looked at, a prompt is made plain: only what is to be drawn (before `###`), without
accents, weights and punctuation, with spaced-out letters put together and digits read as the
letters they stand for. Whoever wants to get around it can; it keeps the careless and the obvious
out, and says so openly.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from ordu.protocol.errors import Refused

MINORS = (
    r"child(ren)?|childlike|kid(s|die|dies)?|toddlers?|infants?|bab(y|ies)|newborns?|minors?"
    r"|pre ?teens?|tweens?|teen(s|age|ager|agers)?|adolescents?|under ?age[d]?|juveniles?"
    r"|lolis?|lolitas?|lolicon|shotas?|shotacon|school ?(girl|boy|child)s?|little (girl|boy)s?"
    r"|young (girl|boy)s?|pubescent|prepubescent|(0?[1-9]|1[0-7]) ?(years?|yrs?|yo|y o)( old)?"
)
SEXUAL = (
    r"nud(e|es|ity)|naked|nsfw|porn\w*|sex|sexual\w*|sexy|erotic\w*|hentai|topless|bottomless"
    r"|undress(ed|ing)|unclothed|no cloth(es|ing)|orgasm\w*|genital\w*|penis|vagina\w*|pussy"
    r"|nipples?|lewd|fetish\w*|masturbat\w*|blowjobs?|intercourse|rape[ds]?|molest\w*|lingerie"
    r"|cum|cumming|ahegao|bdsm|seductive\w*"
)
MINOR = re.compile(rf"\b({MINORS})\b")
SEX = re.compile(rf"\b({SEXUAL})\b")

SPACED = re.compile(r"\b(?:\w ){2,}\w\b")  # l i k e  t h i s
WEIGHT = re.compile(r":\s*-?\d+(\.\d+)?")  # (so:1.3)
NO_WORD = re.compile(r"[^\w]+|_+")
LETTERS_MAX = 100_000  # of a prompt, once accents are characters of their own
LETTERS = str.maketrans("013457@$", "oieastas")


def admitted(
    prompt: str,
    blocked: tuple[str, ...] = (),
    replaced: Mapping[str, str] = MappingProxyType({}),
    *,
    may_replace: bool = True,
    is_for_adults: bool = False,
) -> str:
    """A prompt as it is drawn, with the operator's words replaced where its author allows that.

    `is_for_adults` says that a model was named which is made for nothing else: no minors then.

    Raises:
        Refused: CorruptPrompt.
    """
    if may_replace and replaced:
        prompt = with_replacements(prompt, replaced)
    readings = list(readings_of(prompt))
    if any(MINOR.search(text) and (is_for_adults or SEX.search(text)) for text in readings):
        raise Refused(
            "CorruptPrompt",
            "This prompt reads as sexual content with minors. That is not drawn here.",
        )
    unwanted = pattern((*blocked, *replaced))
    if unwanted is not None and any(unwanted.search(text) for text in readings):
        raise Refused(
            "CorruptPrompt", "The operators of this horde do not let it draw this prompt."
        )
    return prompt


def with_replacements(prompt: str, replaced: Mapping[str, str]) -> str:
    """A prompt with each of these words, in any case, as what stands for it.

    Raises:
        Refused: CorruptPrompt, when nothing is left to draw.
    """
    for word, instead in replaced.items():
        found = re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)
        prompt = found.sub(instead.replace("\\", r"\\"), prompt)
    if not prompt.split("###", 1)[0].strip():
        raise Refused("CorruptPrompt", "This horde draws nothing of what this prompt asks for.")
    return prompt


@lru_cache(maxsize=16)
def pattern(words: tuple[str, ...]) -> re.Pattern[str] | None:
    """What finds any of these words in a prompt made plain; None when there are none."""
    wanted = [re.escape(word) for word in map(plain, words) if word]
    return re.compile(rf"\b({'|'.join(wanted)})\b") if wanted else None


def readings_of(prompt: str) -> Iterator[str]:
    """The ways in which a prompt can be read: as it is, spaced letters together, digits as letters.

    Ages stay numbers in the first two, so that `13 years old` is read as it is meant.
    """
    text = plain(prompt.split("###", 1)[0])
    joined = SPACED.sub(lambda found: found[0].replace(" ", ""), text)
    yield text
    if joined != text:
        yield joined
    spelt = joined.translate(LETTERS)
    if spelt != joined:
        yield spelt


def plain(text: str) -> str:
    """A text in small letters without accents, weights and punctuation, one blank between words."""
    shown = text if text.isascii() else letters_of(text)
    return " ".join(NO_WORD.sub(" ", WEIGHT.sub(" ", shown.casefold())).split())


def letters_of(text: str) -> str:
    """A text without accents and without what is not shown.

    There are characters that become eighteen: a long text of them is not read to its end, because
    nobody else is served meanwhile.
    """
    decomposed = unicodedata.normalize("NFKD", text)[:LETTERS_MAX]
    return "".join(
        each
        for each in decomposed
        if not unicodedata.combining(each) and unicodedata.category(each) != "Cf"
    )
