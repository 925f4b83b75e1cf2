"""The truncation report of a day: totals of what its texts leave out, and the most truncated texts.

Pure. What a single text leaves out is `options.Loss`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_SUMS: Final = (
    "characters_before", "characters_after", "lines_before", "lines_after", "values_shortened", "events_shortened",
    "base64_removed", "messages_deduplicated", "values_repeated",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TruncationReport:
    """What the texts of a partition leave out.

    Attributes:
        texts: number of texts.
        totals: sum of each numeric field of `Loss`, by name.
        rules: number of texts by truncation rule.
        redactions: number of placeholders by kind of private value.
        protected_missing: number of protected pieces without room, by kind.
        worst: the most truncated texts, by the share that was kept; `level, item_id, kept_percent, characters_before,
            characters_after, lines_before, lines_after, rules, protected_missing`.
    """

    texts: int = 0
    totals: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    redactions: dict[str, int] = field(default_factory=dict)
    protected_missing: dict[str, int] = field(default_factory=dict)
    worst: tuple[Mapping[str, Any], ...] = ()


def loss_document(loss: Mapping[str, Any]) -> dict[str, Any]:
    """A stored or new `Loss`, with `protected_missing` under its old name, too, for one version.

    >>> loss_document({"survivors_missing": {"error": 1}})
    {'survivors_missing': {'error': 1}, 'protected_missing': {'error': 1}}
    """
    missing = loss.get("protected_missing", loss.get("survivors_missing", {}))
    return {**loss, "protected_missing": missing, "survivors_missing": missing}


def summarise_losses(losses: Iterable[tuple[str, str, Mapping[str, Any]]], shown: int = 10) -> TruncationReport:
    """Build the report from stored losses.

    Args:
        losses: level, item id and stored loss; a field that an older renderer did not store counts as 0.
        shown: number of rows in `worst`.
    """
    totals: Counter[str] = Counter(dict.fromkeys(_SUMS, 0))
    rules: Counter[str] = Counter()
    redactions: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    worst: list[tuple[float, dict[str, Any]]] = []
    texts = 0
    for level, item_id, stored in losses:
        texts += 1
        loss = loss_document(stored)
        for name in _SUMS:
            totals[name] += loss.get(name) or 0
        rules.update(loss.get("rules") or ())
        redactions.update(loss.get("redactions") or {})
        missing.update(loss["protected_missing"])
        before, after = loss.get("characters_before") or 0, loss.get("characters_after") or 0
        if loss.get("rules") and before > 0:
            # Line numbers may make a text longer than its source.
            kept = min(after / before, 1.0)
            worst.append((kept, _row(level, item_id, kept, loss)))
            worst = sorted(worst, key=lambda pair: (pair[0], pair[1]["level"], pair[1]["item_id"]))[:shown]
    return TruncationReport(
        texts, dict(totals), dict(rules), dict(redactions), dict(missing), tuple(row for _, row in worst)
    )


def _row(level: str, item_id: str, kept: float, loss: Mapping[str, Any]) -> dict[str, Any]:
    numbers = ("characters_before", "characters_after", "lines_before", "lines_after")
    return {
        "level": level,
        "item_id": item_id,
        "kept_percent": round(100 * kept, 1),
        **{name: loss.get(name) or 0 for name in numbers},
        "rules": ", ".join(loss.get("rules") or ()),
        "protected_missing": ", ".join(f"{count} {name}" for name, count in loss["protected_missing"].items()),
    }
