"""Names made without a model: readable, distinct, the same each time, and free of names of people."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llma_assets.labels import ClusterEvidence, SummaryText, offline_labels
from llma_assets.labels.label_checks import checked_labels
from llma_assets.labels.phrases import scored_phrases
from llma_assets.labels.words import flow_steps, phrases, spelled, steps
from llma_assets_tests.fuzzing import example_count


def flight(city: str) -> SummaryText:
    return SummaryText(
        f"Find me a flight to {city}",
        "(user ⇄ assistant) ×2 → SearchFlights → assistant",
        (f'Asked: "I want to book a flight to {city} with one checked bag"', f"Search flights: {city}"),
    )


def movie(title: str) -> SummaryText:
    return SummaryText(
        "Find a movie to watch tonight",
        "user → FindMovies ×2 → RentMovie → assistant",
        (f'Asked: "Can I rent the movie {title} with subtitles?"', "Find movies: comedy"),
        ("FindMovies found nothing",),
    )


EVIDENCE = [
    ClusterEvidence(0, 40, tuple(map(flight, ("Oslo", "Lima", "Rome", "Kyiv", "Bern")))),
    ClusterEvidence(1, 30, tuple(map(movie, ("Alien", "Brazil", "Heat", "Jaws", "Rain Man")))),
]


def test_titles_say_what_sets_each_cluster_apart() -> None:
    titles = {item.cluster_id: item.title.casefold() for item in offline_labels(EVIDENCE).items}
    assert "flight" in titles[0]
    assert "movie" in titles[1]
    assert "movie" not in titles[0]
    assert "flight" not in titles[1]


def test_every_offline_label_passes_the_rules_for_labels() -> None:
    labels = checked_labels(EVIDENCE, offline_labels(EVIDENCE), "offline")
    assert [label.error for label in labels] == ["", ""]


def test_descriptions_tell_common_steps_with_their_share_and_quote_a_member() -> None:
    points = offline_labels(EVIDENCE).items[1].description
    assert "FindMovies (100%)" in points[0]
    assert "RentMovie (100%)" in points[0]
    assert any("subtitles" in point for point in points if point.startswith("For example: "))


def test_names_in_the_middle_of_sentences_are_no_topics() -> None:
    evidence = [
        ClusterEvidence(
            0,
            9,
            tuple(
                SummaryText(f"Cancel order {n} for Amelia Davis", "", ("Refund sent to Amelia Davis",)) for n in "abcde"
            ),
        ),
        EVIDENCE[0],
    ]
    title = offline_labels(evidence).items[0].title
    assert "amelia" not in title.casefold()
    assert "davis" not in title.casefold()


def test_clusters_that_look_alike_get_different_titles() -> None:
    same = EVIDENCE[0].representatives
    titles = [item.title for item in offline_labels([ClusterEvidence(n, 5, same) for n in range(12)]).items]
    assert len({title.casefold() for title in titles}) == 12


def test_used_titles_are_not_given_again() -> None:
    first = offline_labels(EVIDENCE).items[0].title
    assert offline_labels(EVIDENCE, used_titles=[first]).items[0].title != first


def test_noise_and_clusters_without_text_get_no_item() -> None:
    found = offline_labels([ClusterEvidence(-1, 5, (flight("Oslo"),)), ClusterEvidence(2, 5, ())])
    assert found.items == []


def test_members_are_counted_too() -> None:
    few = ClusterEvidence(0, 9, (flight("Oslo"),), members=tuple(map(flight, ("Lima", "Rome", "Bern"))))
    assert "4 of them" not in " ".join(offline_labels([few]).items[0].description)
    assert any("SearchFlights (100%)" in point for point in offline_labels([few]).items[0].description)


def test_the_same_evidence_gives_the_same_labels() -> None:
    assert offline_labels(EVIDENCE) == offline_labels(list(EVIDENCE))


texts = st.text(max_size=60)
summaries = st.builds(
    SummaryText, texts, texts, st.lists(texts, max_size=3).map(tuple), st.lists(texts, max_size=2).map(tuple)
)


@settings(max_examples=example_count(60), deadline=None)
@given(st.lists(st.lists(summaries, min_size=1, max_size=4), min_size=1, max_size=4))
def test_any_text_gives_a_label_that_keeps_the_rules(groups: list[list[SummaryText]]) -> None:
    evidence = [ClusterEvidence(n, len(group), tuple(group)) for n, group in enumerate(groups)]
    answer = offline_labels(evidence)
    assert [item.cluster_id for item in answer.items] == list(range(len(groups)))
    assert [label.error for label in checked_labels(evidence, answer, "offline")] == [""] * len(groups)


def test_scores_are_those_of_the_formula_for_plain_words() -> None:
    evidence = [
        ClusterEvidence(0, 2, (SummaryText("", bullets=("kettle",)), SummaryText("", bullets=("kettle, toaster",)))),
        ClusterEvidence(1, 2, (SummaryText("", bullets=("toaster",)), SummaryText("", bullets=("lamp",)))),
    ]
    found = {phrase.surface: phrase for phrase in scored_phrases(evidence)[0]}
    # Shares: kettle 1 and 0, toaster .5 and .5, lamp 0 and .5; their sum over two clusters makes A = 1.25.
    assert found["kettle"].score == pytest.approx(math.log(1 + 1.25 / 1.0))
    assert found["toaster"].score == pytest.approx(0.5 * math.log(1 + 1.25 / 1.0) * 0.5)


def test_phrases_are_sorted_best_first() -> None:
    for found in scored_phrases(EVIDENCE).values():
        assert all(a.score >= b.score for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("book a flight", {"book flight", "book", "flight"}),
        ("SearchOnewayFlight", {"search oneway flight"}),
        ("get_user_details failed", {"get user details", "failed"}),
        ("order 4XGCCM of mia_li_3668 cost $216", {"order", "cost"}),
        ("please, thanks; ok", set()),
        ("Überweisung läuft", {"überweisung läuft", "überweisung", "läuft"}),
        ("what is the cost of living", {"cost of living", "cost", "living"}),
        ("I want to top-up my card", {"top up card", "top up", "card"}),
        ("the card is not working", {"card", "not working"}),
        ("how far is it", {"how far"}),
        ("je voudrais annuler la commande que j'ai faite", {"annuler la commande", "annuler", "commande", "faite"}),
        ("我想取消订单并申请退款", {"想取", "取消", "消订", "订单", "申请退款"}),
        ("", set()),
    ],
)
def test_phrases_of_a_text(text: str, wanted: set[str]) -> None:
    found = {phrase.surface.casefold() for phrase in phrases(text)}
    assert found >= wanted
    assert not any(part in surface for surface in found for part in ("4xgccm", "mia", "216", "please"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("activate my card", "activating the cards"),
        ("cancel a flight", "cancelled flights"),
        ("top-up failed", "top up fails"),
    ],
)
def test_phrases_that_differ_in_endings_are_the_same(one: str, other: str) -> None:
    assert {phrase.stems for phrase in phrases(one)} == {phrase.stems for phrase in phrases(other)}


def test_tools_are_read_from_flows_and_texts() -> None:
    flow = "(user ⇄ assistant) ×3 → search_direct_flight ×2 → calculate → … → User asks again → BookIt → assistant"
    assert flow_steps(flow) == ["search_direct_flight", "calculate", "BookIt"]
    assert steps("Called BookAppointment with appointment_date=1, then get_user_details") == [
        "BookAppointment",
        "get_user_details",
    ]
    assert spelled("getUserDetails") == "get user details"


def spoken(texts: list[str]) -> tuple[SummaryText, ...]:
    return tuple(SummaryText(text, "user → assistant", (text,)) for text in texts)


@pytest.mark.parametrize(
    ("texts", "others", "word"),
    [
        (
            ["Je voudrais annuler ma commande", "Comment annuler la commande que j'ai faite", "Annuler une commande"],
            ["Je n'ai pas reçu la facture de mars", "Où est ma facture", "Une facture pour mon entreprise"],
            "commande",
        ),
        (
            ["Ich möchte mein Passwort ändern", "Wie kann ich das Passwort ändern", "Passwort für das Konto ändern"],
            ["Wann kommt meine Bestellung an", "Wo ist die Bestellung", "Die Bestellung ist nicht da"],
            "passwort",
        ),
        (
            ["我想取消订单", "请帮我取消订单", "怎么取消订单"],
            ["我忘记了密码", "密码怎么重置", "密码重置不了"],
            "订单",
        ),
    ],
)
def test_other_languages_have_names_too(texts: list[str], others: list[str], word: str) -> None:
    evidence = [ClusterEvidence(0, 3, spoken(texts)), ClusterEvidence(1, 3, spoken(others))]
    labels = checked_labels(evidence, offline_labels(evidence), "offline")
    assert [label.error for label in labels] == ["", ""]
    assert word in labels[0].title.casefold()
    assert word not in labels[1].title.casefold()


def test_two_tools_of_a_cluster_are_joined() -> None:
    def both(city: str) -> SummaryText:
        return SummaryText(f"Flat in {city}", "user → FindApartment → ScheduleVisit", ("FindApartment, ScheduleVisit",))

    evidence = [*EVIDENCE, ClusterEvidence(2, 9, tuple(map(both, ("Oslo", "Lima", "Rome", "Bern"))))]
    assert offline_labels(evidence).items[2].title.startswith("Find apartment and schedule visit")


LOGS = {
    "json": '{{"status": 429, "ts": 17, "size": "small", "message": "Rate limit reached for {who}"}}',
    "logfmt": 'ts=2026-11-01T08:00:00Z level=error size=small status=down msg="Rate limit reached for {who}"',
    "yaml": "kind: Event level: error size: small status: down message: Rate limit reached for {who}",
    "headers": "HTTP/1.1 429 Content-Type: status/small X-Status-Id: ts/17 Rate limit reached for {who}",
    "frames": 'Traceback (most recent call last): File "/ts/small.py", line 7, in status Rate limit reached for {who}',
    "paths": "Rate limit reached for {who} in src/status/small.ts and /ts/status/small",
}


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)
def test_titles_and_keywords_are_what_is_said_and_not_what_stands_around_it(log: str) -> None:
    """Two clusters of one title are told apart by keywords, which were the keys of JSON."""
    whose = (("Ann", "Bob", "Cleo", "Dan"), ("the planner", "the planner", "the planner", "the writer"))
    evidence = [
        ClusterEvidence(
            number,
            4,
            tuple(
                SummaryText(
                    f"Rate limit reached {at}",
                    "user → assistant",
                    (
                        f"Error (generation): {log.format(who=who)}",
                        f'Asked: "Fix the retries number_{at} of the planner"',
                    ),
                )
                for at, who in enumerate(names)
            ),
        )
        for number, names in enumerate(whose)
    ]
    machine = {
        "status",
        "ts",
        "small",
        "size",
        "level",
        "down",
        "kind",
        "message",
        "msg",
        "content",
        "traceback",
        "number",
    }
    for item in offline_labels(evidence).items:
        keywords = " ".join(point for point in item.description if point.startswith("Often"))
        assert not machine & {phrase.surface for phrase in phrases(f"{item.title} {keywords}")}


def test_only_tools_that_were_called_are_steps_and_no_fields_that_somebody_pasted() -> None:
    pasted = ClusterEvidence(
        0,
        4,
        tuple(
            SummaryText(f"Cancel order {n}", "user → cancel_order", (f'Asked: "created_at of order {n} is wrong"',))
            for n in "abcd"
        ),
    )
    points = " ".join(offline_labels([pasted, EVIDENCE[1]]).items[0].description)
    assert "cancel_order (100%)" in points
    assert "created at" not in points
    assert "created_at (" not in points


def test_keywords_of_a_language_are_content_words_also_of_texts_too_short_to_show_it() -> None:
    asked = ("Bitte schicken Sie die Rechnung", "Ich brauche die Rechnung", "Meine Rechnung fehlt", "Rechnung bitte")
    german = ClusterEvidence(0, 4, tuple(SummaryText(text, "user", (f'Asked: "{text}"',)) for text in asked))
    said = offline_labels([german, EVIDENCE[1]]).items[0]
    keywords = next(point for point in said.description if point.startswith("Often mentioned"))
    assert "Rechnung (100%)" in keywords
    assert not {"bitte", "ich", "meine", "brauche", "die", "sie"} & set(keywords.casefold().replace(",", "").split())


def test_an_elided_article_is_no_part_of_a_keyword() -> None:
    asked = ("Je veux changer l'adresse d'envoi", "L'adresse d'envoi est fausse", "Où changer l'adresse d'envoi ?")
    french = ClusterEvidence(0, 3, tuple(SummaryText(text, "user", (f'Asked: "{text}"',)) for text in asked))
    keywords = " ".join(offline_labels([french, EVIDENCE[1]]).items[0].description[:1])
    assert "adresse" in keywords
    assert "l'adresse" not in keywords
