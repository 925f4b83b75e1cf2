"""Which words carry the topic of a request."""

import pytest

from llma_assets.summaries.words import as_words, content_words, is_courtesy, request_of


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Hi! I'd like to cancel my flights from MCO to CLT.", "cancel my flights from MCO to CLT"),
        ("Could you please help me with a parking permit?", "a parking permit"),
        ("Hi, I'm Mei Brown, and I'm contacting you regarding a delayed flight.", "a delayed flight"),
        ("My user ID is ann_lee_12. I want to add a checked bag.", "add a checked bag"),
        ("Get me three event tickets.", "three event tickets"),
        ("I need to downgrade my flights. I'm facing financial issues and want a refund.", "downgrade my flights"),
        ("Ich möchte mein Konto kündigen.", "Ich möchte mein Konto kündigen"),
        ("", ""),
        ("Hi", ""),
    ],
)
def test_the_request_is_found_behind_the_courtesies(said: str, wanted: str) -> None:
    assert request_of(said) == wanted


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SearchOnewayFlight", "search oneway flight"),
        ("get_user_details", "get user details"),
        ("HTTPServer2", "http server2"),
        ("", ""),
        ("___", ""),
    ],
)
def test_a_tools_name_is_written_as_words(name: str, words: str) -> None:
    assert as_words(name) == words


def test_ids_numbers_and_function_words_carry_no_topic() -> None:
    assert content_words("Please look at 12345 and the order for me, AB-99!") == ["order"]


@pytest.mark.parametrize(
    "said", ["You're welcome!", "Thank you for calling.", "Is there anything else?", "Have a nice day"]
)
def test_a_closing_is_a_courtesy(said: str) -> None:
    assert is_courtesy(said)
