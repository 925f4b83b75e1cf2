"""What a check says: the same in Dagster, in `llma check` and in tests. The checks themselves belong in the rooms."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check for one team and day.

    Attributes:
        check: name of the check.
        asset: name of the asset that it judges.
        passed: whether all is well.
        expected: what should be there, in words or as a number.
        found: what is there.
        query: the statement that shows it, for whoever looks further.
        detail: more numbers, by name.
    """

    check: str
    asset: str
    passed: bool
    expected: Any
    found: Any
    query: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
