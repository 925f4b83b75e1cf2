"""How many examples Hypothesis tries: a fifth of them by default, all of them with `--hypothesis-profile full`."""

from hypothesis import settings

FULL = "full"
"""The profile of `make test-slow`, which runs these tests once more."""


def example_count(count: int) -> int:
    """So many of `count` examples as the profile of this run asks for."""
    return count if settings.get_current_profile_name() == FULL else max(min(count, 10), count // 5)
