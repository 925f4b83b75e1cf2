"""Templates: what one program sends is one cluster, and everything else is found as without it."""

import random

import numpy as np
import pytest

from llma_assets.clusters import ClusteringConfig, cluster
from llma_assets.clusters.engine.template_clusters import cluster_with_templates
from llma_assets.clusters.engine.templates import NO_TEMPLATE, find_templates, sampled_templates
from llma_assets.clusters.engine.unsampled import assign_unsampled

FIRST = ("maria", "james", "wei", "fatima", "olga", "ravi", "sofia", "liam", "noah", "emma", "ahmed", "yuki")
LAST = ("lopez", "smith", "zhang", "khan", "ivanova", "patel", "rossi", "brown", "jones", "weber", "sato", "costa")
VERBS = ("cancel", "change", "book", "find", "explain", "compare", "repeat", "print", "send", "move", "count", "open")
THINGS = (
    "flight",
    "invoice",
    "parcel",
    "password",
    "lamp",
    "garden",
    "meeting",
    "song",
    "recipe",
    "train",
    "tax",
    "cat",
)
ENDINGS = (
    "please",
    "today",
    "for my mother",
    "without the fee",
    "as soon as you can",
    "before we leave",
    "or tell me why",
)


def bot(kind: str, number: int, rng: random.Random) -> str:
    """One text of a template, with a name and numbers of its own."""
    name, code = f"{rng.choice(FIRST)} {rng.choice(LAST)}", rng.randrange(10_000, 99_999)
    return {
        "names": f"refund for {name} order {code} please",
        "capitals": f"Check the status of order A-{code} for {name.title()} and notify them by email",
        "dates": f"Report of 2026-11-{number % 28 + 1:02d} for account {code}@example.com is due",
        "quotes": f'Translate the product "{rng.choice(THINGS)} {code}" for the shop',
    }[kind]


def people(count: int, rng: random.Random) -> list[str]:
    """Texts that people might write: many verbs, things and endings in many orders."""
    openings = ("can you", "i want to", "how do i", "please", "why can't i", "help me")
    return [
        f"{rng.choice(openings)} {rng.choice(VERBS)} the {rng.choice(THINGS)} {rng.choice(VERBS)} {rng.choice(ENDINGS)}"
        for _ in range(count)
    ]


@pytest.mark.parametrize("kind", ["names", "capitals", "dates", "quotes"])
@pytest.mark.parametrize("share", [0.05, 0.6])
def test_the_texts_of_a_bot_are_one_template_and_no_other_text_is(kind: str, share: float) -> None:
    rng = random.Random(kind)
    others = people(1_200, rng)
    sent = [bot(kind, number, rng) for number in range(round(1_200 * share / (1 - share)))]
    texts = others + sent
    found = find_templates(texts)
    assert [template.texts for template in found.found] == [len(sent)]
    assert (found.of_text[:1_200] == NO_TEMPLATE).all()
    order = rng.sample(range(len(texts)), len(texts))
    shuffled = find_templates([texts[place] for place in order])
    assert shuffled.found == found.found
    assert (shuffled.of_text == found.of_text[order]).all()


def test_a_prompt_around_every_question_is_no_template() -> None:
    rng = random.Random(1)
    texts = [f"Answer the following question about our product: {text}" for text in people(500, rng)]
    texts += [f"Answer the following question about our product: {rng.choice(THINGS)}" for _ in range(200)]
    assert find_templates(texts).found == []


def test_what_is_all_there_is_is_told_apart_by_its_slots() -> None:
    rng = random.Random(2)
    assert find_templates([bot("names", number, rng) for number in range(300)]).found == []
    assert find_templates([]).of_text.tolist() == []
    assert find_templates(["", "…", "1 2 3"] * 30).found == []


def mixture(rng: np.random.Generator, topics: int, each: int) -> np.ndarray:
    centres = rng.normal(size=(topics, 32))
    return np.concatenate([centre + 0.3 * rng.normal(size=(each, 32)) for centre in centres]).astype(np.float32)


def test_a_template_is_one_cluster_and_the_others_are_found_as_without_it() -> None:
    rng = np.random.default_rng(3)
    topics = mixture(rng, 6, 40)
    # Names scatter a template into many small lumps.
    sent = (rng.normal(size=32) + mixture(rng, 30, 12)).astype(np.float32)
    embeddings = np.vstack([topics, sent])
    of_template = np.r_[np.full(len(topics), NO_TEMPLATE), np.zeros(len(sent), dtype=int)]
    config = ClusteringConfig()
    alone, found = cluster(topics, config), cluster_with_templates(embeddings, of_template, config)
    assert len(cluster(embeddings, config).centroids) > len(alone.centroids) + 5  # what the template does unmarked
    assert len(found.centroids) == len(alone.centroids) + 1
    assert set(found.labels[len(topics) :]) == {0}
    assert found.templates is not None
    assert found.templates.tolist() == [0, *[NO_TEMPLATE] * len(alone.centroids)]
    assert (found.labels[: len(topics)] == np.where(alone.labels < 0, -1, alone.labels + 1)).all()
    assert np.array_equal(found.coordinates[: len(topics)], alone.coordinates)
    assert (np.abs(found.coordinates) <= 1).all()
    assert sorted(found.ranks[len(topics) :]) == list(range(len(sent)))
    unit = sent / np.linalg.norm(sent, axis=1, keepdims=True)
    assert np.allclose(found.centroids[0], unit.mean(axis=0), atol=1e-5)
    assert found.groups.max() < len(found.centroids)
    assert np.isclose(found.quality.noise_share, (found.labels < 0).mean())


def test_unsampled_texts_go_to_their_template_and_no_other_text_does() -> None:
    rng = np.random.default_rng(4)
    embeddings = np.vstack([mixture(rng, 3, 40), mixture(rng, 1, 60)])
    of_template = np.r_[np.full(120, NO_TEMPLATE), np.zeros(60, dtype=int)]
    found = cluster_with_templates(embeddings, of_template)
    template = int(found.labels[-1])
    blocks = [(np.arange(180), embeddings)]
    placed = assign_unsampled(found, 180, blocks, np.r_[of_template[60:], of_template[:60]])
    rest = placed.labels[180:]
    assert (rest[60:120] == template).all()  # whatever their vectors are
    assert template not in rest[:60]
    assert template not in rest[120:]


def test_a_template_that_the_sample_has_nothing_of_is_none() -> None:
    rng = random.Random(5)
    found = find_templates(people(400, rng) + [bot("names", number, rng) for number in range(100)])
    assert (sampled_templates(found, 400).of_text == NO_TEMPLATE).all()
    assert (sampled_templates(found, 401).of_text == found.of_text).all()


def test_equal_input_gives_equal_bytes() -> None:
    rng = np.random.default_rng(6)
    embeddings = mixture(rng, 5, 30)
    of_template = np.r_[np.full(90, NO_TEMPLATE), np.zeros(30, dtype=int), np.ones(30, dtype=int)]
    first, second = cluster_with_templates(embeddings, of_template), cluster_with_templates(embeddings, of_template)
    assert first.coordinates.tobytes() == second.coordinates.tobytes()
    assert first.centroids.tobytes() == second.centroids.tobytes()
    everything = cluster_with_templates(embeddings, np.where(of_template == NO_TEMPLATE, 2, of_template))
    assert len(everything.centroids) >= 3
