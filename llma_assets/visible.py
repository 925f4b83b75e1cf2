"""Removes invisible characters from a text: direction marks, zero-width characters, tags, control characters.

A model reads them, so that a text could tell a model something else than a person, and they could hide a private value
from redaction. Every text is cleaned before it is stored, shown or sent to a model: rendered traces, titles of a model,
descriptions. Pure; what is private belongs in `privacy`.

Kept, because words and pictures need them: a joiner or non-joiner after a letter or mark of a script that joins
(Arabic, Persian, the scripts of India …), a joiner between two pictures (👩‍💻), the sign behind a picture that says
whether it is in colour (❤️), and the forms of a Mongolian letter. Each only by itself: a row of them is a message.
"""

import re
import unicodedata
from typing import Final

_ANSI: Final = re.compile(r"\x1b\[[0-9;?]{0,32}[A-Za-z]")
_LINE_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

HIDDEN: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Signs that show nothing by themselves (Unicode's Default_Ignorable_Code_Point, and annotations), for a class of a
regular expression."""

_HIDDEN: Final = re.compile(f"[{HIDDEN}]+")

# Letters and marks of scripts that are written joined up, or with half forms. Digits are not: nothing joins them.
_JOINING_BLOCKS: Final = (
    range(0x0600, 0x0860), range(0x0860, 0x0900), range(0x0900, 0x0E00), range(0x0F00, 0x1000), range(0x1000, 0x10A0),
    range(0x1780, 0x1800), range(0x1800, 0x18B0), range(0xA840, 0xA880), range(0xFB50, 0xFE00), range(0xFE70, 0xFEFD),
)  # fmt: skip
_JOINING: Final = frozenset(
    sign for block in _JOINING_BLOCKS for sign in map(chr, block) if unicodedata.category(sign)[0] in "LM"
)
_JOINERS: Final = ("\u200c", "\u200d")
_COLOURS: Final = ("\ufe0e", "\ufe0f")
_KEYCAP: Final = "\u20e3"
_OTHER_PICTURES: Final = "©®‼⁉™ℹ〰〽㊗㊙" + _KEYCAP


def visible(text: str, control: str = "\ufffd") -> str:
    """`text` without invisible characters, as valid UTF-8. Line ends become newlines, tabs stay.

    >>> visible("al\\u200bice\\u202e@x.com \\U000e0041|")
    'alice@x.com |'

    Args:
        control: replaces each control character, lone surrogate and noncharacter.
    """
    if not text.isascii():
        text = _HIDDEN.sub(_kept, text)
    if _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(control, _LINE_ENDS.sub("\n", _ANSI.sub("", text)))


def _kept(found: re.Match[str]) -> str:
    """The run of hidden characters if a reader needs it, else ""."""
    run, text = found.group(), found.string
    if len(run) > 2 or found.start() == 0:
        return ""
    before, after = text[found.start() - 1], text[found.end() : found.end() + 1]
    if run in _JOINERS and before in _JOINING:
        return run
    if run in _COLOURS and (_is_picture(before) or (before in "0123456789#*" and after == _KEYCAP)):
        return run
    if run in ("\u200d", "\ufe0f\u200d") and _is_picture(before) and _is_picture(after):
        return run
    return run if len(run) == 1 and "\u180b" <= run <= "\u180f" and run != "\u180e" and _is_mongolian(before) else ""


def _is_picture(sign: str) -> bool:
    code = ord(sign) if sign else 0
    return 0x1F000 <= code <= 0x1FAFF or 0x2190 <= code <= 0x2BFF or (code > 0 and sign in _OTHER_PICTURES)


def _is_mongolian(sign: str) -> bool:
    return "\u1820" <= sign <= "\u18aa"
