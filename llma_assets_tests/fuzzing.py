"""How many examples Hypothesis tries: a fifth of them by default, all of them with `--hypothesis-profile full`, and
a few with `--hypothesis-profile few`."""

from hypothesis import settings

FULL = "full"
"""The profile of `make test-exhaustive`."""

FEW = "few"
"""The profile of `make test-fast`; `make test` tries more."""


def example_count(count: int) -> int:
    """So many of `count` examples as the profile of this run asks for."""
    profile = settings.get_current_profile_name()
    share, least = {FULL: (1, count), FEW: (30, 5)}.get(profile, (5, 10))
    return max(min(count, least), count // share)
