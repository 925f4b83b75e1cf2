"""A keyword counts where the thing happened: not where it is negated, solved, supposed, or in a name."""

import time

import pytest

from llma_assets.tasks.impact import Flags, flags_of, is_problem
from llma_assets.tasks.labelling import TITLE_WORDS, offline_label
from llma_assets.tasks.problem_titles import problem_title
from llma_assets.tasks.segments import MAX_DESCRIPTION

NO_SEGMENTS = Flags(False, False, False)


@pytest.mark.parametrize(
    "text",
    [
        "User browses the catalogue and adds a product to the cart without any problem.",
        "User opens the invoice page; no error is shown and the download starts at once.",
        "User changes the language, nothing fails, and continues.",
        "The order went through without a single issue or error",
        "No errors, crashes or timeouts were seen",
        "Neither errors nor crashes",
        "Without running into a problem the tour is finished",
        "The page does not show any error",
        "The page never crashed",
        "The dialog no longer crashes",
        "There is no sign of an error",
        "Nothing is broken",
        "The step was never unclear",
        "No multiple attempts were needed",
        "The visitor never gave up",
    ],
)
def test_what_is_negated_does_not_count(text: str) -> None:
    assert flags_of(text) == NO_SEGMENTS


@pytest.mark.parametrize(
    "text",
    [
        "Support fixed the issue",
        "The problem has been resolved and the guest goes on",
        "An error-free import",
        "A problem free checkout",
        "If an error occurs the form says what to do",
        "The guest asks whether a timeout is normal here",
        "The developer opens the bug report form",
        "The list of failed payments is read by the accountant",
        "The reader orders 500 sheets and pays 404 euros",
        "The left-hand menu is opened",
        "The latest issue of the magazine",
        "An exceptional offer, a tissue box and a debugging course",
    ],
)
def test_what_is_solved_or_supposed_or_a_name_does_not_count(text: str) -> None:
    assert flags_of(text) == NO_SEGMENTS


@pytest.mark.parametrize(
    "text",
    [
        "The error could not be fixed",
        "The user tries to fix the problem",
        "The user did not notice the error",
        "The user could not dismiss the error dialog",
        "There was no problem at first, then the page crashed",
        "The button does nothing because of a bug",
        "Without warning an error closed the editor",
        "Not without problems",
        "Nothing but errors",
        "The page does not load, error 500",
        "The link leads to a page that says 404.",
        "Uncaught TypeError in the sidebar",
        "No message about the error is shown",
    ],
)
def test_what_happened_counts_beside_a_negation_of_something_else(text: str) -> None:
    assert flags_of(text).failure


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The spinner turns and the list never comes", True),
        ("The search returns nothing for the name of the product", True),
        ("The video plays without any sound", True),
        ("The user opens the dashboard and shares it with a colleague", False),
        ("The user never had any trouble and did not hesitate", False),
        ("Die Seite bleibt weiss und der Warenkorb ist leer", True),
        ("Checkout kaputt", True),
    ],
)
def test_trouble_is_found_without_keywords_and_what_cannot_be_read_counts_as_trouble(text: str, told: bool) -> None:
    assert is_problem(text) is told


def test_the_title_is_of_the_clause_that_tells_the_problem() -> None:
    side = "The user browses lamps and adds one to the cart without any problem."
    assert problem_title(f"{side} Then the payment page shows an error 500 and the order is lost.", 12) == (
        "The payment page shows an error 500"
    )
    assert offline_label([side, "The coupon field rejects a valid code."], "").title == (
        "The coupon field rejects a valid code"
    )


def test_a_title_never_ends_where_the_sense_does_not() -> None:
    words = "The user slowly opens the very long and wide page of all invoices without success and waits"
    assert problem_title(words, TITLE_WORDS).split()[-1] not in ("without", "and", "of", "the")
    assert len(problem_title(words, TITLE_WORDS).split()) <= TITLE_WORDS


def test_a_title_that_begins_late_says_what_it_is_about() -> None:
    text = "The user entered the discount code of the banner at checkout and got the message that it is invalid."
    assert problem_title(text, TITLE_WORDS) == "The user entered … got the message that it is invalid"


@pytest.mark.parametrize("word", ["no error ", "without any problem, ", "error-free ", "no a-", "not ", "if an ", "x"])
def test_hostile_text_is_read_in_no_time(word: str) -> None:
    text = (word * MAX_DESCRIPTION)[:MAX_DESCRIPTION]
    start = time.process_time()
    is_problem(text)
    offline_label([text], "")
    assert time.process_time() - start < 2
