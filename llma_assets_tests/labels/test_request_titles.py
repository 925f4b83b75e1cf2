"""Titles from what users ask: whole clauses, against the nearest clusters, each trace counted once."""

import pytest

from llma_assets.labels import ClusterEvidence, SummaryText, offline_labels
from llma_assets.labels.foreign_words import foreign_words
from llma_assets.labels.requests import asked_in, requests_of
from llma_assets.labels.words import spelled
from llma_assets.summaries import ANSWERED, ASKED


def call(request: str, *later: str, trace: str = "", answer: str = "") -> SummaryText:
    """A summary as the offline model makes it."""
    bullets = [ASKED.format(text) for text in (request, *later)] + ["Get user details"]
    bullets += [ANSWERED.format(answer)] if answer else []
    return SummaryText(request[:60], "user → get_user_details → assistant", tuple(bullets), trace_id=trace)


def titles(*clusters: list[SummaryText]) -> list[str]:
    evidence = [ClusterEvidence(number, len(own), tuple(own)) for number, own in enumerate(clusters)]
    return [item.title for item in offline_labels(evidence).items]


REFUSAL = "The airline cancelled nothing; I will transfer you to a human agent."
IDENTITY = "My user id is mia_li_3668, I don't have the reservation ID"
CANCEL = [
    call(f"Hi! I'd like to cancel my flight from {code}.", IDENTITY, answer=REFUSAL)
    for code in ("ATL", "JFK", "LAX", "SFO", "ORD")
]
BAGS = [
    call(f"Hello, could you add a checked bag to my reservation for {name}?", IDENTITY, answer=REFUSAL)
    for name in ("Raj", "Mia", "Omar", "Chen", "Ivan")
]


def test_titles_are_what_users_ask_and_not_what_agents_and_tools_repeat() -> None:
    cancel, bags = titles(CANCEL, BAGS)
    assert cancel == "Cancel my flight"
    assert bags.startswith("Add a checked bag")


@pytest.mark.parametrize("word", ["ATL", "Raj", "mia_li", "human", "transfer", "user"])
def test_codes_first_names_ids_and_the_agents_words_are_in_no_title(word: str) -> None:
    assert all(word.casefold() not in title.casefold().split() for title in titles(CANCEL, BAGS))


def test_a_trace_with_many_calls_counts_once() -> None:
    often = [
        call(f"I want to upgrade my seat to business class {'please ' * number}", trace="one") for number in range(9)
    ]
    rare = [call("I want to rebook my train to the coast", trace=f"trace {number}") for number in range(3)]
    assert titles([*often, *rare], BAGS)[0].startswith("Rebook my train")


def test_two_things_that_most_traces_ask_for_are_both_in_the_title() -> None:
    both = [call("Find me a movie to watch", f"I also need to book a taxi to the cinema {place}") for place in "abcde"]
    found = titles(both, BAGS)[0]
    assert "movie" in found
    assert "taxi" in found


def test_clusters_that_ask_for_the_same_get_different_titles() -> None:
    found = titles(*(CANCEL for _ in range(6)))
    assert len({title.casefold() for title in found}) == 6


def test_titles_are_in_the_language_of_the_users() -> None:
    french = [
        call("Je voudrais annuler ma commande"),
        call("Comment annuler la commande que j'ai faite"),
        call("Je voudrais annuler ma commande de mars"),
    ]
    assert titles(french, BAGS)[0] == "Je voudrais annuler ma commande"


def test_what_a_theme_found_comes_before_what_its_user_asked() -> None:
    found = SummaryText("Payment was declined twice", bullets=("Error: declined", ASKED.format("Pay my bill")))
    assert asked_in(found) == ()
    assert asked_in(call("Pay my bill")) == ("Pay my bill",)


