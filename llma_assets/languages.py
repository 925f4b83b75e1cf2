"""Detects the language of a text; stop words and word stems. Phrases belong in `labels`.

English stop words stand in `stopwords.json`, with what every trace of a chat says; those of other languages come from
the package `stop-words`, stems from `snowballstemmer`. Both are read when the first name is made.
"""

import functools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from importlib import resources

ENGLISH = "english"
LEAST_HITS, LEAST_SHARE = 3, 0.25
"""Stop words of another language that a text needs to count as written in it, and their share of its words."""

_LISTS: dict[str, list[str]] = json.loads(resources.files(__package__).joinpath("stopwords.json").read_text("utf-8"))
SKIPPED = frozenset(_LISTS["skipped"])
"""English words inside which a phrase may go on: "book a flight" is the phrase "book flight"."""
LINKS = frozenset(_LISTS["links"])
"""English words that hold a phrase together: "cost of living" stays as it is."""
PARTICLES = frozenset(_LISTS["particles"])
"""English words that belong to the word before them: "top up", "turn off"."""
NEGATIONS = frozenset(_LISTS["negations"])
"""English words that turn the word after them around: "not working"."""
MEASURED = frozenset(_LISTS["measured"])
"""English words that ask together with "how": "how far"."""
BEFORE_VERBS, OFFERS = frozenset(_LISTS["before_verbs"]), frozenset(_LISTS["offers"])
"""English words after which a verb follows: "to cancel", "can" in "can you cancel"."""
LEADS = frozenset(_LISTS["leads"])
"""English words after which a sentence goes on that is complete in itself: "I think my card is lost"."""
FILLERS = LEADS | frozenset(_LISTS["fillers"])
"""English words that begin no request: "hoping to", "I understand"."""
ASKS = frozenset(_LISTS["asks"])
"""English words that begin a question."""
OPENINGS = ASKS | frozenset(_LISTS["openings"])
"""English stop words that a sentence may begin with."""
LIGHT_VERBS = frozenset(_LISTS["light_verbs"])
"""English verbs that say little without their object: "make a change"."""
STATES = frozenset(_LISTS["states"])
"""English verbs that need a subject before them, unless they ask."""
SUBJECTS = frozenset(_LISTS["subjects"])
"""English words that a subject begins with: "when I pay" is no question."""
AFTER_CLAUSES = frozenset(_LISTS["after_clauses"])
"""English words before which a clause can end."""
STOPS = frozenset(_LISTS["stops"]) | LINKS | PARTICLES | NEGATIONS
"""English words that end a phrase: function words, courtesies, and what every trace of a chat says."""

NOUNS_HAVE_CAPITALS = ("german",)
"""Languages in which a capital is no sign of a name."""
# Without spaces between words, a list of stop words cannot detect these languages.
_WITHOUT_SPACES = ("chinese", "japanese")
# Runs of characters that are words, or hold some.
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
_KATAKANA = re.compile(r"[\u30a0-\u30ff]{2,}")
_WITHOUT_SPACES_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[\u0000-\u024f\u1e00-\u1eff]")
_WORDS = re.compile(r"[^\W\d_]+")
_HAN_WORD = 2
_LONGEST_HAN_WORD = 4


def language_of(words: Collection[str]) -> str:
    """The language with the most stop words among `words`, lower case; English where none is clearly ahead.

    >>> language_of("je voudrais annuler la commande que j ai faite".split())
    'french'
    >>> language_of("cancel the order".split())
    'english'
    """
    hits: Counter[str] = Counter()
    known = _languages_of_words()
    for word in words:
        hits.update(known.get(word, ()))
    best, number = min(hits.items(), key=lambda item: (-item[1], item[0]), default=(ENGLISH, 0))
    clear = number > hits[ENGLISH] and number >= max(LEAST_HITS, LEAST_SHARE * len(words))
    return best if clear else ENGLISH


