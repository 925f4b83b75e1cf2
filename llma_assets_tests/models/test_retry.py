"""How long to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llma_assets.models.retry import RetryPolicy, parse_retry_after


@pytest.mark.parametrize(
    ("seconds", "milliseconds", "expected"),
    [
        (None, None, None),
        ("3", None, 3.0),
        ("0", None, 0.0),
        ("3", "250", 0.25),
        ("-3", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("soon", None, None),
        ("", None, None),
        ("Thu, 01 Jan 1970 00:01:40 GMT", None, 40.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", None, 0.0),
    ],
)
def test_retry_after_is_read(seconds: str | None, milliseconds: str | None, expected: float | None) -> None:
    assert parse_retry_after(seconds, milliseconds, now=60.0) == expected


@given(st.text(max_size=30), st.text(max_size=10))
def test_no_header_can_raise_or_give_a_negative_wait(seconds: str, milliseconds: str) -> None:
    wait = parse_retry_after(seconds, milliseconds, now=0.0)
    assert wait is None or wait >= 0


@given(st.integers(1, 40), st.floats(0, 0.999))
def test_own_waits_stay_between_half_and_the_whole_of_a_bounded_step(failures: int, jitter: float) -> None:
    policy = RetryPolicy(jitter=lambda: jitter)
    step = min(0.5 * 2 ** (failures - 1), 8.0)
    assert step / 2 <= policy.delay_s(failures, None) <= step


def test_the_servers_wish_is_never_undercut() -> None:
    assert RetryPolicy(jitter=lambda: 0.0).delay_s(1, 12.0) == 12.0


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"deadline_s": 0}, {"attempt_timeout_s": -1}])
def test_a_policy_that_cannot_work_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RetryPolicy(**wrong)  # type: ignore[arg-type]