@pytest.mark.parametrize(
    ("said", "clause"),
    [
        ("Hi, could you please cancel my flight and get me a refund?", "cancel my flight"),
        ("I was wondering how to top up my account", "top up my account"),
        ("Why was my card payment declined?", "Why was my card payment declined"),
        ("I think my card was stolen", "my card was stolen"),
        ("I want to make a change to my booking for the 5th", "make a change to my booking"),
    ],
)
def test_clauses_read_on_their_own(said: str, clause: str) -> None:
    assert clause in {found.text for found in requests_of([call(said)]).clauses}


def test_no_clause_ends_where_the_sentence_goes_on() -> None:
    found = {
        each.text for each in requests_of([call("My transfer is still pending since the change of plans")]).clauses
    }
    assert "My transfer" not in found
    assert not any(text.endswith("change") for text in found)


def summaries(*texts: str) -> tuple[SummaryText, ...]:
    return tuple(SummaryText(f"{text} {number}", bullets=(text,)) for text in texts for number in "abcde")


MATLAB = ClusterEvidence(
    0,
    99,
    (
        *summaries("Plot a matrix in MATLAB", "Read a file in MATLAB", "Call a function in MATLAB", "Loop in MATLAB"),
        SummaryText("Mixed", bullets=("How can a script call some of the Java classes that we have from MATLAB",)),
    ),
)
JAVA = ClusterEvidence(1, 40, summaries("Sort a list in Java", "Compile Java classes", "Open a socket in Java"))


def test_a_head_word_of_another_cluster_is_foreign() -> None:
    assert foreign_words({0: "Java in MATLAB"}, [MATLAB, JAVA]) == {0: ["java"]}


def test_a_name_that_few_members_have_is_foreign_without_such_a_cluster_too() -> None:
    assert foreign_words({0: "Java in MATLAB"}, [MATLAB]) == {0: ["java"]}


def test_words_of_the_cluster_and_words_that_nobody_uses_are_not_foreign() -> None:
    names = {0: "Troubleshooting matrix plots in MATLAB", 1: "Sorting lists in Java"}
    assert foreign_words(names, [MATLAB, JAVA]) == {}


def test_offline_titles_have_no_foreign_words() -> None:
    evidence = [MATLAB, JAVA]
    assert foreign_words({item.cluster_id: item.title for item in offline_labels(evidence).items}, evidence) == {}


def test_what_users_say_of_an_id_is_a_title_without_its_value() -> None:
    lost = [call("I don't remember the reservation ID.") for _ in range(5)]
    told = [call(f"Sure, my member ID is mia_{number}.") for number in range(5)]
    assert titles(lost, BAGS)[0] == "I don't remember the reservation ID"
    assert titles(told, BAGS)[0] == "Give my member ID"


def test_a_cluster_of_goodbyes_is_called_by_its_thanks_and_others_are_not() -> None:
    goodbyes = [call(f"I'll look into {thing}. Thanks for your help!") for thing in ("it", "that", "this", "those")]
    polite = [call(f"Please cancel my flight {word}. Thank you for your help!") for word in ("now", "today", "please")]
    assert titles(goodbyes, CANCEL, BAGS)[0] == "Thanks for your help"
    assert titles(polite, goodbyes, BAGS)[0] == "Cancel my flight"


def test_a_tool_that_most_calls_name_stands_without_what_was_looked_up() -> None:
    lookups = [
        SummaryText("Get user details", "get_user_details → assistant", ("Get user details", f"Answered: {found}"))
        for found in ("a gold member", "a silver member", "three bags", "no insurance")
    ]
    assert titles(lookups, BAGS)[0] == "Get user details"


def test_a_second_half_is_what_the_traces_ask_for_in_full() -> None:
    """ "Upgrade to economy class" has two words of "upgrade to business class"."""
    asked = ["upgrade to business class"] * 4 + ["upgrade to economy class"] + ["keep economy class"] * 4
    mixed = [call("I want to change my flight", f"I also want to {each}") for each in asked]
    others = [call("I want to change my flight", "I want to add a checked bag") for _ in range(5)]
    assert "economy" not in titles(mixed, others, BAGS)[0]


