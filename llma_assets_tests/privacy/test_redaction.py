"""No private value enters a text or its loss, equal values have equal placeholders, and what is not private stays."""

import json
import random
import time
from dataclasses import asdict
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from llma_assets.privacy.redaction import PatternError, Redactor
from llma_assets.rendering import RenderOptions, render_generation, render_trace
from llma_assets.testing import HARMLESS_VALUES, PRIVATE_VALUES
from llma_assets.testing.private_values import AROUND
from llma_assets_tests.fuzzing import example_count
from llma_assets_tests.rendering.events import assistant, event, user

_FUZZ = settings(max_examples=example_count(150), deadline=None, suppress_health_check=list(HealthCheck))
_SEEDS = st.integers(0, 2**32)
_WORDLESS = st.text(
    st.characters(exclude_categories=("L", "N", "M", "Pc"), exclude_characters="+-%@.:/\\&=#$€£'\"[]"), max_size=20
)


def _redacted(text: str) -> str:
    return Redactor().redact(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to anna@example.com.", "write to [EMAIL_1]."),
        ("?email=anna%40example.com&x=1", "?email=[EMAIL_1]&x=1"),
        ("call (415) 555-2671 now", "call [PHONE_1] now"),
        ("call +49 30 901820.", "call [PHONE_1]."),
        ("ring 020 7946 0958", "ring [PHONE_1]"),
        ('"phone": "4155552671"', '"phone": "[PHONE_1]"'),
        ("card 4111 1111 1111 1111 12/28", "card [CARD_1] 12/28"),
        ("card 378282246310005!", "card [CARD_1]!"),
        ("to DE89 3704 0044 0532 0130 00 EUR", "to [IBAN_1] EUR"),
        ("from 203.0.113.9:8080", "from [IP_1]:8080"),
        ("from [2001:db8::ff00:42:8329]", "from [[IP_1]]"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "AWS_SECRET_ACCESS_KEY=[PASSWORD_1]"),
        ("Authorization: Basic YWRtaW46aHVudGVyMg==", "Authorization: Basic [TOKEN_1]"),
        ("redis://:p4ss@cache:6379/0", "redis://:[PASSWORD_1]@cache:6379/0"),
        ("https://bob:p@ss@example.com/x", "https://bob:[PASSWORD_1]@example.com/x"),
        ('login(user="bob", password="hunter2")', 'login(user="bob", password="[PASSWORD_1]")'),
        (r"{\"password\":\"hunter2\"}", r"{\"password\":\"[PASSWORD_1]\"}"),
        (r"to:\nanna@example.com\n", r"to:\n[EMAIL_1]\n"),
        (r"anna@m\u00fcller.de, anna@müller.de", "[EMAIL_1], [EMAIL_1]"),
        (r"\u003canna\\u0040example.com\u003e", r"\u003c[EMAIL_1]\u003e"),
    ],
)
def test_a_private_value_becomes_a_placeholder_and_what_stands_around_it_stays(text: str, expected: str) -> None:
    assert _redacted(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("card ４１１１ １１１１ １１１１ １１１１", "card [CARD_1]"),
        ("card ٤١١١١١١١١١١١١١١١", "card [CARD_1]"),
        ("anna.smith＠example.com", "[EMAIL_1]"),
        ("anna.smith%2540example.com", "[EMAIL_1]"),
        ("anna.smith&#64;example.com", "[EMAIL_1]"),
        ("call 415\u2011555\u20112671", "call [PHONE_1]"),
        ("to ＤＥ８９３７０４００４４０５３２０１３０００", "to [IBAN_1]"),
        ("4111–1111–1111–1111", "[CARD_1]"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = [PASSWORD_1]"),
        ("db_password: hunter2\nuser: bob", "db_password: [PASSWORD_1]\nuser: bob"),
        ("my password is hunter2.", "my password is [PASSWORD_1]."),
        ("Cookie: sessionid=abcdef0123456789abcdef; lang=en", "Cookie: sessionid=[TOKEN_1]; lang=en"),
        ("bot 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1", "bot [TOKEN_1]"),
        ("use tvly-abcdefghijklmnopqrstuvwxyz012345 now", "use [KEY_1] now"),
        ("sk-lf-01234567-89ab-cdef-0123-456789abcdef", "[KEY_1]"),
        ("SK0123456789abcdef0123456789abcdef", "[KEY_1]"),
    ],
)
def test_a_disguised_or_newer_value_is_found_too(text: str, expected: str) -> None:
    assert _redacted(text) == expected


