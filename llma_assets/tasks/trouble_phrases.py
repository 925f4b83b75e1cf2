"""Decides which keywords in a description count, and whether it reports trouble at all. Pure, English.

"Adds a product without any problem" has the word and not the thing. A keyword counts unless its clause negates it ("no
error", "never crashed"), says that it is solved ("fixed the issue"), supposes it ("if an error occurs"), or has it in
a name ("the bug report form"). After W. W. Chapman and others, "A simple algorithm for identifying negated findings and
diseases in discharge summaries", Journal of Biomedical Informatics 34, 2001: cues, each with a scope that ends at the
clause. The impact of a segment belongs in `impact`, titles in `problem_titles`.
"""

import re
from collections.abc import Iterable
from typing import Final

_MAX_MATCHES: Final = 100
"""Matches in one text that are examined, so that a hostile text costs no more than others."""

_BEFORE, _AFTER = 160, 80
"""Characters around a keyword that are examined."""

_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CLAUSE_END: Final = re.compile(
    r"[.;:!?\n()\u2013\u2014]|, (?=(?:the|an?|it|he|she|they|this|user|then|and|so) )"
    r"|\b(?:but|however|although|though|yet|then|because|until|except|instead|while|whereas|since|despite|due to)\b"
    r"|\band (?=(?:the|an?|it|he|she|they|then|user|this|leaves|left|gives|gave|goes|went|closes|closed|retries) )"
)
_POINT: Final = re.compile(r"(?<=\d)[.:](?=\d)")

_WORD: Final = r"[\w'’%-]+ "
_DEFINITE: Final = r"(?:the|this|that|these|those|his|her|their|its|same)"
# A word inside a noun phrase: no article, no preposition, nothing that begins another phrase.
_IN_NOUN: Final = (
    r"(?:(?!(?:the|this|that|these|those|his|her|their|its|an?|about|of|for|on|in|at|to|from|after|before|with|by|when"
    r"|if|is|are|was|were|and|or|as|into)\b)[\w'’%-]+ )"
)
_NO: Final = (
    r"(?:no|zero|0|nor|neither|any|free of|free from|free of any|lack of|absence of|not a single|not one|not any)"
)

_NEGATED: Final = re.compile(
    rf"(?<!not )(?:\b{_NO} (?:(?:sign|trace|hint|kind|sort|evidence) of )?(?:an? |any |single )?{_IN_NOUN}{{0,3}}"
    # No errors, warnings or timeouts.
    rf"|\b(?:{_NO}|without) (?:[\w'’-]+,? ){{1,5}}(?:or|nor|and) {_IN_NOUN}{{0,1}}"
    rf"|\bwithout (?:(?:being|having|getting|ever) )?(?:an? |any |a single |further )?{_IN_NOUN}{{0,2}}"
    rf"|\bwithout (?!warning)\w+ing (?:into |with |on |in |to |at |by |up )?(?:an? |any )?{_IN_NOUN}{{0,2}})[\"'“‘]?$"
)
_VERB_NEGATED: Final = re.compile(
    r"\b(?:not|n't|cannot|never|nobody|nothing|none|hardly|rarely|no longer|no one)"
    r" (?!only|just|merely)(?:(?!(?:because|due|after|with|when|while|as|since|from|by|and|or"
    r"|without)\b)[\w'’-]+ ){0,5}$"
)
_LISTED: Final = (
    re.compile(rf"\b(?:{_NO}|without) (?:[\w'’-]+ ){{0,2}}[\w'’-]+, (?:[\w'’-]+, ){{0,3}}$"),
    re.compile(r"^\w*(?:, [\w'’-]+){0,3},? (?:or|nor|and)\b"),
)
"""Within "no errors, crashes or timeouts": what stands before and after."""
_IS_DEFINITE: Final = re.compile(rf"\b{_DEFINITE} (?:{_WORD}){{0,2}}$")
_SOLVES: Final = re.compile(
    r"\b(?:fix|fixe[sd]|fixing|solv\w+|resolv\w+|repair\w*|correct(?:s|ed|ing)|handl(?:es|ed|ing)|overc[ao]me\w*"
    r"|prevent\w*"
    r"|avoid\w*|work(?:s|ed) around|recover(?:s|ed) from|rid of|clear(?:s|ed)) (?:[\w'’-]+ ){0,3}$"
)
_IN_VAIN: Final = re.compile(
    r"(?:\bnot|n't|\bcannot|\bnever|\bunable|\bwithout|\btr(?:y|ies|ied|ying)|\battempt\w*|\bfail\w*|\bwants?|\bhow"
    r"|\bhelp)\b"
)
_SOLVED: Final = re.compile(
    r"^\w*,? (?:(?!(?:not|never|cannot|be|to|isn|wasn)\b)[\w'’-]+ ){0,3}?"
    r"(?:solved|resolved|fixed|gone|cleared up|corrected|repaired|sorted out|handled|avoided|prevented)\b"
    r"|^\w* (?:(?:does|did|do)(?: not|n't) (?:appear|occur|come|happen|show|exist)"
    r"|(?:never|no longer) (?:appear|occur|happen|come|show|exist))"
)
_FREE: Final = re.compile(r"^s?[ -]free\b")
_SUPPOSED: Final = re.compile(
    r"(?<!even )(?<!as )\b(?:if|whether|unless|in case|in the event) [^,]*$|\b(?:might|may) (?:[\w'’-]+ ){0,2}$"
)
_OPTION: Final = re.compile(r"^\w* (?:option|settings?|policy|behaviour|behavior|toggle)\b")

