"""Titles, bodies and comments of issues. Text of traces mentions nobody, refers to no issue and links nowhere.

Trackers make links of rendered text, after entities are decoded: so a sign of no width breaks what they look for, and
Markdown's own signs are entities.
"""

import re
from collections.abc import Sequence
from uuid import UUID

from llma_assets.alerts import inert
from llma_assets.markdown import NO_WIDTH, escaped, shortened
from llma_assets.visible import visible

TITLE_WIDTH, LINE_WIDTH = 200, 500
_REFERENCES = re.compile(
    r"(?<=#)(?=\w)"  # #123
    r"|(?<=[A-Za-z0-9]-)(?=\d)"  # GH-1, ENG-1, and keys that a repository makes links of
    r"|(?<=\b[0-9a-f]{6})(?=[0-9a-f])"  # a commit
    r"|(?<=@)(?=\w)"
    r"|(?<=\w\.)(?=[A-Za-z])"  # bank.com
    r"|(?<=[A-Za-z]:)(?=//)"
    r"|(?<=\$)(?=\S)"  # formulas
)


def title_line(text: str) -> str:
    """A title, which trackers do not read as Markdown.

    >>> title_line("Fix @all #12 in ENG-7").replace(NO_WIDTH, "|")
    'Fix @|all #|12 in ENG-|7'
    """
    return _REFERENCES.sub(NO_WIDTH, inert(shortened(text, TITLE_WIDTH)).replace(NO_WIDTH, "")) or "Without a title"


def safe(text: str, width: int = LINE_WIDTH) -> str:
    """One line of hostile text in Markdown.

    >>> safe("**x** #1 <img src=http://e.example>").replace(NO_WIDTH, "|")
    '&#42;&#42;x&#42;&#42; &#35;|1 &#60;img src=http:|//e.|example&#62;'
    """
    line = shortened(visible(text, ""), width)
    parts = [escaped(each).replace("$", "&#36;").replace(f"&#{ord(NO_WIDTH)};", "") for each in _pieces(line)]
    return NO_WIDTH.join(parts)


def body_of(facts: Sequence[str], description: str, examples: Sequence[str], links: Sequence[tuple[str, str]]) -> str:
    """The text of an issue, without its marker.

    Args:
        facts: lines of ours, with figures alone.
        description, examples: text of traces.
        links: name and address, of our own pages.
    """
    quoted = [f"> {safe(each)}  " for each in description.splitlines() if each.strip()][:20]
    parts = [
        "\n".join(f"- {each}" for each in facts),
        "\n".join(quoted),
        "\n".join(["Examples:", "", *(f"- {safe(each, 200)}" for each in examples)]) if examples else "",
        "\n".join(f"[{name}]({address})" for name, address in links if address),
        "Opened by LLMA Assets. Closing it here resolves or ignores it there, and the other way round.",
    ]
    return "\n\n".join(each for each in parts if each)


def marked(text: str, identity: UUID) -> str:
    """A text with a marker that GitHub does not show."""
    return f"{text}\n\n{marker_of(identity)}"


def marker_of(identity: UUID) -> str:
    """The marker, as it stands in a text; its words are found by a search for `mark_of`."""
    return f"<!-- {mark_of(identity)} -->"


def mark_of(identity: UUID) -> str:
    """The word of a marker.

    >>> mark_of(UUID(int=5))
    'llma00000000000000000000000000000005'
    """
    return f"llma{identity.hex}"


def _pieces(line: str) -> list[str]:
    return re.split(_REFERENCES, line)
