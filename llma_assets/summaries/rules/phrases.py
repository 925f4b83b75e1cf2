"""The English phrases of the rules: lists of regular expressions in `phrases.json`."""

import json
import re
from functools import cache
from importlib import resources


@cache
def phrases(name: str) -> re.Pattern[str]:
    """One pattern for all phrases of a list; matches begin and end at word boundaries."""
    lists: dict[str, list[str]] = json.loads(resources.files(__package__).joinpath("phrases.json").read_text("utf-8"))
    return re.compile(rf"(?<!\w)(?:{'|'.join(lists[name])})(?!\w)", re.IGNORECASE)
