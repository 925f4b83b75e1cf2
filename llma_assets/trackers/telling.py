"""What issues are told in words: bodies of new ones, and comments. Our words, figures, and escaped text of others."""

from datetime import date, datetime

from llma_assets.reports import Verification
from llma_assets.trackers.setting import Here, There
from llma_assets.trackers.subjects import Standpoint, Subject
from llma_assets.trackers.wording import body_of, safe

STATES: dict[str, str] = {
    "open": "open",
    "completed": "closed as completed",
    "not_planned": "closed as not planned",
    "duplicate": "closed as a duplicate",
    "canceled": "canceled",
    "resolved": "resolved",
    "ignored": "ignored",
}


def issue_body(subject: Subject, examples: list[str], wanted_by: str) -> str:
    """The text of a new issue."""
    kind = "recurring problem in session replays" if subject.about == "task" else "cluster of traces"
    facts = [f"A {kind}."]
    # Of what a team's privacy minimum withholds nothing is said, not even how much there is.
    if subject.is_shown:
        facts = [
            f"A {kind}: {_number(subject.users, 'user')}, seen {_number(subject.count, 'time')}.",
            f"Priority {subject.priority:.2f}.",
        ]
        if subject.first_seen and subject.last_seen:
            facts.append(f"First seen on {subject.first_seen:%Y-%m-%d}, last on {subject.last_seen:%Y-%m-%d}.")
    facts.append(f"Wanted by {safe(wanted_by, 100)}.")
    return body_of(facts, subject.description, examples, [("Open in LLMA Assets", subject.page)])


def closed_note(subject: Subject, point: Standpoint) -> str:
    """Why an issue is closed."""
    if point.is_quiet:
        return f"Not seen since {subject.last_seen:%Y-%m-%d}, so it counts as resolved."
    what = "Ignored as no problem" if point.state == "ignored" else "Resolved"
    return f"{what} in LLMA Assets{_by(point)}.{_noted(point)}"


def reopened_note(subject: Subject, point: Standpoint) -> str:
    """Why an issue is opened again."""
    if not point.is_regression:
        return f"Opened again in LLMA Assets{_by(point)}.{_noted(point)}"
    when = f" on {point.at:%Y-%m-%d}" if point.at else ""
    counts = f": {_number(subject.users, 'user')}, seen {_number(subject.count, 'time')} in all"
    return f"Seen again{when} after it was resolved{counts if subject.is_shown else ''}."


def conflict_note(here: Here, here_at: datetime | None, there: There, there_at: datetime, *, here_wins: bool) -> str:
    """Both sides changed: which one counts."""
    ours = f"in LLMA Assets it was {STATES[here]} at {_moment(here_at)}"
    theirs = f"this issue was {STATES[there]} at {_moment(there_at)}"
    winner = "LLMA Assets" if here_wins else "this issue"
    return f"Both sides changed since they were compared last: {ours}, {theirs}. The later one counts: {winner}."


def renamed_note(old: str, new: str) -> str:
    """The subject has another title; that of the issue is a person's business."""
    return f"Called “{safe(new)}” in LLMA Assets now, “{safe(old)}” before. The title of this issue stays as it is."


def merged_note(into: Subject, issue: str) -> str:
    """The subject is part of another one."""
    where = f" It has an issue of its own: {issue}." if issue else " This issue stands for it from now on."
    page = f" [Open in LLMA Assets]({into.page})" if into.page else ""
    return f"It is part of “{safe(into.title)}” in LLMA Assets now.{where}{page}"


def split_note(part: Subject, day: date, issue: str) -> str:
    """Another cluster was split off the subject."""
    where = f" It has an issue of its own: {issue}." if issue else ""
    page = f" [Open in LLMA Assets]({part.page})" if part.page else ""
    return f"“{safe(part.title)}” was split off it on {day}. This issue stays with the larger part.{where}{page}"


def verified_note(found: Verification) -> str:
    """Whether the fix worked."""
    heads = {
        "confirmed": "The fix is confirmed.",
        "rarer": "It became rarer, but is still there.",
        "not_fallen": "It was closed, but its rate did not fall.",
    }
    effect = found.traces
    unit = "traces" if found.kind == "lineage" else "sessions"
    assert effect.expected is not None
    assert effect.after is not None
    assert effect.low is not None
    assert effect.high is not None
    assert effect.difference is not None
    return (
        f"{heads[found.answer]} Since {found.change}, {effect.after:.1%} of {effect.after_whole:,} {unit} have it, "
        f"where {effect.expected:.1%} were to be expected ({effect.difference * 100:+.1f} points, 95 % interval "
        f"{effect.low * 100:+.1f} to {effect.high * 100:+.1f})."
    )


def _by(point: Standpoint) -> str:
    return f" by {safe(point.by, 100)}" if point.by else ""


def _noted(point: Standpoint) -> str:
    return f" Note: {safe(point.note)}" if point.note else ""


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "an earlier time"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