# Names of things that contain a keyword.
_NAME_AFTER: Final = re.compile(
    r"^(?:s|es|ed)?[ -](?:report(?:ing|s)?(?! (?:pop|appear|say|show|is shown))|tracker|tracking|form|template|list"
    r"|logs?\b"
    r"|handling|settings?|options?|filter|categor|label|rates?\b|budget|boundary|types?\b|numbers?\b|board|hunt"
    r"|bount|fix"
    r"|spray|statistics|analysis|dashboard|management|monitoring|history|course|test|diet|sets?\b|solving|catalogue"
    r"|archive"
    r"|queue|overview|documentation|manual|guide|chapter|article|section|tab\b|tag\b|column|matrix)"
)
_NAME_BEFORE: Final = re.compile(
    r"\b(?:(?:articles?|guide|documentation|docs|chapter|lesson|book|tutorial|blog|post|course|video|story|news)"
    rf" (?:about|on|regarding|of|named|called|titled) (?:an? |the )?(?:{_WORD}){{0,2}}"
    rf"|(?:list|number|count|share|table|overview|history|statistics|log) of (?:{_WORD}){{0,2}}"
    r"|(?:level|severity|category|status|labelled|tagged|named|called|titled|term|word|filter|song|game|playlist|board)"
    rf"(?: is| as| of| to)? [\"'“‘](?:{_WORD}){{0,2}}|(?:maths?|word|practice|physics|chess|homework) )$"
)
_THINGS: Final = {
    "issue": (
        r"^(?:s|d)? (?:an? |the |his |her |their |new )?(?:full |partial )?(?:refund|invoice|card|ticket|receipt"
        r"|voucher|credit"
        r"|statement|certificate|pass\b|token|permit)|^s? of (?:the|an?|this|that) (?:magazine|journal|newspaper"
        r"|paper|comic)",
        r"\b(?:magazine|journal|newspaper|comic)(?:'s)? (?:\w+ ){0,2}$",
    ),
    "timeout": (
        r"^ (?:of|to) \w+ (?:second|minute|hour)",
        r"\b(?:set|sets|setting|change[sd]?|raise[sd]?) (?:the |a )?$",
    ),
    "exception": (r"^al", r"(?!)"),
    "unexpected": (r"^ (?:bonus|gift|discount|pleasure|surprise|reward)", r"(?!)"),
    "left": (
        r"^(?:[ -](?:hand|side|bar|menu|column|panel|edge|corner|half|margin|navigation|arrow|click|over)"
        r"|over| an? (?:\w+ )?(?:comment|rating|review|note|message|like)| aligned| open\b| of\b)",
        r"(?:\b(?:the|on|to|at|upper|lower|top|bottom|far|is|are|was|were|be|time|items?|days?|nothing|swip\w+"
        r"|scroll\w+)|-) ?$",
    ),
    "closed": (
        r"^ (?:(?:the|an?|two|three|its|his|her|all) )?(?:\w+ ){0,1}(?:deal|ticket|case|chat|messages?"
        r"|notifications?|tooltip"
        r"|banner|hint|sprint|tour|welcome|menu|account)\b|^ (?:at (?:its|the) end|as |by itself|automatically)",
        r"\b(?:deal|ticket|case|sprint|books?|chat) (?:\w+ ){0,2}$",
    ),
    "exited": (r"^ (?:the )?full ?screen", r"(?!)"),
}
_NOT_A_KEYWORD: Final = {word: (re.compile(after), re.compile(before)) for word, (after, before) in _THINGS.items()}
_WANTED: Final = ("searched for", "looked for", "tried to")
_GOT: Final = re.compile(
    r"\b(?:and|then) (?:\w+ )?(?:found|finds|bought|buys|booked|books|opened|opens|took|takes|chose|chooses|got"
    r"|gets|did"
    r"|succeed\w*|managed)\b"
)
_CODE_AFTER: Final = re.compile(
    r"^[\"'”’)]?(?:[.,;:!?)]|$| (?:errors?|pages?|response|status|server|internal|not|code|when|on|after|from|is"
    r"|appear\w*|came)\b)"
)
_CODE_BEFORE: Final = re.compile(
    r"\b(?:errors?|http|status|code|returns?|returned|got|gets|says?|shows?|with|an?|answers?) (?:an? )?[\"'“‘(]?$|, $"
)

