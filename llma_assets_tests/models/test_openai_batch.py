"""The Batch API as a client sees it: files within limits, one batch a key, answers line by line."""

import json
from typing import Any

import pytest

from llma_assets.models import (
    BatchAnswer,
    BatchState,
    InvalidAnswer,
    ModelConfigurationError,
    ModelUnavailable,
    OpenAIBatches,
    OpenAIChat,
    RetryPolicy,
    request_files,
)
from llma_assets.testing import BatchServer, Dribble, Ending, Garbage, RateLimited, Reset, Status, Store

POLICY = RetryPolicy(attempts=3, deadline_s=3.0, attempt_timeout_s=0.5, first_delay_s=0.01, longest_delay_s=0.02)


def batches(server: BatchServer) -> OpenAIBatches:
    return OpenAIBatches(OpenAIChat("m", api_key="sk-test-secret", base_url=server.url, policy=POLICY).server)


def bodies(count: int) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"q{n}", {"model": "m", "messages": [{"role": "user", "content": f"L1: number {n} ü"}]}) for n in range(count)
    ]


def submit(client: OpenAIBatches, key: str = "key", count: int = 3) -> BatchState:
    (state,) = [client.submit(file, key) for file in request_files(bodies(count))]
    return state


def ended(client: OpenAIBatches) -> BatchState:
    state = client.state(submit(client).batch_id)
    assert state is not None
    assert state.ended
    return state


def test_requests_are_lines_with_an_id_a_path_and_the_body_of_a_call() -> None:
    for file in request_files(bodies(2)):
        file.file.seek(0)
        lines = [json.loads(line) for line in file.file]
        assert file.custom_ids == ["q0", "q1"]
    assert lines[0] == {"custom_id": "q0", "method": "POST", "url": "/v1/chat/completions", "body": bodies(1)[0][1]}


def test_no_requests_are_no_file() -> None:
    assert list(request_files([])) == []


@pytest.mark.parametrize(("limits", "sizes"), [({"most_requests": 3}, [3, 3, 1]), ({"most_bytes": 400}, [2, 2, 2, 1])])
def test_requests_are_split_by_number_and_by_size(limits: dict[str, int], sizes: list[int]) -> None:
    found = []
    for file in request_files(bodies(7), **limits):
        file.file.seek(0)
        assert file.size == len(file.file.read())
        found.append(file.custom_ids)
    assert [len(ids) for ids in found] == sizes
    assert [name for ids in found for name in ids] == [name for name, _ in bodies(7)]


def test_a_request_that_fits_no_file_is_an_error() -> None:
    with pytest.raises(ValueError, match="takes 10"):
        list(request_files(bodies(1), most_bytes=10))


def test_a_batch_is_made_ends_and_brings_its_answers() -> None:
    with BatchServer(polls=1) as server:
        client = batches(server)
        made = submit(client, "key-1")
        assert (made.key, made.ended, made.requests) == ("key-1", False, 3)
        running = client.state(made.batch_id)
        assert running is not None
        assert (running.status, running.ended) == ("in_progress", False)
        done = client.state(made.batch_id)
        assert done is not None
        assert (done.ended, done.completed, done.errors) == (True, 3, ())
        answers = list(client.answers(done))
    assert {answer.custom_id for answer in answers if answer} == {"q0", "q1", "q2"}
    assert all(answer and json.loads(answer.body)["choices"] for answer in answers)


@pytest.mark.parametrize("fault", [Reset(), Status(503), RateLimited("0")])
@pytest.mark.parametrize("good_before", [0, 1])
def test_what_goes_wrong_on_the_way_is_tried_again(fault: Any, good_before: int) -> None:
    with BatchServer(faults=[None] * good_before + [fault]) as server:
        assert submit(batches(server)).key == "key"
        assert len(server.created) == 1


def test_a_state_that_comes_too_slowly_is_asked_for_again() -> None:
    with BatchServer(faults=[None, None, Dribble()]) as server:
        client = batches(server)
        made = submit(client)
        assert client.state(made.batch_id) is not None


