"""The guard of the Dagster UI: no page of others, and no other name of this machine, gets anything done or shown."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llma_assets_tests.instances import stored_instance

OURS = {"host": "127.0.0.1:3000"}
JSON = {"content-type": "application/json"}
MUTATION = "query=mutation%7BsetNuxSeen%7D"
FOREIGN = "http://evil.example"


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """What the guard protects: answers 200, or takes a websocket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def ask(
    method: str = "GET",
    path: str = "/",
    headers: dict[str, str] | list[tuple[str, str]] = OURS,
    *,
    query: str = "",
    app: ASGIApp | None = None,
    kind: str = "http",
    body: bytes = b"",
) -> int:
    """The status of the answer; 101 and 403 for websockets."""
    from llma_assets.defs.webserver import DagsterGuard  # not while tests are collected: Dagster's own takes its time

    sent: list[Message] = []
    pairs = headers.items() if isinstance(headers, dict) else headers

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": kind,
        "method": method,
        "path": path,
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
    }
    asyncio.run((app or DagsterGuard(behind, ["ui.example.com"]))(scope, receive, send))  # type: ignore[arg-type]
    first = sent[0]
    return int(first.get("status", {"websocket.accept": 101, "websocket.close": 403}.get(first["type"], 0)))


@pytest.mark.heavy
@pytest.mark.parametrize(
    "host", ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "LOCALHOST", "localhost.", "ui.example.com"]
)
def test_the_names_of_this_machine_and_those_of_the_setting_are_served(host: str) -> None:
    assert ask(headers={"host": host}) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "192.168.1.7",
        "",
        "a@localhost",
    ],
)
def test_a_name_that_was_led_here_is_refused(host: str) -> None:
    assert ask(headers={"host": host}) == 403
    assert ask(headers={"host": host, "origin": f"http://{host}"}) == 403
    assert ask(kind="websocket", path="/graphql", headers={"host": host}) == 403


def test_a_request_without_a_host_or_with_two_is_refused() -> None:
    assert ask(headers={}) == 403
    assert ask(headers=[("host", "localhost"), ("host", "evil.example")]) == 403


@pytest.mark.parametrize(
    "origin", [FOREIGN, "null", "http://127.0.0.1:8000", "http://127.0.0.1", "http://localhost:3000", "file://", ""]
)
def test_pages_of_other_origins_are_refused(origin: str) -> None:
    for method, path in (("POST", "/graphql"), ("GET", "/"), ("POST", "/report_asset_materialization/a")):
        assert ask(method, path, {**OURS, **JSON, "origin": origin}) == 403
    assert ask(kind="websocket", path="/graphql", headers={**OURS, "origin": origin}) == 403


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("localhost:3000", "http://localhost:3000"),
        ("ui.example.com", "https://ui.example.com"),
        ("ui.example.com:443", "https://ui.example.com"),
        # A proxy that asks by the address of the machine.
        ("localhost:3000", "https://ui.example.com"),
    ],
)
def test_pages_of_the_ui_itself_are_served_also_behind_a_proxy(host: str, origin: str) -> None:
    headers = {"host": host, "origin": origin, "sec-fetch-site": "same-origin"}
    assert ask("POST", "/graphql", headers | JSON) == 200
    assert ask(kind="websocket", path="/graphql", headers=headers) == 101


def test_what_a_foreign_page_loads_without_an_origin_is_refused_and_its_links_are_followed() -> None:
    for site in ("cross-site", "same-site"):
        foreign = OURS | {"sec-fetch-site": site}
        assert ask("GET", "/logs/a", foreign | {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}) == 403
        assert ask("GET", "/runs", foreign | {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}) == 403
        assert ask("GET", "/runs", foreign | {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}) == 200


@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "/prefix/graphql", "//graphql"])
def test_no_question_is_taken_from_a_url(path: str) -> None:
    assert ask("GET", path, query=MUTATION) == 403
    assert ask("HEAD", path, query=MUTATION) == 403
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""):
        assert ask("POST", path, OURS | {"content-type": kind}, query=MUTATION) == 403
    assert ask("POST", path, OURS) == 403
    assert ask("GET", path, OURS | {"accept": "text/html"}) == 200, "the page for questions by hand"


def test_scripts_of_the_operator_need_no_origin() -> None:
    assert ask("POST", "/graphql", OURS | JSON) == 200
    assert ask("POST", "/graphql", OURS | {"content-type": "application/json; charset=utf-8"}) == 200
    assert ask("POST", "/report_asset_materialization/a") == 200
    assert ask(kind="websocket", path="/graphql") == 101


@pytest.fixture(scope="module")
def dagster() -> Iterator[ASGIApp]:
    """Dagster's own application, made as `python -m llma_assets.defs.webserver` has it made."""
    from dagster_webserver import app as dagster_app

    from llma_assets.defs.webserver import GuardedWebserver

    with pytest.MonkeyPatch.context() as patched, stored_instance() as instance:
        patched.setattr(dagster_app, "DagsterWebserver", GuardedWebserver)
        patched.setenv("LLMA_UI_HOSTS", " ui.example.com , other.example.com")
        with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as context:
            yield dagster_app.create_app_from_workspace_process_context(context)


def test_dagsters_own_application_is_behind_the_guard(dagster: ASGIApp) -> None:
    question = b'{"query": "{version}"}'
    assert ask("POST", "/graphql", OURS | JSON, app=dagster, body=question) == 200
    assert ask("POST", "/graphql", {"host": "other.example.com"} | JSON, app=dagster, body=question) == 200
    assert ask("GET", "/server_info", app=dagster) == 200
    assert ask("POST", "/graphql", {**OURS, **JSON, "origin": FOREIGN}, app=dagster, body=question) == 403
    assert ask("GET", "/graphql", {"host": "evil.example", "origin": FOREIGN}, query=MUTATION, app=dagster) == 403
    assert ask("GET", "/graphql", query=MUTATION, app=dagster) == 403