TROUBLE: Final = (
    "fails", "failing", "hangs", "hung", "freez", "froze", "stuck", "stall", "laggy", "slow", "delay", "endless",
    "forever", "loops", "spinner", "blank", "unresponsive", "unreachable", "unavailable", "unreadable",
    "invisible", "missing", "misses", "lacks", "lost", "loses", "vanish", "disappear", "gone", "empty", "emptied",
    "cleared", "wrong", "incorrect", "invalid", "mismatch", "corrupt", "cut off", "blocked", "reject", "refus",
    "declin", "denied", "turned down", "ignored", "expired", "outdated", "duplicate", "doubled", "again",
    "over and over", "retr", "reload", "retype", "repeat", "snaps back", "jumps back", "jumped back", "resets",
    "reappear", "frustrat", "annoy", "puzzl", "hesitat", "struggl", "unsure", "difficult", "trouble",
    "impossible", "unable", "refresh", "although", "even though", "unlike", "silent", "undefined", "late",
    "keeps", "remains", "stays", "stayed", "still", "quit", "discard", "bailed", "stopped trying", "breaks off",
    "broken off", "several times", "two times", "three times", "four times", "five times", "zero", "too long",
    "too late", "not-found", "shifted", "ignores", "returned to",
)  # fmt: skip
"""Prefixes of words of trouble that are no keywords; a group is a problem if enough of its texts have one."""

_NOTHING_COMES: Final = re.compile(
    r"\b(?:cannot|can't|unable|won't|nothing|never)\b|(?<!if )\b(?:does|do|did|is|are|was|were|has|have|had|could"
    r"|would|can)"
    r"(?: not|n't)\b"
    r"|\bno (?!(?:further|additional|more|longer|time|one|cost|charge|hurry|need)\b)\w+|\bwithout (?:any )?(?:sound"
    r"|effect|result|success"
    r"|a result|end|response|saving|buying|sending|an? answer)\b"
)
_GOOD_ABSENCE: Final = re.compile(
    r"^[^,.;]{0,40}?\b(?:problem|issue|error|trouble|hitch|delay|hesitat|difficult|hiccup|friction|fail|crash|bug"
    r"|broken|warning"
    r"|mistake|timeout|confus|struggl|abandon|interrupt|stuck|wait|complain|exception|glitch|fault|incident)"
)
_ENGLISH: Final = frozenset((
    "the", "a", "an", "to", "of", "and", "in", "on", "is", "was", "for", "with", "it", "at", "are", "as", "but",
    "by", "from", "after", "then", "they", "he", "she", "their", "no", "not", "that", "this", "user",
))  # fmt: skip
_MIN_ENGLISH: Final = 0.12


