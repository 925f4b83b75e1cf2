"""The file of a team's trackers and rules. What applying one does is in `store.py`.

trackers:
  - {tracker: bugs, kind: github, project: acme/app, token_env: LLMA_TRACKERS_GITHUB}
rules:
  - {rule: urgent, tracker: bugs, min_priority: 2.5, min_users: 10}
"""

import re
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from llma_assets.themes import InvalidThemesError, Problem, did_you_mean, read_yaml, write_yaml
from llma_assets.trackers.errors import InvalidTrackersError
from llma_assets.trackers.setting import RULE, TRACKER, OnClosed, Tracker, TrackerRule, settings_of

TOP_FIELDS = ("trackers", "rules")
MAX_EACH = 50
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, checked one by one; how rules and trackers go together is checked when it is applied."""

    trackers: tuple[Tracker, ...] = ()
    rules: tuple[TrackerRule, ...] = ()


def read_document(text: str | bytes) -> Document:
    """The document of a YAML file.

    Raises:
        InvalidTrackersError: with everything that is wrong.
    """
    try:
        content = read_yaml(text)
    except InvalidThemesError as error:
        raise InvalidTrackersError(error.problems) from None
    if not isinstance(content, dict):
        raise InvalidTrackersError([Problem("", "the file must be a mapping that begins with `trackers:` or `rules:`")])
    problems = [
        Problem(
            str(name)[:80], f"there is no such field{did_you_mean(name, TOP_FIELDS) or '; there are trackers, rules'}"
        )
        for name in content
        if name not in TOP_FIELDS
    ]
    found: dict[str, list[Any]] = {part: [] for part in TOP_FIELDS}
    for part in TOP_FIELDS:
        entries = content.get(part) or []
        if not isinstance(entries, list) or len(entries) > MAX_EACH:
            problems.append(Problem(part, f"must be a list of at most {MAX_EACH}"))
            continue
        for number, entry in enumerate(entries):
            one, wrong = (rule_from if part == "rules" else tracker_from)(entry, f"{part}[{number}]")
            problems += wrong
            found[part].append(one)
        names = [str(entry.get(part[:-1])) for entry in entries if isinstance(entry, dict)]
        problems += [
            Problem(part, f"{name[:80]!r} is given twice") for name in sorted({n for n in names if names.count(n) > 1})
        ]
    if problems:
        raise InvalidTrackersError(problems)
    return Document(tuple(found["trackers"]), tuple(found["rules"]))


def tracker_from(settings: Any, where: str = "") -> tuple[Tracker | None, list[Problem]]:
    """A tracker from plain values; None and all that is wrong."""
    found, problems = _checked(TRACKER, Tracker, "tracker", settings, where)
    if isinstance(found, Tracker):
        if ("/" in found.project) != (found.kind == "github"):
            wanted = "owner/repository" if found.kind == "github" else "the key of a team, such as ENG"
            problems.append(Problem(f"{where}.project", f"{found.project!r} is not {wanted}"))
        if not found.token_env:
            problems.append(Problem(f"{where}.token_env", "is missing; it names the variable with the token"))
        return found, problems
    return None, problems


def rule_from(settings: Any, where: str = "") -> tuple[TrackerRule | None, list[Problem]]:
    """A rule from plain values; None and all that is wrong."""
    found, problems = _checked(RULE, TrackerRule, "rule", settings, where)
    if isinstance(found, TrackerRule):
        if found.themes and found.about == "task":
            problems.append(Problem(f"{where}.themes", "is about clusters; a task belongs to no theme"))
        return found, problems
    return None, problems


def write_document(document: Document) -> str:
    """The document as YAML, which `read_document` gives back."""
    return write_yaml(
        {
            "trackers": [settings_of(each) for each in document.trackers],
            "rules": [settings_of(each) for each in document.rules],
        }
    )


def _checked(adapter: TypeAdapter[Any], kind: type, key: str, settings: Any, where: str) -> tuple[Any, list[Problem]]:
    if not isinstance(settings, dict):
        return None, [Problem(where, f"must be a mapping of fields that begins with `{key}:`")]
    name = settings.get(key)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        words = "a lower-case letter, then lower-case letters, digits and _, up to 64"
        return None, [Problem(f"{where}.{key}", f"{str(name)[:80]!r} is not a name: {words}")]
    try:
        return adapter.validate_python(settings), []
    except ValidationError as error:
        known = [each.name for each in (*fields(kind), *fields(OnClosed))]
        return None, [_problem(each, where, known) for each in error.errors(include_url=False)]


def _problem(error: Any, where: str, known: list[str]) -> Problem:
    path = where + "".join(f"[{part}]" if isinstance(part, int) else f".{str(part)[:80]}" for part in error["loc"])
    shown = repr(error["input"])[:80]
    match error["type"]:
        case "unexpected_keyword_argument":
            hint = did_you_mean(str(error["loc"][-1]), known)
            return Problem(path, f"there is no such field{hint or '; there are ' + ', '.join(known)}")
        case "missing" | "missing_argument":
            return Problem(path, "is missing")
        case "literal_error":
            choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
            return Problem(path, f"{shown} is not one of {', '.join(choices)}{did_you_mean(error['input'], choices)}")
        case "value_error":
            # The value of a variable's field may be a secret that was written into the file: it is not shown.
            return Problem(path, str(error["ctx"]["error"]))
        case _ if error["loc"] and str(error["loc"][-1]).endswith("_env"):
            return Problem(path, error["msg"])
        case _:
            return Problem(path, f"{shown}: {error['msg']}")