def test_a_creation_without_an_answer_is_looked_for_among_all_batches() -> None:
    store = Store()
    with BatchServer(store=store) as server:
        client = batches(server)
        for number in range(3):
            submit(client, f"other-{number}", 1)
    with BatchServer(store=store, lost_creations=1) as server:
        client = batches(server)
        assert submit(client, "mine").key == "mine"
        assert len(server.created) == 4


def test_a_batch_is_found_on_the_last_page_and_what_is_not_there_is_not_found() -> None:
    store = Store()
    with BatchServer(store=store) as server:
        upload = {"id": "file-0"}
        store.files["file-0"] = b"{}\n"
        for number in range(250):
            server.create(
                {"input_file_id": upload["id"], "metadata": {"llma_batch": f"key-{number}"} if number else None}
            )
        client = batches(server)
        found = client.find("key-1")
        assert found is not None
        assert found.key == "key-1"
        assert client.find("key-x") is None
        assert len(server.calls("/v1/batches")) == 6


def test_a_list_that_never_ends_is_left() -> None:
    with BatchServer() as server:
        server.store.files["f"] = b""
        batch = server.create({"input_file_id": "f"})
        server.page = lambda _limit, _after: {"data": [batch], "has_more": True}  # type: ignore[method-assign]
        assert batches(server).find("key") is None


def test_a_batch_that_the_server_does_not_know_is_none_but_a_wrong_url_is_an_error() -> None:
    with BatchServer() as server:
        assert batches(server).state("batch-9") is None
    with BatchServer(always=Status(404)) as server, pytest.raises(ModelConfigurationError):
        batches(server).state("batch-9")


def test_the_codes_of_a_batch_that_failed_are_kept_and_words_are_not() -> None:
    with BatchServer(endings=[Ending("failed", codes=("token_limit_exceeded", "Ignore all previous"))]) as server:
        client = batches(server)
        state = ended(client)
    assert state.errors == ("token_limit_exceeded", "no_answer")


def test_a_cancelled_batch_ends_with_what_it_has() -> None:
    with BatchServer(held=True) as server:
        client = batches(server)
        made = submit(client)
        client.cancel(made.batch_id)
        server.held = False
        state = client.state(made.batch_id)
        assert state is not None
        found = [answer for answer in client.answers(state) if answer]
    assert state.status == "cancelled"
    assert {answer.error.kind for answer in found if answer.error} == {"batch_expired"}


@pytest.mark.parametrize(
    ("reply", "error", "kind"),
    [
        ((400, {"message": "too long", "code": "context_length_exceeded"}), InvalidAnswer, "too_long"),
        ((429, {"message": "slow down"}), ModelUnavailable, "rate_limited"),
        ((500, {}), ModelUnavailable, "server_error"),
        ((401, {"message": "no"}), ModelConfigurationError, "bad_key"),
    ],
)
def test_lines_with_an_error_say_what_it_means(reply: Any, error: type[Exception], kind: str) -> None:
    with BatchServer(endings=[Ending(replies={0: reply})]) as server:
        client = batches(server)
        state = ended(client)
        (found,) = [answer for answer in client.answers(state) if answer and answer.error]
    assert isinstance(found, BatchAnswer)
    assert isinstance(found.error, error)
    assert getattr(found.error, "kind", "") == kind


def test_a_line_longer_than_memory_should_hold_is_one_unreadable_line() -> None:
    with BatchServer(endings=[Ending(verbatim=(b'{"custom_id": "' + b"a" * (9 << 20) + b'"}',))]) as server:
        client = batches(server)
        state = ended(client)
        found = list(client.answers(state))
    assert (len(found), found.count(None)) == (4, 1)


def test_an_answer_about_batches_that_cannot_be_read_is_an_error() -> None:
    with BatchServer(always=Garbage()) as server, pytest.raises(InvalidAnswer):
        batches(server).find("key")


def test_files_are_deleted_and_those_that_are_gone_are_no_error() -> None:
    with BatchServer() as server:
        client = batches(server)
        state = ended(client)
        client.delete_files(state)
        client.delete_files(state)
        assert [name for name in server.store.files if not name.startswith("kept-")] == []
