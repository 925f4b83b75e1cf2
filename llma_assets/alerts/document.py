"""The file of a team's alerts: channels and rules. What applying one does is in `store.py`.

channels:
  - {channel: ops, kind: webhook, address_env: LLMA_ALERTS_OPS_URL, secret_env: LLMA_ALERTS_OPS_SECRET}
rules:
  - {rule: escalating, enabled: true, channels: [ops]}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from llma_assets.alerts.errors import InvalidRulesError
from llma_assets.alerts.rule import Channel, Rule
from llma_assets.alerts.shipped import SHIPPED
from llma_assets.themes import InvalidThemesError, Problem, did_you_mean, read_yaml, write_yaml

TOP_FIELDS = ("channels", "rules")
MAX_EACH = 100
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_RULE, _CHANNEL = TypeAdapter(Rule), TypeAdapter(Channel)

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "webhook": ("address_env", "secret_env"),
    "slack": ("secret_env", "to"),
    "slack_webhook": ("address_env",),
    "mail": ("address_env", "to", "sender"),
    "pagerduty": ("secret_env",),
    "apprise": ("address_env",),
}


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, checked one by one; how rules and channels go together is checked when it is applied."""

    channels: tuple[Channel, ...] = ()
    rules: tuple[Rule, ...] = ()


def read_document(text: str | bytes) -> Document:
    """The document of a YAML file.

    Raises:
        InvalidRulesError: with everything that is wrong.
    """
    try:
        content = read_yaml(text)
    except InvalidThemesError as error:
        raise InvalidRulesError(error.problems) from None
    if not isinstance(content, dict):
        raise InvalidRulesError([Problem("", "the file must be a mapping that begins with `rules:` or `channels:`")])
    problems = [
        Problem(
            str(name)[:80], f"there is no such field{did_you_mean(name, TOP_FIELDS) or '; there are channels, rules'}"
        )
        for name in content
        if name not in TOP_FIELDS
    ]
    found: dict[str, list[Any]] = {"channels": [], "rules": []}
    for part in TOP_FIELDS:
        entries = content.get(part) or []
        if not isinstance(entries, list) or len(entries) > MAX_EACH:
            problems.append(Problem(part, f"must be a list of at most {MAX_EACH}"))
            continue
        for number, entry in enumerate(entries):
            one, wrong = (rule_from if part == "rules" else channel_from)(entry, f"{part}[{number}]")
            problems += wrong
            found[part].append(one)
        names = [str(entry.get(part[:-1])) for entry in entries if isinstance(entry, dict)]
        problems += [
            Problem(part, f"{name[:80]!r} is given twice") for name in {n for n in names if names.count(n) > 1}
        ]
    if problems:
        raise InvalidRulesError(problems)
    return Document(tuple(found["channels"]), tuple(found["rules"]))


def rule_from(settings: Any, where: str = "") -> tuple[Rule | None, list[Problem]]:
    """A rule from plain values, over what ships under its name; None and all that is wrong."""
    if not isinstance(settings, dict):
        return None, [Problem(where, "must be a mapping of fields that begins with `rule:`")]
    ships = SHIPPED.get(str(settings.get("rule")))
    defaults = settings_of(ships) if ships else {}
    found, problems = _checked(_RULE, Rule, "rule", {**defaults, **settings}, where)
    if found is None:
        return None, problems
    limits = (found.above, found.times_previous, found.times_expected)
    if found.kind == "threshold" and all(each is None for each in limits):
        problems.append(Problem(f"{where}.above", "a threshold needs above, times_previous or times_expected"))
    if found.kind == "escalating" and found.measure in ("error_rate", "share"):
        message = (
            f"escalating is about traces, users or cost, not {found.measure}; take the kind threshold or share_shift"
        )
        problems.append(Problem(f"{where}.measure", message))
    if found.measure in ("error_rate", "share") and found.above is not None and found.above > 1:
        problems.append(Problem(f"{where}.above", f"a {found.measure} is at most 1, not {found.above:g}"))
    if found.buckets == "hour" and found.kind != "escalating":
        problems.append(Problem(f"{where}.buckets", f"hours are judged by escalating alone, not by {found.kind}"))
    if ships and found.kind != ships.kind:
        problems.append(Problem(f"{where}.kind", f"{found.rule} ships as {ships.kind}; give the rule another name"))
    return found, problems


def channel_from(settings: Any, where: str = "") -> tuple[Channel | None, list[Problem]]:
    """A channel from plain values; None and all that is wrong."""
    if not isinstance(settings, dict):
        return None, [Problem(where, "must be a mapping of fields that begins with `channel:`")]
    found, problems = _checked(_CHANNEL, Channel, "channel", settings, where)
    if found:
        problems += [
            Problem(f"{where}.{name}", f"is missing; a channel of kind {found.kind} needs it")
            for name in _NEEDS[found.kind]
            if not getattr(found, name)
        ]
    return found, problems


def settings_of(item: Rule | Channel) -> dict[str, Any]:
    """Plain values by field, as a file has them."""
    adapter: TypeAdapter[Any] = _RULE if isinstance(item, Rule) else _CHANNEL
    found: dict[str, Any] = adapter.dump_python(item, mode="json")
    return found


def write_document(document: Document) -> str:
    """The document as YAML, which `read_document` gives back."""
    return write_yaml(
        {
            "channels": [settings_of(each) for each in document.channels],
            "rules": [settings_of(each) for each in document.rules],
        }
    )


def _checked(adapter: TypeAdapter[Any], kind: type, key: str, settings: Any, where: str) -> tuple[Any, list[Problem]]:
    name = settings.get(key)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        message = (
            f"{str(name)[:80]!r} is not a name: a lower-case letter, then lower-case letters, digits and _, up to 64"
        )
        return None, [Problem(f"{where}.{key}", message)]
    try:
        return adapter.validate_python(settings), []
    except ValidationError as error:
        known = [each.name for each in fields(kind)]
        return None, [_problem(each, where, known) for each in error.errors(include_url=False)]


def _problem(error: Any, where: str, known: list[str]) -> Problem:
    path = where + "".join(f"[{part}]" if isinstance(part, int) else f".{str(part)[:80]}" for part in error["loc"])
    shown = repr(error["input"])[:80]
    match error["type"]:
        case "unexpected_keyword_argument":
            name = str(error["loc"][-1])
            return Problem(
                path, f"there is no such field{did_you_mean(name, known) or '; there are ' + ', '.join(known)}"
            )
        case "missing" | "missing_argument":
            return Problem(path, "is missing")
        case "literal_error":
            choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
            return Problem(path, f"{shown} is not one of {', '.join(choices)}{did_you_mean(error['input'], choices)}")
        case "value_error":
            # The value of a variable's field may be a secret that was written into the file: it is not shown.
            return Problem(path, str(error["ctx"]["error"]))
        case _:
            return Problem(path, f"{shown}: {error['msg']}")
