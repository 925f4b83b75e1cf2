"""What programs write is left out of texts, what people and models say stays, whatever the text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llma_assets.machine_text import without_machine_text
from llma_assets_tests.fuzzing import example_count

WRITTEN = {
    "json": '{"status": 429, "ts": 17, "size": "small", "message": "the card was declined"}',
    "json, cut": '{"status": 429, "size": "small", "message": "the card was declined',
    "json in json": '{"error": "{\\"status\\": 429, \\"message\\": \\"the card was declined\\"}"}',
    "python": "{'status': 'small', 'ok': False, 'message': 'the card was declined'}",
    "javascript": '{status: 429, size: "small", message: "the card was declined"}',
    "list": '{"sizes": ["small", "status"], "said": ["the card was declined"]}',
    "logfmt": 'ts=2026-11-01T08:00:00Z level=error status=small msg="the card was declined"',
    "log": "2026-11-01 08:00:00,123 ERROR [small] status.orders.worker: the card was declined",
    "log of python": "ERROR:status: the card was declined",
    "syslog": "Nov 30 19:55:01 small status[123]: the card was declined",
    "klog": "E1130 19:55:01.123456    1 status.go:12] the card was declined",
    "yaml": "kind: Pod status: small level: error message: the card was declined",
    "yaml in lines": "kind: Pod\nmetadata:\n  status: small\nmessage: the card was declined",
    "headers": "HTTP/1.1 402 Content-Type: small/status; charset=utf-8 X-Status-Id: small/1 the card was declined",
    "request": "POST /small/status HTTP/1.1 Authorization: Bearer status.small the card was declined",
    "python frames": 'Traceback (most recent call last): File "/small.py", line 2, in status the card was declined',
    "java frames": "the card was declined at status.Small.total(Small.java:42) at status.Main.main(Native Method)",
    "javascript frames": "the card was declined at Object.small (/srv/status.js:10:5) at node:status/small:1105:14",
    "paths": "the card was declined in /var/small/status and C:\\small\\status.log, small/status.ts too",
    "ids": "the card was declined for status-550e8400-e29b-41d4 and small_8f3a9b2c4d5e",
    "html": '<div class="small status">the card was declined</div>',
    "code": "the card was declined ```small = status()```",
    "addresses": "the card was declined at https://small.example/status for small@status.example",
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_sentences_stay_and_what_stands_around_them_goes(written: str) -> None:
    said = without_machine_text(written)
    assert "the card was declined" in said
    assert not {"status", "small", "level", "kind", "error", "message", "msg", "class"} & set(
        said.casefold().replace(".", " ").split()
    )


@pytest.mark.parametrize(
    "said",
    [
        "Find me a cheap flight at 5:30 pm from SFO (direct) to LAX",
        "Note: I paid twice. Please help: it fails.",
        "I want it cheap and/or fast, 24/7, e.g. tomorrow",
        'What does "stop": mean, and who are [they]?',
        "ERROR is all that I see at checkout",
        "Is 3 < 5 and 7 > 2?",
        "Ich möchte meine Bestellung stornieren: Nummer 4711",
        "荷物はどこですか",
        "",
    ],
)
def test_what_people_write_stays_as_it_is(said: str) -> None:
    assert without_machine_text(said) == said


@settings(max_examples=example_count(200), deadline=None)
@given(st.text(st.sampled_from("ab1 \"'\\{}[]:,=/<>.…@\n-_"), max_size=300))
def test_any_text_gives_a_text_that_is_hardly_longer(text: str) -> None:
    assert len(without_machine_text(text)) <= 3 * len(text) + 3
