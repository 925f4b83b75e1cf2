"""Text in Markdown that others wrote: it is shown, and does nothing."""

import re

NO_WIDTH = "\u200b"
_SPECIAL = "\\`*_{}[]()#+!|~<>&" + NO_WIDTH
_LINKS = re.compile(r":(?=//)|www(?=\.)|@", re.IGNORECASE)
"""Where a space of no width keeps an address from becoming a link: pages make links of bare addresses, too."""


def shortened(text: str, width: int) -> str:
    """One line of at most `width` characters, cut between words where that leaves most of it.

    >>> shortened("Repay home loan early: penalty", 24)
    'Repay home loan early…'
    """
    line = " ".join(text.split())
    if len(line) <= width:
        return line
    cut = line[:width]
    words = cut.rpartition(" ")[0]
    return (words if len(words) > 2 * width // 3 else cut[:-1]).rstrip(" ,;:.") + "…"


def escaped(text: str) -> str:
    """Text as Markdown shows it and nothing else, in one line, within a cell of a table too.

    >>> escaped("<b> *x*")
    '&#60;b&#62; &#42;x&#42;'
    """
    line = _LINKS.sub(lambda found: found.group() + NO_WIDTH, " ".join(text.split()))
    return "".join(f"&#{ord(character)};" if character in _SPECIAL else character for character in line)
