"""Finds the words that carry a topic, without courtesies, function words, ids and numbers.

The lists are English; words of other languages pass. Phrases that a rule looks for belong in `rules.phrases`.
"""

import json
import re
from functools import cache, lru_cache
from importlib import resources

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_IDENTIFYING = re.compile(
    r"^(?:here is |here's )?(?:my|the) [\w ]{0,20}\b(?:ids?|(?:user)?name|e-?mail|number|code|address)\b"
    r"[\w ]{0,12} (?:is|are)\b",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_INTRODUCTION = re.compile(
    r"^(?:my name is|this is|i['’]?m|i am) (?-i:[A-Z]\w+(?: [A-Z]\w+){0,2})(?:[,.]? and\b|[,.])?\s*",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|greetings|good (?:morning|afternoon|evening|day)|dear \w+|thanks|thank you|"
    r"yes|yeah|yep|no|nope|ok|okay|sure|great|alright|well|so|also|and|please|sorry|excuse me|there|"
    r"that(?:'s| is| sounds) (?:good|great|fine|right|all|correct))\b[\s,.!:;-]*)+",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"^(?:(?:i(?:'m| am)? (?:(?:would|'d) (?:really )?like|want|need|wish|hope|was hoping|(?:am )?looking|trying|"
    r"(?:am )?interested)(?: to| for| in| some help(?: with| to)?| help(?: with| to)?| you to)?|"
    r"(?:can|could|would|will) you(?: please| kindly)?(?: help me(?: to| with)?)?|can i|could i|may i|"
    r"i(?:'d|’d) like(?: to| you to)?|please|help me(?: to| with)?|let me|let's|tell me(?: about)?|"
    r"(?:get|give|show) me|i am|i'm|i have|i've|do you (?:know|have)|is it possible to|be able to|just|"
    r"(?:some )?(?:help|assistance) (?:with|to|in)|(?:contacting|calling|writing) (?:you )?(?:regarding|about|because)|"
    r"currently|actually)\b\s*)+",
    re.IGNORECASE,
)


@cache
def _stopwords() -> frozenset[str]:
    return frozenset(json.loads(resources.files("llma_assets.summaries").joinpath("stopwords.json").read_bytes()))


@lru_cache(maxsize=20_000)
def _is_content(word: str) -> bool:
    return len(word) > 2 and word.replace("'", "").replace("’", "") not in _stopwords()


def content_words(text: str) -> list[str]:
    """The content words of a text in lower case, in order, with repetitions.

    >>> content_words("Hi, I would like to book a flight to Oslo, please")
    ['book', 'flight', 'oslo']
    """
    return [word for word in map(str.lower, _WORD.findall(text)) if _is_content(word)]


def as_words(name: str) -> str:
    """The name of a tool as words.

    >>> as_words("SearchOnewayFlight"), as_words("get_user_details"), as_words("mcp__db.query-v2")
    ('search oneway flight', 'get user details', 'mcp db query v2')
    """
    return " ".join(re.split(r"[\W_]+", _CAMEL.sub(" ", name))).strip().lower()


def request_of(text: str) -> str:
    """A user's request: the first sentence with content, without courtesies.

    >>> request_of("Hi there! I would like to book a one-way flight to Oslo. Thanks!")
    'book a one-way flight to Oslo'

    Returns:
        "" where the text only greets or identifies its author.
    """
    best, most = "", 0
    for sentence in _SENTENCE.split(text[:2_000]):
        plain = without_courtesies(sentence)
        # The first sentence with content is the request; later ones explain it.
        weight = 0 if _IDENTIFYING.match(plain) else min(len(set(content_words(plain))), 2)
        if weight > most:
            best, most = plain, weight
    return best.strip(" .!?,;:")


def without_courtesies(sentence: str) -> str:
    """A sentence without the greeting, introduction and polite opening that it begins with.

    >>> without_courtesies("Hi, could you please cancel my flight?")
    'cancel my flight?'
    """
    return _ASKING.sub("", _INTRODUCTION.sub("", _GREETING.sub("", sentence.strip())))


def is_courtesy(text: str) -> bool:
    """Whether an answer only closes the conversation.

    >>> is_courtesy("You're welcome! Have a great trip."), is_courtesy("Your flight leaves at nine.")
    (True, False)
    """
    return _CLOSING.match(text) is not None


_CLOSING = re.compile(
    r"^\W*(?:you(?:'|’)?(?:re| are) (?:very |most )?welcome|thank you|thanks|enjoy|have a|good ?bye|my pleasure|"
    r"(?:i am|i'm|i’m)? ?glad|is there anything else|anything else|can i help|what else)\b",
    re.IGNORECASE,
)
