"""Which of its items a theme selects: the one answer for texts, summaries and previews. Pure.

What matches a theme belongs in `matching.py`, what is stored of the answer in the stages.
"""

import hashlib
from collections.abc import Collection

from llma_assets.themes.built_in import GENERAL_IDS
from llma_assets.themes.theme import FEW_OF_MANY, MANY_MATCHES, Theme


def uses_hourly_sample(theme: Theme) -> bool:
    """Whether a theme's items come from the fair sample of each hour, and not from all that match its filters.

    The general themes and those without filters would otherwise be asked of everything that there is. A general theme
    with filters, such as those of its team, selects what matches of the hour's sample.
    """
    return not theme.filters or theme.theme_id in GENERAL_IDS


def draws(theme: Theme) -> bool:
    """Whether a theme needs the hour's sample to be drawn; one that comes after another selects from that one."""
    return uses_hourly_sample(theme) and theme.after is None


def rate_of(theme: Theme, matched: int) -> float:
    """The share of its items that a theme selects, in (0, 1].

    Args:
        matched: items of the day that match its filters, and that the theme which it comes after found relevant. What
            the hour's sample has bounded already is not sampled again, unless the theme says so.
    """
    if theme.sample_rate is not None:
        return theme.sample_rate
    return 1.0 if draws(theme) or matched <= MANY_MATCHES else FEW_OF_MANY


def is_selected(theme: Theme, trace_id: str, rate: float) -> bool:
    """Whether a trace, with all that belongs to it, is in the sample.

    Each trace has a place in [0, 1) that follows from the theme's seed and its id, and is in where the place lies below
    the rate. So a higher rate keeps what a lower one selected, and themes of one seed select the same traces. The
    place is independent of the hash that draws an hour's sample: with the same hash, one sample would not be fair
    within the other. For the same reason a theme that comes after another has places of its own.
    """
    return place_of(theme, trace_id) < rate * 2**64


def place_of(theme: Theme, trace_id: str) -> int:
    """The place of a trace in a theme's sample, in [0, 2^64); those with the lowest come in first."""
    own = theme.theme_id if theme.after is not None else ""
    place = hashlib.blake2b(f"{theme.sample_seed}|{own}|{trace_id}".encode(), digest_size=8, person=b"theme sample")
    return int.from_bytes(place.digest())


def needs_texts(themes: Collection[Theme]) -> list[Theme]:
    """The themes whose items have to be rendered because they match, whatever the hour's sample holds.

    A theme that comes after another looks at items of that one, which have their text.
    """
    return [theme for theme in themes if not uses_hourly_sample(theme) and theme.after is None]