def one_call(said: str, tool: str = "", *, trace: str) -> SummaryText:
    """The summary of one call of a model, as the offline model makes it; without `said` it got a tool's result."""
    flow = " → ".join([*(["user"] if said else []), *([tool] if tool else []), "assistant"])
    bullets = ([ASKED.format(said)] if said else []) + [ANSWERED.format("Your reservation has been made.")]
    return SummaryText((said or spelled(tool))[:60], flow, tuple(bullets), trace_id=trace)


SONGS = [one_call("Play some music in the kitchen", trace=f"song {number % 5}") for number in range(6)]


def test_calls_whose_users_say_yes_are_called_by_what_their_tools_do() -> None:
    tables = [
        one_call(said, "ReserveRestaurant", trace=f"trace {at}") for at, said in enumerate(("Yes.", "", "Paris."))
    ]
    cars = [one_call(said, "ReserveCar", trace=f"drive {at}") for at, said in enumerate(("Sure, yes.", "", "Oslo."))]
    found = titles([*tables, *cars], SONGS)[0]
    assert found in ("Reserve restaurant and reserve car", "Reserve car and reserve restaurant")


def test_a_whole_trace_is_called_by_what_its_user_asks_whatever_its_tools_do() -> None:
    traces = [
        one_call(f"Please dispute a payment, {word}", "OpenDispute", trace=f"trace {word}")
        for word in ("now", "Bob", "so")
    ]
    songs = [one_call("Play some music in the kitchen", "PlaySong", trace=f"song {number}") for number in range(3)]
    assert titles(traces, songs)[0] == "Dispute a payment"


@pytest.mark.parametrize(
    ("said", "clause"),
    [
        ("Is the song from 2018?", "Is the song"),
        ("My card is refused when I pay for groceries", "when I pay"),
        ("I would appreciate your help", "I would appreciate"),
        ("I prefer flights that depart late", "I prefer flights"),
        ("We'll use one certificate", "We'll use one certificate"),
        ("We’ll use one certificate", "We’ll use one certificate"),
        ("How about one certificate?", "How about one certificate"),
        ("Could you check if there are any flights?", "there are any flights"),
        ("I'd like to find out how many total suitcases I can take", "find out how many total suitcases"),
    ],
)
def test_half_a_question_and_half_a_sentence_are_no_clauses(said: str, clause: str) -> None:
    assert clause not in {found.text for found in requests_of([call(said)]).clauses}


def test_a_question_is_whole_with_its_subject_and_where_a_thing_is_asked_for() -> None:
    said = call("I'd like to find out how many suitcases I can take", "What is the status of the order I placed?")
    found = {found.text for found in requests_of([said]).clauses}
    assert {"find out how many suitcases I can take", "What is the status of the order"} <= found


def test_what_users_will_do_is_a_clause_without_its_subject() -> None:
    assert "use one certificate" in {found.text for found in requests_of([call("We'll use one certificate")]).clauses}


def test_an_id_that_is_told_is_no_second_half() -> None:
    asked = [call("I want to change my flight", f"My user ID is mia_{number}") for number in range(5)]
    assert titles(asked, BAGS)[0] == "Change my flight"


def test_a_call_of_several_tools_asks_for_nothing_in_their_names() -> None:
    title = "Get reservation details, search direct flight"
    flow = "get_reservation_details → assistant → search_direct_flight"
    found = requests_of([SummaryText(title, flow, ("Search direct flight: JFK",))], of_calls=True).clauses
    assert {(clause.text, clause.start) for clause in found} == {
        ("get reservation details", "tool"),
        ("search direct flight", "tool"),
    }


def test_a_whole_question_is_a_clause() -> None:
    assert "Is my order ready" in {found.text for found in requests_of([call("Is my order ready?")]).clauses}
