"""Words that carry a topic, told from courtesies, function words, ids and numbers. English; others pass through."""

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
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
    r"i am|i'm|i have|i've|do you (?:know|have)|is it possible to|be able to|get|just|(?:some )?help (?:with|to)|"
    r"assistance (?:with|in))\b\s*)+",
    re.IGNORECASE,
)
_STOP = frozenset(  # a text is easier to read and to mend than a list of 200 strings
    "a an the this that these those and or but if then so as of in on at to for from by with about into over "
    "under is are was were be been being am do does did done have has had having will would can could should "
    "may might must shall i me my mine we us our you your yours he him his she her it its they them their "
    "what which who whom whose when where why how all any both each few more most other some such no nor not "
    "only own same than too very just also please thanks thank hi hello hey yes yeah no ok okay sure great good "
    "nice fine perfect sounds welcome day help need want like would know let get got give make made go going "
    "there here one two now today again still really actually well right think see look looking find found "
    "anything something everything nothing else im ill id ive dont doesnt thats its whats lets wont cant "
    "awesome cool wonderful appreciate happy sorry correct works enjoy bye goodbye assist assistance further "
    "assistant able question questions feel free ask main moment response understand".split()  # noqa: SIM905
)


@lru_cache(maxsize=20_000)
def _is_content(word: str) -> bool:
    return len(word) > 2 and word.replace("'", "").replace("’", "") not in _STOP


def content_words(text: str) -> list[str]:
    """Words that say what a text is about, lower case, in order, with repeats.

    >>> content_words("Hi, I would like to book a flight to Oslo, please")
    ['book', 'flight', 'oslo']
    """
    return [word for word in map(str.lower, _WORD.findall(text)) if _is_content(word)]


def spoken(name: str) -> str:
    """The name of a tool as words.

    >>> spoken("SearchOnewayFlight"), spoken("get_user_details"), spoken("mcp__db.query-v2")
    ('search oneway flight', 'get user details', 'mcp db query v2')
    """
    return " ".join(re.split(r"[\W_]+", _CAMEL.sub(" ", name))).strip().lower()


def request_of(text: str) -> str:
    """The heart of what a user says: the sentence with the most content, without its courtesies.

    >>> request_of("Hi there! I would like to book a one-way flight to Oslo. Thanks!")
    'book a one-way flight to Oslo'
    """
    best, most = "", 0
    for sentence in _SENTENCE.split(text[:2_000]):
        plain = _ASKING.sub("", _GREETING.sub("", sentence.strip()))
        # Sentences of equal weight: the first one asks, the later ones explain.
        weight = min(len(set(content_words(plain))), 8)
        if weight > most:
            best, most = plain, weight
    return best.strip(" .!?,;:") or text[:200].strip()
