"""What is private by its checksum or by a word beside it is replaced; what only looks like it stays."""

import random
import time

import pytest

from llma_assets.privacy import Redactor
from llma_assets.testing import IMPERSONAL_SENTENCES, PERSONAL_VALUES

HIDDEN = [
    ("My SSN is 078-05-1120.", "My SSN is [NATIONAL_ID_1]."),
    ('{"social_security_number": "219099999"}', '{"social_security_number": "[NATIONAL_ID_1]"}'),
    ("nino AB 12 34 56 C", "nino [NATIONAL_ID_1]"),
    ("Mijn BSN is 111222333", "Mijn BSN is [NATIONAL_ID_1]"),
    ("D.N.I. 12345678Z y NIE X1234567L", "D.N.I. [NATIONAL_ID_1] y NIE [NATIONAL_ID_2]"),
    ("529.982.247-25 or cpf=52998224725", "[NATIONAL_ID_1] or cpf=[NATIONAL_ID_1]"),
    ("Aadhaar 2341 2341 2346", "Aadhaar [NATIONAL_ID_1]"),
    ("Sono rssmra85t10a562s", "Sono [NATIONAL_ID_1]"),
    ("passport no. is C01X00T47, ok", "passport no. is [PASSPORT_1], ok"),
    ("AB1234567 is my passport number", "[PASSPORT_1] is my passport number"),
    ("born on 17.05.1990 in Oslo", "born on [BIRTH_DATE_1] in Oslo"),
    ("DOB: May 17th, 1990", "DOB: [BIRTH_DATE_1]"),
    ("my pin is 4821", "my pin is [PIN_1]"),
    ("482913 is your verification code", "[PIN_1] is your verification code"),
    ("Your one-time password is 482 913.", "Your one-time password is [PIN_1]."),
    ("curl -su 'ann:s3cret' https://x.y", "curl -su '[PASSWORD_1]' https://x.y"),
    ("Cookie: session=abc123; theme=dark\nHost: x", "Cookie: session=[COOKIE_1]; theme=dark\nHost: x"),
    ("pay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "pay [BITCOIN_1]"),
    ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "[BITCOIN_1]"),
    ("ann (at) example (dot) com", "[EMAIL_1]"),
    ("ann dot lee at mail dot example dot com", "[EMAIL_1]"),
    ("ann [at] example.com or ann@example.com", "[EMAIL_1] or [EMAIL_1]"),
]

KEPT = [
    "git clone git@github.com:acme/x.git", "order 123-45-6789", "ISBN 978-3-16-148410-0", "error code 5003",
    "passport service 550e8400-e29b-41d4-a716-446655440000", "passport expires 2029-03-01", "a pin at 4021 Main",
    "born in 1990", "cookie: a recipe", "we met at stage 3 near the dot", "order 12345678Z", "BSN is a Dutch number",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "529.982.247-24", "curl -o out.json https://h.example/u/1",
    "the itinerary of 219 09 9999", "please be kind at the dot com summit",
]  # fmt: skip


@pytest.mark.parametrize(("text", "redacted"), HIDDEN)
def test_a_personal_value_is_replaced(text: str, redacted: str) -> None:
    assert Redactor().redact(text) == redacted


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert Redactor().redact(text) == text


@pytest.mark.parametrize("kind", PERSONAL_VALUES)
def test_no_made_up_value_is_left(kind: str) -> None:
    rng = random.Random(7)
    for _ in range(60):
        sentence, value = PERSONAL_VALUES[kind](rng)
        assert value not in Redactor().redact(f"See: {sentence}"), sentence


@pytest.mark.parametrize("kind", IMPERSONAL_SENTENCES)
def test_of_look_alikes_one_in_a_hundred_is_taken_at_most(kind: str) -> None:
    rng = random.Random(7)
    made = [IMPERSONAL_SENTENCES[kind](rng) for _ in range(200)]
    assert sum(Redactor().redact(text) != text for text in made) <= 2


@pytest.mark.heavy
@pytest.mark.parametrize(
    "unit",
    ["a", "at ", "dot ", "(at)", "a dot ", "pin 1", "born ", "1-", "ssn 123-45-678 ", "cookie: a=", "passport a1 ",
     "curl -u ", "aadhaar 2341 2341 234 ", "İ ssn 1", "A1", "1.", "jan 1 "],
)  # fmt: skip
def test_a_hostile_text_takes_time_in_proportion_to_its_length(unit: str) -> None:
    def seconds(size: int) -> float:
        """The least of three: a garbage collection of the whole test process may fall into one of them."""
        text, took = unit * (size // len(unit)), []
        for _ in range(3):
            began = time.process_time()
            Redactor().redact(text)
            took.append(time.process_time() - began)
        return min(took)

    seconds(1_000)
    assert seconds(120_000) < 12 * max(seconds(30_000), 0.01)