def keyword_pattern(keywords: Iterable[str]) -> re.Pattern[str]:
    """One pattern for keywords at the beginning of words."""
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, keywords))})")


def normalised(text: str) -> str:
    """`text` in lower case, with plain apostrophes, and the words of `TypeError` apart."""
    return " ".join(_CAMEL.sub(" ", text).lower().replace("’", "'").split())


def has_keyword(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a keyword of `pattern` is in a `normalised` text and reports that it happened.

    >>> has_keyword(keyword_pattern(["problem"]), "adds a product without any problem")
    False
    >>> has_keyword(keyword_pattern(["problem"]), "could not solve the problem")
    True
    """
    for number, match in enumerate(pattern.finditer(text)):
        if number >= _MAX_MATCHES:
            return False
        if _counts_as_problem(match.group(), *_clause(text, match.start(), match.end())):
            return True
    return False


def reports_trouble(text: str) -> bool:
    """Whether a `normalised` text reports trouble without a keyword; True if it is not English."""
    return not _is_english(text) or trouble_words(text)


def trouble_words(text: str) -> bool:
    """Whether a `normalised` English text has words of trouble, or something in it does not happen that should."""
    if has_keyword(_TROUBLE, text):
        return True
    for number, match in enumerate(_NOTHING_COMES.finditer(text)):
        if number < _MAX_MATCHES and not _GOOD_ABSENCE.match(text[match.start() : match.end() + _AFTER]):
            return True
    return False


def _is_english(text: str) -> bool:
    """Whether a text is English; too short a text is not."""
    words = re.findall(r"[^\W\d_]+", text[:2_000])
    return bool(words) and sum(word in _ENGLISH for word in words) >= _MIN_ENGLISH * len(words)


def _clause(text: str, start: int, end: int) -> tuple[str, str]:
    """The text before and after a position within its clause."""
    before = _POINT.sub("_", text[max(0, start - _BEFORE) : start])
    after = _POINT.sub("_", text[end : end + _AFTER])
    return _CLAUSE_END.split(before)[-1], _CLAUSE_END.split(after, maxsplit=1)[0]


def _counts_as_problem(keyword: str, before: str, after: str) -> bool:
    if keyword in ("404", "500"):
        return _is_code(before, after)
    is_supposed = _SUPPOSED.search(before) or (before.endswith("on ") and _OPTION.match(after))
    return not (
        is_supposed
        or _is_name(keyword, before, after)
        or _is_negated(before, after)
        or _is_solved(before, after)
        or (keyword in _WANTED and _GOT.search(after))
    )


def _is_negated(before: str, after: str) -> bool:
    if _NEGATED.search(before) or (_LISTED[0].search(before) and _LISTED[1].match(after)):
        return True
    # "Did not notice the error": there is one.
    negated = _VERB_NEGATED.search(before)
    return negated is not None and not _IS_DEFINITE.search(negated.group())


def _is_solved(before: str, after: str) -> bool:
    solves = _SOLVES.search(before)
    in_vain = solves and _IN_VAIN.search(before[: solves.start()])
    return bool((solves and not in_vain) or _SOLVED.match(after) or _FREE.match(after))


def _is_name(keyword: str, before: str, after: str) -> bool:
    patterns = _NOT_A_KEYWORD.get(keyword)
    if patterns and (patterns[0].match(after) or patterns[1].search(before)):
        return True
    return bool(_NAME_AFTER.match(after) or _NAME_BEFORE.search(before))


def _is_code(before: str, after: str) -> bool:
    """Whether a number is a status code; in "500 sheets of paper" it is not."""
    return bool(_CODE_BEFORE.search(before) and (_CODE_AFTER.match(after) or "error" in before))


_TROUBLE: Final = keyword_pattern(TROUBLE)