def test_a_sign_of_no_width_hides_no_value() -> None:
    made = event("generation", input=[user("anna.smith\u200b@example.com, 4111\u200b1111\u200b1111\u200b1111")])
    assert "[EMAIL_1], [CARD_1]" in render_generation(made).text


@pytest.mark.heavy
def test_a_value_in_a_trace_too_large_to_look_at_closely_is_hidden() -> None:
    secrets = ["anna.smith@example.com", "sk-proj-abcDEF1234567890abcDEF1234567890abcd", "4111 1111 1111 1111"]
    pad = "of no interest " * 70
    for position in (0, 390, 1_000):
        text = pad[:position] + " " + " ".join(secrets) + " " + pad[position:]
        events = [event("span", n, output_state=f"{n} {text}", span_name=text[:300]) for n in range(1_200)]
        events += [event("span", n, error=f"{n} {text}", is_error=True) for n in range(2_000, 2_400)]
        shown = render_trace(events).text
        assert "anna" not in shown
        assert "sk-proj" not in shown
        assert "1111" not in shown


@pytest.mark.parametrize("kind", PRIVATE_VALUES)
def test_a_generated_value_of_each_kind_is_hidden(kind: str) -> None:
    rng = random.Random(11)
    for _ in range(300):
        value = PRIVATE_VALUES[kind](rng)
        assert value not in _redacted(AROUND.get(kind, "here: {} and more").format(value))


