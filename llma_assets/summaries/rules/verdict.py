"""Input and output types of rules. The rules themselves belong in their own modules."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """The stored numbers of an item (columns of `trace_texts`); 0 where unknown."""

    cost_usd: float = 0.0
    latency_s: float = 0.0
    tokens: int = 0
    error_count: int = 0
    event_count: int = 0


@dataclass(frozen=True, slots=True)
class Signal:
    """One finding that makes an item relevant.

    Attributes:
        kind: what was found, in a few words, such as "error of a tool".
        subject: a tool's name or a request; may be empty.
        quote: the text, on one line; may be empty.
        lines: numbers of the lines that show it, ascending; empty for a stored number.
    """

    kind: str
    subject: str
    quote: str
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an item is relevant for a theme.

    Attributes:
        relevant: whether it is.
        why: the reason, in a few words; also for irrelevant items.
        signals: what was found, strongest first; there may be some although they were not enough.
        headline: the strongest signal in a few words of the record; ends with a colon if the user's request should
            follow.
    """

    relevant: bool
    why: str
    signals: tuple[Signal, ...] = ()
    headline: str = ""

    @property
    def lines(self) -> tuple[int, ...]:
        """The numbers of all lines that the signals name, ascending."""
        return tuple(sorted({line for signal in self.signals for line in signal.lines}))
