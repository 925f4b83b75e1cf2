"""Spans as no tool in particular has them, for every kind of source to be filled with the same work."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

DAY: Final = datetime(2026, 11, 7, 10, tzinfo=UTC)
SHOP, BANK = str(uuid5(NAMESPACE_URL, "shop")), str(uuid5(NAMESPACE_URL, "bank"))
"""Two tenants; ids that fit every kind."""


@dataclass(frozen=True)
class Span:
    """Some work.

    Attributes:
        kind: agent, llm, tool or embedding.
        said: what the user or the caller said.
        scores: what evaluations found: name, result, reasoning; in tools that have evaluations.
        asked: messages of a call in a provider's own shape, instead of `said`.
        version: later versions of a span replace earlier ones, in tools that have versions.
    """

    trace_id: str
    span_id: str
    kind: str
    name: str
    start: datetime
    seconds: float
    parent_id: str = ""
    tenant: str = SHOP
    said: str = ""
    answered: str = ""
    model: str = ""
    tokens: tuple[int, int] = (0, 0)
    cost: float = 0.0
    error: str = ""
    session: str = "session-1"
    user: str = "ann"
    version: int = 1
    asked: Any = None
    scores: tuple[tuple[str, bool | float | str, str], ...] = ()

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    @property
    def version_at(self) -> datetime:
        """When this version was sent."""
        return datetime(2026, 11, 8, tzinfo=UTC) + timedelta(minutes=self.version)

    @property
    def messages(self) -> Any:
        if self.asked is None:
            return [{"role": "user", "content": self.said}] if self.said else []
        return self.asked

    @property
    def answer(self) -> list[dict[str, Any]]:
        return [{"role": "assistant", "content": self.answered}] if self.answered else []


def identity(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def refund(trace: str = "refund", start: datetime = DAY, tenant: str = SHOP) -> Iterator[Span]:
    """An agent calls a model and a tool that fails. The agent, which begins first, ends last."""
    trace_id = identity(trace)
    agent = Span(trace_id, identity(f"{trace}/agent"), "agent", "support", start, 10, tenant=tenant)
    yield agent
    yield replace(
        agent,
        span_id=identity(f"{trace}/call"),
        parent_id=agent.span_id,
        kind="llm",
        name="ask",
        start=start + timedelta(seconds=1),
        seconds=2,
        said=f"Where is my {trace} for the kettle?",
        answered="I will look at order 4711.",
        model="gpt-5",
        tokens=(12, 5),
        cost=0.25,
    )
    yield replace(
        agent,
        span_id=identity(f"{trace}/tool"),
        parent_id=agent.span_id,
        kind="tool",
        name="find_order",
        start=start + timedelta(seconds=4),
        seconds=1,
        said='{"order": 4711}',
        error="order service is down",
    )