def is_english(text: str) -> bool:
    """Whether a text is written in English, as far as its script and its stop words tell; so is one that shows nothing.

    Another script than Latin has to make up a third of the letters: English text about other languages quotes them.

    >>> [is_english(text) for text in ("Where is my parcel?", "Wo ist mein Paket?", "荷物はどこですか", "42")]
    [True, False, False, True]
    """
    letters = [character for character in text if character.isalpha()]
    if 3 * sum(not _LATIN.match(letter) for letter in letters) > len(letters):
        return False
    hits: Counter[str] = Counter()
    known = _languages_of_words()
    for word in _WORDS.findall(text.casefold()):
        hits.update(known.get(word, ()))
    english = hits.pop(ENGLISH, 0)
    return max(hits.values(), default=0) <= english


def stops_of(language: str) -> frozenset[str]:
    """The stop words of a language, lower case; none of English, which has its own list."""
    return frozenset() if language == ENGLISH else _stop_words()[language]


def stem(word: str, language: str = ENGLISH) -> str:
    """`word` without its endings, lower case: words with equal stems say the same.

    >>> {stem(word) for word in ("activate", "Activated", "activation")}
    {'activ'}
    """
    return _stemmer(language)(unicodedata.normalize("NFC", word).casefold())


def pieces(run: str) -> list[str]:
    """The words in a run of letters that holds Chinese or Japanese: names, and pairs of characters of longer runs.

    >>> pieces("我想取消订单并申请退款")
    ['想取', '取消', '消订', '订单', '申请退款']
    >>> pieces("アカウントを削除")
    ['アカウント', '削除']
    """
    found = []
    for word in re.findall(f"{_HAN.pattern}|{_KATAKANA.pattern}", _split_at_stops(run)):
        if len(word) <= _LONGEST_HAN_WORD or _KATAKANA.fullmatch(word):
            found.append(word)
        else:
            found += [word[at : at + _HAN_WORD] for at in range(len(word) - _HAN_WORD + 1)]
    return [word for word in found if len(word) >= _HAN_WORD]


def _split_at_stops(run: str) -> str:
    """`run` with a space in place of each Chinese stop character."""
    return "".join(" " if character in _chinese_stops() else character for character in run)


def count_words(text: str) -> int:
    """The number of words in a line; in scripts without spaces two characters count as a word.

    >>> count_words("Refunds for broken kettles"), count_words("取消订单并申请退款")
    (4, 5)
    """
    return sum(-(-len(word) // _HAN_WORD) if has_no_spaces(word) else 1 for word in text.split())


def has_no_spaces(run: str) -> bool:
    """Whether a run of letters is in a script without spaces between words."""
    return _WITHOUT_SPACES_RUN.search(run) is not None


@functools.cache
def _stop_words() -> Mapping[str, frozenset[str]]:
    from stop_words import AVAILABLE_LANGUAGES, get_stop_words

    return {
        language: frozenset(
            word.casefold() for word in (*get_stop_words(language), *_LISTS.get(f"courtesies of {language}", ()))
        )
        for language in AVAILABLE_LANGUAGES
        if language not in (ENGLISH, *_WITHOUT_SPACES)
    } | {ENGLISH: STOPS | SKIPPED}


@functools.cache
def _chinese_stops() -> frozenset[str]:
    from stop_words import get_stop_words

    return frozenset(word for word in get_stop_words("chinese") if len(word) == 1)


@functools.cache
def _languages_of_words() -> Mapping[str, tuple[str, ...]]:
    known: dict[str, list[str]] = {}
    for language, words in _stop_words().items():
        for word in words:
            known.setdefault(word, []).append(language)
    return {word: tuple(languages) for word, languages in known.items()}


@functools.cache
def _stemmer(language: str) -> Callable[[str], str]:
    import snowballstemmer

    if language not in snowballstemmer.algorithms():
        return lambda word: word
    cut: Callable[[str], str] = functools.lru_cache(maxsize=50_000)(snowballstemmer.stemmer(language).stemWord)
    return cut
