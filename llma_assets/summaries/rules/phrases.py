"""The English phrases of the rules, from `phrases.json`: regular expressions by what they show, each a few words."""

import json
import re
from functools import cache
from importlib import resources


@cache
def phrases(name: str) -> re.Pattern[str]:
    """One expression for all phrases of a list; they begin and end at the edge of a word."""
    lists: dict[str, list[str]] = json.loads(resources.files(__package__).joinpath("phrases.json").read_text("utf-8"))
    return re.compile(rf"(?<!\w)(?:{'|'.join(lists[name])})(?!\w)", re.IGNORECASE)
