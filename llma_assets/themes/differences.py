"""What differs between two settings of a theme, field by field, and how that is shown to a person. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after, by its name in a file, such as `clustering.method`."""

    field: str
    before: Any
    after: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The fields that differ, in their order in a file; a field that one side lacks is None there."""
    old, new = dict(_flat(before)), dict(_flat(after))
    return tuple(
        FieldChange(name, old.get(name), new.get(name))
        for name in dict.fromkeys((*new, *old))
        if canonical(old.get(name)) != canonical(new.get(name))
    )


def canonical(value: Any) -> str:
    """Text that is equal for equal settings only: True, 1 and 1.0 differ."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def lines_of(change: FieldChange) -> Iterator[str]:
    """A changed field as lines for a person: texts and lists as a diff, everything else as old → new."""
    if not _is_long(change.before) and not _is_long(change.after):
        yield f"{change.field}: {canonical(change.before)} → {canonical(change.after)}"
        return
    yield f"{change.field}:"
    for line in list(unified_diff(_lines(change.before), _lines(change.after), n=1, lineterm=""))[2:]:
        if not line.startswith("@@"):
            yield f"  {line}"


def _is_long(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, str) and ("\n" in value or len(value) > 60))


def _lines(value: Any) -> Sequence[str]:
    if isinstance(value, list):
        return [canonical(each) for each in value]
    return value.splitlines() if isinstance(value, str) else []


def _flat(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value
