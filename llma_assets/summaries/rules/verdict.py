"""What a rule says of an item, and what it looks at beside the text. How a rule decides belongs in its own module."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored of an item beside its text (columns of trace_texts); what is not known is 0."""

    cost_usd: float = 0.0
    latency_s: float = 0.0
    tokens: int = 0
    error_count: int = 0
    event_count: int = 0


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing in the text that speaks for the theme.

    Attributes:
        kind: what it is, in a few words, such as "error of a tool".
        subject: whose or about what: a tool's name, a request; may be empty.
        quote: what the text says there, on one line; may be empty.
        lines: the numbers of the lines that show it, ascending; empty where only a stored fact does.
    """

    kind: str
    subject: str
    quote: str
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an item has to do with a theme.

    Attributes:
        relevant: whether it does.
        why: what decided, in a few words; also where the rule found nothing.
        signals: what was found, most telling first; some may be there although it was not enough.
        headline: the most telling of it in a few words of the record; with a colon at its end where it says how it
            was, and not with what, so that what was asked for should follow.
    """

    relevant: bool
    why: str
    signals: tuple[Signal, ...] = ()
    headline: str = ""

    @property
    def lines(self) -> tuple[int, ...]:
        """The numbers of all lines that show it, ascending."""
        return tuple(sorted({line for signal in self.signals for line in signal.lines}))
