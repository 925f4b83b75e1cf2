"""Who is let in, and what exists for them; every route is asked."""

import pkgutil
from importlib import import_module
from uuid import UUID

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from llma_assets import web
from llma_assets.web import Access, AccessError, new_token, token_hash
from llma_assets.web.access import read_entries
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.conftest import CHANGER, READER, STRANGER, bearer
from llma_assets_tests.web.planted import MINE, SECRET

OPEN = {"/sign-in", "/sign-out", "/healthz", "/readyz"}
NAMES = {each.name for each in pkgutil.iter_modules(web.__path__)} - {"receiver"}
MODULES = [import_module(f"{web.__name__}.{name}") for name in sorted(NAMES)]
OF_THE_API = [each.router for each in MODULES if each.__name__.endswith("api")]
OF_THE_API += [each.documents for each in MODULES if hasattr(each, "documents")]
ROUTERS = [
    *(("", each.router) for each in MODULES if hasattr(each, "router") and each.router not in OF_THE_API),
    *(("/api/v1", each) for each in OF_THE_API),
]
"""Of every module, so that no route is forgotten; the receiver has tests of its own."""

PATHS = {
    "lineage_id": "traces-0",
    "theme_id": "traces",
    "task_id": "t",
    "incident_id": str(UUID(int=1)),
    "rule": "escalating",
}
QUERY = {"date": DAY.isoformat(), "theme": "traces", "id": "t0"}


def routes() -> list[tuple[str, str]]:
    """Method and address of every route, for the first team."""
    return [
        (method, prefix + route.path.format_map({"team_id": MINE, **PATHS}))
        for prefix, router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ]


def asked(client: TestClient, method: str, path: str, token: str | None) -> int:
    """The status of an answer."""
    headers = bearer(token) if token else {}
    body = {"json": {"action": "hide"}} if path.startswith("/api") and method != "GET" else {}
    return client.request(  # type: ignore[no-any-return]
        method,
        path,
        params=QUERY,
        headers=headers,
        follow_redirects=False,
        **body,  # type: ignore[arg-type]
    ).status_code


def test_no_route_answers_without_a_token(guarded: TestClient) -> None:
    found = [each for each in routes() if each[1] not in OPEN]
    assert len(found) > 25
    for method, path in found:
        wanted = 303 if method == "GET" and not path.startswith(("/api/", "/metrics")) else 401
        assert asked(guarded, method, path, None) == wanted, (method, path)
        assert asked(guarded, method, path, "wrong") == wanted, (method, path)


def test_a_team_of_others_does_not_exist(guarded: TestClient) -> None:
    of_a_team = [each for each in routes() if f"/teams/{MINE}" in each[1]]
    assert len(of_a_team) > 20
    for method, path in of_a_team:
        wanted = (404,) if method == "GET" or path.startswith("/api/") else (403, 404)
        assert asked(guarded, method, path, STRANGER) in wanted, (method, path)


def test_whoever_may_read_changes_nothing(guarded: TestClient) -> None:
    for method, path in routes():
        if path.endswith("/preview"):  # counts, and stores nothing
            assert asked(guarded, method, path, READER) == 200, path
        elif method != "GET" and path not in OPEN:
            assert asked(guarded, method, path, READER) == 403, path
        elif path.endswith(("-new", "/edit")):
            assert asked(guarded, method, path, READER) == 403, path
            assert asked(guarded, method, path, CHANGER) != 403 or not path.startswith("/api/"), path


def test_pages_and_documents_hold_nothing_of_the_other_team(guarded: TestClient) -> None:
    for method, path in routes():
        if method == "GET":
            answer = guarded.get(path, params=QUERY, headers=bearer(READER))
            assert SECRET not in answer.text, path
    assert SECRET in guarded.get("/teams/2/results", params=QUERY, headers=bearer(STRANGER)).text


def test_the_list_of_teams_has_those_of_the_token(guarded: TestClient) -> None:
    found = guarded.get("/api/v1/teams", headers=bearer(READER)).json()["teams"]
    assert [each["team"] for each in found] == [MINE]


