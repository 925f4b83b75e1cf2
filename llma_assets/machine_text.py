"""Leaves out of a text what programs write: keys of JSON, YAML and logs, headers, stack frames, paths, ids, times.

What is left is what people and models say; values that are sentences are kept, because a person may have said them.
"""

import re

from llma_assets.languages import count_words

LEFT_OUT = "…"
"""Stands where something was left out."""
LEAST_WORDS = 3
"""A value of so many words is a sentence; a shorter one is data, such as a status or a kind."""
_LEAST_FIELDS = 3
"""So many fields "key: value" in a text are YAML or a form; fewer may be a person's colons."""

_SIGNS = re.compile(r"[{}\[\]<>=/\\@`\d]|\w:(?:\s|$)|\.[A-Za-z]")
"""A text without any of these holds nothing to leave out."""
_WORD = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*")
_LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL)"
_LOGGER = r"[\w-]+(?:\.[\w-]+)+"
_BETWEEN = rf"(?:\s+-(?=\s)|\s*\[[\w.:/ -]{{1,60}}\]|\s+{_LOGGER})*"
_FILES = (
    "py|ipynb|js|jsx|ts|tsx|mjs|rs|go|java|kt|cpp|hpp|cs|rb|php|swift|scala|sql|sh|yml|yaml|json|jsonl|toml|xml|html"
    "|css|scss|md|rst|txt|csv|tsv|log|lock|ini|cfg|conf|env|pdf|docx?|xlsx?|png|jpe?g|svg|zip|parquet"
)
_MACHINE = re.compile(
    "|".join(
        (
            r"```.*?(?:```|\Z)",
            r"\b(?:https?|ftp|s3|gs|file|wss?)://\S+|\bwww\.\S+",
            r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+",
            # Stack frames of Python, Java, JavaScript, Go and C.
            r'\bFile "[^"]{0,300}", line \d+(?:, in [\w<>.]+)?',
            r"\bTraceback \(most recent call last\):?|\bgoroutine \d+ \[[\w ]+\]:",
            r"\bat (?:async |new )?[\w$.<>/]+(?: \[as \w+\])?"
            r" ?\((?:[^()\s]{0,200}|Native Method|Unknown Source)\)(?=\s|$|…)",
            r"\bat (?=\S*[A-Za-z/])\S+:\d+(?::\d+)?(?=\s|$)",
            r"#\d+ +(?:0x[0-9a-f]+ in )?[\w:./~-]+ ?\([^()]{0,200}\)(?: at [\w./:-]+)?",
            # Beginnings of log lines.
            r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z| ?[+-]\d\d:?\d\d| UTC)?\]?"
            rf"{_BETWEEN}(?:\s*\[?{_LEVEL}\b\]?)?{_BETWEEN}:?",
            r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?:\d\d? +)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b"
            r"(?: +\d{1,4})*(?: +\d\d:\d\d(?::\d\d)?)?(?: +(?:UTC|GMT|[A-Z]{3,4}))?(?: +\d{4})?",
            r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d\d? \d\d:\d\d:\d\d \S+ [\w./-]+(?:\[\d+\])?:",
            r"\b[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\]",
            rf"\[{_LEVEL}\]|\b{_LEVEL}:[\w.]*:|(?<!\S){_LEVEL} +{_LOGGER}:?",
            # Requests and headers of HTTP.
            r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /\S*(?: HTTP/[\d.]+)?|\bHTTP/\d(?:\.\d)?",
            r"\b(?i:(?:content|accept|x|cache|user|set|if|access-control|transfer|www|proxy|strict|retry|keep|last)"
            r"-[a-z][a-z-]*|authorization|host|accept|cookie|referer|etag):(?= *\S*[/;=.*\d]| *(?i:bearer|basic)\b)"
            r" *(?:(?i:bearer|basic|digest) +)?\S+(?:;\s*\S+|\s\([^)]*\)|\s[\w.]+/[\d.]+\S*)*",
            r"</?[A-Za-z!?][\w:-]*(?:\s+[\w:@.-]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?)*\s*/?>",
            # Paths and names of files.
            r"(?<![\w/.:])(?:~|\.{1,2}|[A-Za-z]:)?(?:[\\/][\w.@+-]+){2,}[\\/]?(?::\d+)*",
            rf"(?<![\w./@-])[\w.@-]{{1,80}}(?:[\\/][\w.@-]+)*\.(?:{_FILES})\b(?::\d+)*",
            r"(?<!\S)/[\w-]+(?=\s|$)",
            # Ids: letters and digits in one, and long.
            r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b",
            r"(?<![\w-])(?=(?:[A-Za-z_-]*\d){2})[\w-]{16,}",
        )
    ),
    re.DOTALL,
)
_STRING = r"""(?:"(?![{\[])[^"]*(?:"|\Z)|'(?:[^'\\]|\\.|'(?=\w))*')"""
_PLAIN = r"-?\d[\w.+-]*|(?i:true|false|null|none)\b"
_PAIRS = re.compile(
    "|".join(
        (
            rf"(?<!\w)(?<!\w\s)[\"'][\w .$@/-]{{1,60}}[\"']\s*:\s*(?:(?P<json>{_STRING})|{_PLAIN})?",
            rf"(?<=[{{,])\s*[\w$-]{{1,60}}:\s*(?:(?P<object>{_STRING})|{_PLAIN}|(?=[{{\[]))",
            rf"(?<![\w=])[A-Za-z_][\w.-]{{0,60}}=(?:(?P<log>{_STRING})|[^\s,\"]*)",
            r"(?<=[\[,])\s*(?P<item>\"[^\"]*\")(?=\s*[,\]])",
        )
    )
)
_FIELD = re.compile(r"(?<!\S)(?:- +)?[A-Za-z_][\w.-]{0,40}:(?=\s|$)")
_REST = re.compile(rf"[\s{{}}\[\]]*[{{}}\[\]{LEFT_OUT}][\s{{}}\[\]{LEFT_OUT},;:\"]*")


def without_machine_text(text: str) -> str:
    """`text` with "…" in place of what a program wrote. Any text gives a text, which may be empty.

    >>> without_machine_text('Error: {"status": 429, "message": "Rate limit reached, try again later"}')
    'Error: … Rate limit reached, try again later …'
    >>> without_machine_text("ts=2026-11-01T08:00:00Z level=error msg=\\"the card was declined\\"")
    '… the card was declined …'
    >>> without_machine_text("Add types to src/orders.py and check them")
    'Add types to … and check them'
    """
    if not _SIGNS.search(text):
        return text
    said = _PAIRS.sub(_value, _MACHINE.sub(f" {LEFT_OUT} ", text.replace('\\"', '"')))
    said = _without_fields(said)
    if said == text:
        return text
    return _REST.sub(f" {LEFT_OUT} ", said).strip()


def _value(match: re.Match[str]) -> str:
    """The value of a pair where it is a sentence."""
    value = next((found for found in match.groups() if found), "").strip("\"'")
    return f" {LEFT_OUT} {value} {LEFT_OUT} " if _is_said(value) else f" {LEFT_OUT} "


def _without_fields(text: str) -> str:
    parts = _FIELD.split(text)
    if len(parts) <= _LEAST_FIELDS:
        return text
    return f" {LEFT_OUT} ".join([parts[0], *(part.strip() for part in parts[1:] if _is_said(part))])


def _is_said(value: str) -> bool:
    words = _WORD.findall(value)
    return len(words) >= LEAST_WORDS or count_words("".join(words[:1])) >= LEAST_WORDS
