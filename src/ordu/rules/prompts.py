"""Prompts: what no horde draws, and what an operator's horde does not.

Sexual content with minors is refused everywhere, by two lists of words: a prompt that has something
of both is refused. It cannot be switched off. An operator adds words of their own with the setting
`blocked_words`; each of them alone is enough.

Before it is looked at, a prompt is made plain: only what is to be drawn (before `###`), without
accents, weights and punctuation, with spaced-out letters put together and digits read as the
letters they stand for. Whoever wants to get around it can; it keeps the careless and the obvious
out, and says so openly.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

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
LETTERS = str.maketrans("013457@$", "oieastas")


def check(prompt: str, blocked_words: Collection[str] = ()) -> None:
    """Refuse a prompt for what is not drawn here.

    Raises:
        Refused: CorruptPrompt.
    """
    readings = list(readings_of(prompt))
    if any(MINOR.search(text) and SEX.search(text) for text in readings):
        raise Refused(
            "CorruptPrompt",
            "This prompt reads as sexual content with minors. That is not drawn here.",
        )
    for word in blocked_words:
        wanted = plain(word)
        if wanted and any(re.search(rf"\b{re.escape(wanted)}\b", text) for text in readings):
            raise Refused(
                "CorruptPrompt", "The operators of this horde do not let it draw this prompt."
            )


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
    decomposed = unicodedata.normalize("NFKD", text)
    letters = "".join(each for each in decomposed if not unicodedata.combining(each))
    shown = "".join(each for each in letters if unicodedata.category(each) != "Cf")
    return " ".join(NO_WORD.sub(" ", WEIGHT.sub(" ", shown.casefold())).split())