def test_signing_in_and_out_by_the_page(guarded: TestClient) -> None:
    first = guarded.get(f"/teams/{MINE}/results", follow_redirects=False)
    assert first.status_code == 303
    assert first.headers["location"].startswith("/sign-in?next=%2Fteams%2F1%2Fresults")
    guarded.get("/sign-in")
    form = {"form_key": guarded.cookies["llma_form"], "next": f"/teams/{MINE}/results"}
    assert guarded.post("/sign-in", data={**form, "token": "wrong"}).status_code == 401
    answer = guarded.post("/sign-in", data={**form, "token": READER}, follow_redirects=False)
    assert answer.headers["location"] == f"/teams/{MINE}/results"
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    assert guarded.get(f"/teams/{MINE}/results").status_code == 200
    guarded.post("/sign-out", data=form)
    assert guarded.get(f"/teams/{MINE}/results", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\nb"])
def test_signing_in_leads_to_no_other_server(guarded: TestClient, target: str) -> None:
    guarded.get("/sign-in")
    form = {"form_key": guarded.cookies["llma_form"], "next": target, "token": READER}
    assert guarded.post("/sign-in", data=form, follow_redirects=False).headers["location"] == "/"


def test_foreign_hosts_and_pages_are_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403
    assert client.get("/", headers={"origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize("in_pieces", [False, True])
def test_what_is_too_large_is_not_read(client: TestClient, in_pieces: bool) -> None:
    pieces = [b" " * (64 << 10)] * 20
    body = iter(pieces) if in_pieces else b"".join(pieces)
    headers = {"content-type": "application/json"}
    answer = client.post(f"/api/v1/teams/{MINE}/themes", content=body, headers=headers)
    assert answer.status_code == 413
    assert "1,024 KiB at most" in answer.json()["detail"]


def test_a_user_of_the_proxy_is_known_from_the_proxy_alone() -> None:
    text = '[[visitors]]\nname = "Ana"\nuser = "ana@example.com"\nteams = "all"\nrights = "change"'
    access = Access.from_env({"LLMA_WEB_TOKENS": text, "LLMA_WEB_PROXY": "10.0.0.1"})
    visitor = access.visitor(None, peer="10.0.0.1", user="ana@example.com")
    assert visitor is not None
    assert visitor.name == "Ana"
    assert visitor.may_change
    assert access.visitor(None, peer="10.0.0.2", user="ana@example.com") is None
    assert access.visitor(None, peer="10.0.0.1", user="eve@example.com") is None
    with pytest.raises(AccessError, match="LLMA_WEB_PROXY names no proxy"):
        Access.from_env({"LLMA_WEB_TOKENS": text})


def test_tokens_are_found_by_their_hash() -> None:
    token = new_token()
    entry = f'[[visitors]]\nname = "Bo"\nsha256 = "{token_hash(token)}"\nteams = [3]'
    access = Access.from_env({"LLMA_WEB_TOKENS": entry})
    visitor = access.visitor(token)
    assert visitor is not None
    assert (visitor.name, visitor.sees(3), visitor.sees(4), visitor.may_change) == ("Bo", True, False, False)
    assert access.visitor(None) is access.visitor("") is access.visitor(token[:-1]) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[visitors", "not valid TOML"),
        ("[other]\nx = 1", "may hold"),
        ("visitors = 3", "may hold"),
        ('[[visitors]]\nname = "x"\nteams = "all"', "give sha256"),
        ('[[visitors]]\nname = "x"\nsha256 = "abc"\nteams = "all"', "visitor 1, sha256"),
        ('[[visitors]]\nname = "x"\nuser = "y"\nteams = "none"', "visitor 1, teams"),
        ('[[visitors]]\nname = "x"\nuser = "y"\nteams = []\nrights = "all"', "visitor 1, rights"),
        ('[[visitors]]\nname = "x"\nuser = "y"\nteams = []\nadmin = true', "visitor 1, admin"),
    ],
)
def test_wrong_tokens_name_the_place(text: str, says: str) -> None:
    with pytest.raises(AccessError, match=says):
        read_entries(text, "the file")