@pytest.mark.parametrize("kind", sorted(set(HARMLESS_VALUES) - {"number of sixteen digits"}))
def test_what_only_looks_private_stays(kind: str) -> None:
    rng = random.Random(12)
    for _ in range(300):
        text = f"see {HARMLESS_VALUES[kind](rng)} for more"
        assert _redacted(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Chrome/120.0.0.0 Safari/537.36 on 127.0.0.1",
        "std::vector<int> at 12:30:45, mac 00:1b:44:11:3a:b7",
        "@app.route and foo@bar and user@localhost",
        "login(user: string, password: string)",
        "the bearer of good news, secret=None, password=os.environ['X']",
        "reservation EHGLP3, flight HAT271, 2024-05-15T06:30:00, $1,299.00",
        "rows 4532 1200 8837 1124 of 2023-2024",
        "task-force-2024-long-name-is-not-a-key",
        "next_page_token: 12, max_tokens: 4096, prompt_tokens = 1200, the token is valid",
        "the password is wrong; password: must have 8 characters; Password: required",
        "pathology, TASK0123, patient 0123456789, ACCOUNT 12345678, fc-bayern-2024",
        "version 1/2 of 3, ratio 1/1234, the session=open, auth=none, sid=12",
        "user_id sophia_silva_7557, payment credit_card_7815826",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert _redacted(text) == text


def test_equal_values_have_one_number_and_different_values_have_two() -> None:
    redactor = Redactor()
    assert redactor.redact("a@example.com b@example.com A@Example.com") == "[EMAIL_1] [EMAIL_2] [EMAIL_1]"
    assert redactor.redact("4111-1111-1111-1111, 4111111111111111") == "[CARD_1], [CARD_1]"
    assert redactor.redact("b@example.com") == "[EMAIL_2]"
    assert redactor.counts == {"email": 4, "card": 2}


def test_a_text_that_was_redacted_is_not_redacted_again() -> None:
    for kind, make in PRIVATE_VALUES.items():
        once = _redacted(AROUND.get(kind, "{}").format(make(random.Random(3))))
        assert _redacted(once) == once


def test_numbers_are_the_same_in_all_parts_of_a_trace() -> None:
    events = [
        event("span", 0, span_name="mail anna@example.com", input_state={"to": "bob@example.com"}),
        event("generation", 1, input=[user("I am Anna@example.com")], output_choices=[assistant("bob@example.com?")]),
        event("span", 2, span_name="x", is_error=True, error={"message": "no anna@example.com"}),
    ]
    rendered = render_trace(events)
    assert "example.com" not in rendered.text
    assert rendered.text.count("[EMAIL_1]") == 3
    assert rendered.text.count("[EMAIL_2]") == 2
    assert rendered.loss.redactions == {"email": 5}
    assert json.loads(orjson.dumps(asdict(rendered.loss)))["redactions"] == {"email": 5}


def _everywhere(secret: str) -> list[dict[str, Any]]:
    call = {"id": "1", "function": {"name": f"send {secret}", "arguments": json.dumps({"to": secret, secret: [1]})}}
    tool = {"name": "t", "description": f"Ask {secret}.", "parameters": {"properties": {secret: {"type": "string"}}}}
    return [
        event("trace", trace_name=f"of {secret}", input_state={"a": secret}, output_state=secret, error=secret),
        event("generation", 1, tools=[tool], input=[user(f"hi {secret}")], span_name=secret, model=secret,
              output_choices=[{"role": "assistant", "content": None, "tool_calls": [call]}]),
        event("generation", 2, input=[{"role": secret, "content": [{"unknown": secret}]}], error={secret: secret}),
        event("span", 3, span_name=secret, input_state=json.dumps({"k": json.dumps([secret])}), output_state=[secret]),
        event("evaluation", 4, evaluation_name=secret, evaluation_result=secret, evaluation_reasoning=secret),
        event("feedback", 5, feedback_text=secret),
        event("metric", 6, metric_name=secret, metric_value=secret),
        {"uuid": "7", "event": f"own {secret}", "timestamp": 9, "properties": {"x": secret}},
        {"uuid": "8", "event": "$ai_span", "timestamp": 9, "properties": "{broken " + secret},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "secret", ["anna.smith@example.com", "AKIAIOSFODNN7EXAMPLE", "415-555-2671", "4111111111111111", "203.0.113.9"]
)
def test_no_part_of_a_trace_or_of_a_generation_leaks(secret: str) -> None:
    events = _everywhere(secret)
    for limit in (60_000, 900):
        options = RenderOptions(max_chars=limit)
        for rendered in (render_trace(events, options), *(render_generation(made, options) for made in events)):
            assert secret.lower() not in rendered.text.lower()
            assert secret not in str(rendered.loss)


def test_redaction_can_be_switched_off() -> None:
    made = event("generation", input=[user("anna@example.com")])
    rendered = render_generation(made, RenderOptions(redact=False))
    assert "anna@example.com" in rendered.text
    assert rendered.loss.redactions == {}


@pytest.mark.heavy
@pytest.mark.parametrize(
    "size", [60, 100, 4_000, 8_100, *(pytest.param(size, marks=pytest.mark.slow) for size in (40_000, 90_000))]
)
def test_shortening_leaves_no_half_of_a_value(size: int) -> None:
    for secret, halves in (
        ("annabella.longname@example.com", ["annab", "longn", "example"]),
        ("sk-ant-api03-QWERTYuiop1234567890ASDFGHjkl", ["QWERT", "ASDF", "sk-ant"]),
        ("4111 1111 1111 1111", ["4111", "1111"]),
    ):
        rows = f" {secret} ; " * (size // len(secret) + 2)
        for shift in range(0, len(secret) + 4, 3 if size < 10_000 else 7):
            text = "z " * shift + rows
            call = {"id": "1", "function": {"name": "send", "arguments": json.dumps({"to": text})}}
            events = [
                event("generation", 1, input=[user(text)],
                      output_choices=[{"role": "assistant", "content": "", "tool_calls": [call]}]),
                event("span", 2, span_name=text, output_state={"rows": text}, error=text),
            ]  # fmt: skip
            for options in (RenderOptions(max_value_chars=100), RenderOptions(max_chars=700)):
                shown = render_trace(events, options).text + render_generation(events[0], options).text
                assert not [half for half in halves if half.lower() in shown.lower()]


def test_a_private_key_longer_than_a_shortened_value_leaves_nothing() -> None:
    block = PRIVATE_VALUES["private_key"](random.Random(5))
    for before in (0, 30, 3_900, 7_990):
        text = "w " * (before // 2) + block + " end" * 3_000
        for made in (event("span", output_state=text), event("span", output_state={"pem": text})):
            shown = render_trace([made]).text
            assert not [line for line in block.split("\n")[1:-1] if line[5:40] in shown]


@_FUZZ
@given(
    kind=st.sampled_from(sorted(PRIVATE_VALUES)),
    seed=_SEEDS,
    before=_WORDLESS,
    after=_WORDLESS,
    limit=st.integers(50, 3_000),
)
def test_a_value_in_any_surroundings_never_appears(kind: str, seed: int, before: str, after: str, limit: int) -> None:
    value = PRIVATE_VALUES[kind](random.Random(seed))
    text = f"{before}{AROUND.get(kind, '{}').format(value)}{after}"
    assert value not in _redacted(text)
    made = event("generation", input=[user(text)], output_choices=[assistant(json.dumps({"said": text}))])
    assert value not in render_trace([made], RenderOptions(max_chars=limit, max_value_chars=60)).text


@_FUZZ
@given(kind=st.sampled_from(["email", "key", "jwt", "private_key"]), seed=_SEEDS, before=st.text(), after=st.text())
def test_a_value_that_shows_itself_never_appears_even_inside_a_word(
    kind: str, seed: int, before: str, after: str
) -> None:
    value = PRIVATE_VALUES[kind](random.Random(seed))
    # Two or three letters show nothing inside a word: `AC` and 32 hexadecimal digits may be a part of a longer digest.
    inside = any(end.isalnum() or (end and end in "_-") for end in (before[-1:], after[:1]))
    assume(not (inside and value.startswith(("AC", "SK", "key-", "fc-"))))
    assert value not in _redacted(f"{before}{value}{after}")


@_FUZZ
@given(
    text=st.text() | st.text(alphabet="0123456789 .:-+()@%/\\nabcdef[]=\"'"),
    start=st.integers(0, 50),
    size=st.integers(0, 50),
)
def test_any_text_and_any_part_of_it_can_be_redacted(text: str, start: int, size: int) -> None:
    whole = Redactor().redact(text)
    assert Redactor().redact(text) == whole
    assert isinstance(Redactor().redact(text, min(start, len(text)), min(start + size, len(text))), str)


def test_a_team_adds_patterns_of_its_own() -> None:
    options = RenderOptions(extra_patterns=(r"CUST-\d{6}", "(?i)project zeus"))
    made = event("generation", input=[user("CUST-123456 of Project Zeus, ümläut CUST-123456")])
    rendered = render_generation(made, options)
    assert "[CUSTOM_1] of [CUSTOM_2], ümläut [CUSTOM_1]" in rendered.text
    assert rendered.loss.redactions == {"custom": 3}


@pytest.mark.parametrize(
    "pattern", ["", "(", "(?=a)b", r"(a)\1", "a*", "x" * 2_000, "(?:(?:a{100}){100}){100}", "[z-a]", "^", "(?:)"]
)
def test_a_pattern_that_cannot_run_in_linear_time_or_says_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="extra pattern 0"):
        RenderOptions(extra_patterns=(pattern,))


def test_too_many_patterns_are_refused() -> None:
    with pytest.raises(PatternError, match="at most"):
        RenderOptions(extra_patterns=("a",) * 51)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+b", "(.*a){20}b", r"(\w+\s?)+$X", "(?:a?){50}a{50}c", ".*.*.*.*=x"]
)
def test_a_hostile_pattern_takes_no_longer_than_another(pattern: str) -> None:
    made = event("span", output_state="a" * 50_000)
    started = time.process_time()
    render_trace([made], RenderOptions(extra_patterns=(pattern,)))
    assert time.process_time() - started < 2


@pytest.mark.heavy
@pytest.mark.parametrize(
    "unit",
    ["a", "1", "0", "1 ", "1.", "a.", "@", "a@", "a@a.", ":", "a:", "::", "1:", "+1", "+", "(0", "-", "00", "eyJ",
     "eyJa.", "sk-", "://", "://a:", "bearer ", "bearer=", "password=", "phone ", "phone1", "phone 1", "DE89", "de89 ",
     "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "\\", "\\n", "\\\\", "%40", "ghp_", "AKIA", "=?", "'",
     "authorization:", "4111 ", "hooks.slack.com/services/", "-----BEGIN ", "passwd=\"", "20.01.", "0 0"],
)  # fmt: skip
def test_no_text_makes_redaction_slow(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    started = time.process_time()
    _redacted(text)
    assert time.process_time() - started < 2
