"""How long to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llma_assets.models.retry import LONGEST_SCARCE_S, RetryPolicy, parse_duration, parse_retry_after, scarce_s


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


@pytest.mark.parametrize(
    "wrong", [{"attempts": 0}, {"deadline_s": 0}, {"attempt_timeout_s": -1}, {"most_failures": 0}, {"cool_down_s": 0}]
)
def test_a_policy_that_cannot_work_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RetryPolicy(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("0s", 0.0),
        ("12", 12.0),
        ("500us", 0.0005),
        ("", None),
        ("soon", None),
        ("1s later", None),
        ("-1s", None),
        ("nan", None),
        ("1" * 50 + "s", None),
    ],
)
def test_durations_of_rate_limits_are_read(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


def limits(what: str, limit: str, remaining: str, reset: str) -> dict[str, str]:
    return {
        f"x-ratelimit-limit-{what}": limit,
        f"x-ratelimit-remaining-{what}": remaining,
        f"x-ratelimit-reset-{what}": reset,
    }


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        (limits("requests", "60", "59", "1s"), 0.0),
        (limits("requests", "60", "3", "57s"), 0.0),
        (limits("requests", "60", "0", "1m0s"), 3.0),
        (limits("requests", "3", "0", "60s"), 20.0),
        (limits("tokens", "150000", "0", "6m0s"), 18.0),
        (limits("tokens", "150000", "7500", "5m42s"), 0.0),
        (limits("requests", "200", "0", "24h"), LONGEST_SCARCE_S),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2s"}, 2.0),
        (limits("requests", "-1", "-1", "0"), 0.0),
        (limits("requests", "many", "none", "soon"), 0.0),
        (limits("requests", "60", "0", "1m0s") | limits("tokens", "1000", "0", "200s"), 10.0),
    ],
)
def test_a_nearly_spent_limit_is_waited_for_until_a_little_is_there_again(
    headers: dict[str, str], seconds: float
) -> None:
    assert scarce_s(headers) == pytest.approx(seconds)


def test_a_request_is_left_for_each_call_that_is_under_way() -> None:
    headers = limits("requests", "60", "4", "56s")
    assert (scarce_s(headers, 4), scarce_s(headers, 8)) == (0.0, pytest.approx(4.0))


@given(st.dictionaries(st.sampled_from(sorted(limits("requests", "", "", ""))), st.text(max_size=12)))
def test_no_rate_limit_header_can_raise_or_pause_for_long(headers: dict[str, str]) -> None:
    assert 0.0 <= scarce_s(headers) <= LONGEST_SCARCE_S
