"""Issues of Linear as its GraphQL API has them: one team with the seven types of states.

It knows the operations that clients here send, by the names of their fields, and the answers of the real one: errors
with `extensions.code`, also with HTTP 400, ids that are given by the client and taken once, limits in `x-ratelimit-…`
headers in milliseconds.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from llma_assets.testing.alert_servers import Answer
from llma_assets.testing.tracker_servers import Asked, Fault, Lost, TrackerServer

STATES = ("Triage", "Backlog", "Todo", "In Progress", "Done", "Canceled", "Duplicate")
TYPES = ("triage", "backlog", "unstarted", "started", "completed", "canceled", "duplicate")


def error(status: int, code: str, message: str, shown: str, *, user: bool = True) -> Answer:
    """An answer without data, as Linear's errors are."""
    extensions = {
        "type": code.lower().replace("_", " "), "code": code, "statusCode": status, "userError": user,
        "userPresentableMessage": shown, "http": {"status": status},
    }  # fmt: skip
    return Answer(status, {"errors": [{"message": message, "path": [], "extensions": extensions}], "data": None})


BAD_KEY = error(
    401, "AUTHENTICATION_ERROR", "Authentication required, not authenticated",
    "You need to authenticate to access this operation.",
)  # fmt: skip
NO_RIGHTS = error(403, "FORBIDDEN", "Forbidden", "You don't have permission to perform this action.")


class LinearServer(TrackerServer):
    """A team with issues.

    Args:
        token: the key that it knows; sent without a scheme.
        key: of the team.

    Attributes:
        issues: by id; a test may change them by `person`.
        comments: by id, with `issueId` and `body`.
        labels: ids by name.
        can_write: whether the key may write.
    """

    def __init__(
        self,
        token: str,
        key: str = "ENG",
        faults: Iterable[Fault] = (),
        *,
        always: Fault = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(faults, always=always, clock=clock)
        self._token, self.key = token, key
        self.states = [
            {"id": str(uuid4()), "name": name, "type": kind, "position": float(number)}
            for number, (name, kind) in enumerate(zip(STATES, TYPES, strict=True))
        ]
        self.team = {"id": str(uuid4()), "key": key, "name": "Engineering"}
        self.labels: dict[str, str] = {"bug": str(uuid4())}
        self.issues: dict[str, dict[str, Any]] = {}
        self.comments: dict[str, dict[str, Any]] = {}
        self.can_write = True

    def used_up(self, seconds: int = 600) -> Answer:
        """The answer when the requests of the hour are used up: HTTP 400, not 429."""
        reset = str(int((self.clock() + timedelta(seconds=seconds)).timestamp() * 1000))
        said = error(400, "RATELIMITED", "Rate limit exceeded", "Rate limit exceeded. Please try again later.")
        headers = {
            "x-ratelimit-requests-limit": "5000",
            "x-ratelimit-requests-remaining": "0",
            "x-ratelimit-requests-reset": reset,
        }
        return Answer(400, said.body, headers)

    def lost(self, operation: str) -> Callable[[Asked], Answer | None]:
        """A fault: a request with this field is done, and its answer never arrives."""

        def fault(asked: Asked) -> Answer | None:
            if asked.body and operation in asked.body["query"]:
                self.take(asked)
                raise Lost
            return None

        return fault

    def person(self, issue: str, state: str = "", **changed: Any) -> None:
        """Somebody changes an issue in the app: the type of its state, `title`, `labelIds`, `trashed` …"""
        self.issues[issue].update(changed, updatedAt=self.stamp())
        if state:
            self._move(issue, next(each for each in self.states if each["type"] == state))

    def take(self, asked: Asked) -> Answer:
        if asked.path != "/graphql" or asked.method != "POST" or not isinstance(asked.body, dict):
            return Answer(404, "Not found")
        if asked.headers.get("authorization") not in (self._token, f"Bearer {self._token}"):
            return BAD_KEY
        query, given = str(asked.body.get("query", "")), asked.body.get("variables") or {}
        field = re.search(r"\{\s*(\w+)", query)
        name = field[1] if field else ""
        if query.lstrip().startswith("mutation") and not self.can_write:
            return NO_RIGHTS
        known: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "teams": self._teams,
            "issues": self._issues,
            "issue": self._one_issue,
            "comment": self._one_comment,
            "issueCreate": self._create,
            "issueUpdate": self._update,
            "commentCreate": self._say,
        }
        if name not in known:
            return error(400, "GRAPHQL_VALIDATION_FAILED", f'Cannot query field "{name}" on type "Query".', "")
        return known[name](given)

    def _teams(self, given: dict[str, Any]) -> Answer:
        teams = [{**self.team, "states": {"nodes": self.states}}] if given["key"] == self.key else []
        labels = [
            {"id": each, "name": name, "team": None} for name, each in self.labels.items() if name in given["labels"]
        ]
        return _data({"teams": {"nodes": teams}, "issueLabels": {"nodes": labels}})

    def _issues(self, given: dict[str, Any]) -> Answer:
        found = [self._shown(each) for each in given["ids"] if each in self.issues]
        return _data({"issues": {"nodes": found}})

    def _one_issue(self, given: dict[str, Any]) -> Answer:
        if given["id"] not in self.issues:
            return _missing("Issue")
        issue = self.issues[given["id"]]
        spans = [{"startedAt": issue["since"], "state": issue["state"]}]
        team = {**self.team, "states": {"nodes": self.states}}
        return _data({"issue": {"id": given["id"], "team": team, "stateHistory": {"nodes": spans}}})

    def _one_comment(self, given: dict[str, Any]) -> Answer:
        return _data({"comment": {"id": given["id"]}}) if given["id"] in self.comments else _missing("Comment")

    def _create(self, given: dict[str, Any]) -> Answer:
        made = given["input"]
        if wrong := self._wrong_id(made.get("id"), self.issues):
            return wrong
        if made.get("teamId") != self.team["id"]:
            return _missing("Team")
        if not made.get("title"):
            return error(400, "INVALID_INPUT", "Argument Validation Error", "title should not be empty")
        identity, at = made.get("id") or str(uuid4()), self.stamp()
        self.issues[identity] = {
            "title": made["title"],
            "description": made.get("description", ""),
            "labelIds": made.get("labelIds", []),
            "number": len(self.issues) + 1,
            "createdAt": at,
            "updatedAt": at,
            "completedAt": None,
            "canceledAt": None,
            "trashed": None,
            "state": self.states[1],
            "since": at,
        }
        return _data({"issueCreate": {"success": True, "issue": self._shown(identity)}})

    def _update(self, given: dict[str, Any]) -> Answer:
        if given["id"] not in self.issues:
            return _missing("Issue")
        changed = dict(given["input"])
        state = changed.pop("stateId", "")
        self.person(given["id"], **changed)
        if state:
            self._move(given["id"], next(each for each in self.states if each["id"] == state))
        return _data({"issueUpdate": {"success": True, "issue": self._shown(given["id"])}})

    def _say(self, given: dict[str, Any]) -> Answer:
        made = given["input"]
        if wrong := self._wrong_id(made.get("id"), self.comments):
            return wrong
        if made.get("issueId") not in self.issues:
            return _missing("Issue")
        identity = made.get("id") or str(uuid4())
        self.comments[identity] = {"issueId": made["issueId"], "body": made["body"], "createdAt": self.stamp()}
        return _data({"commentCreate": {"success": True, "comment": {"id": identity}}})

    def _move(self, issue: str, state: dict[str, Any]) -> None:
        at = self.stamp()
        times = {
            "completedAt": at if state["type"] == "completed" else None,
            "canceledAt": at if state["type"] == "canceled" else None,
        }
        self.issues[issue].update(state=state, since=at, updatedAt=at, **times)

    def _wrong_id(self, given: str | None, taken: dict[str, Any]) -> Answer | None:
        if given is None:
            return None
        if UUID(given).version != 4:
            return error(400, "INVALID_INPUT", "Argument Validation Error", "id must be a UUID")
        if given in taken:
            return error(400, "INPUT_ERROR", "conflict on insert", "Entity with this id already exists.")
        return None

    def _shown(self, identity: str) -> dict[str, Any]:
        issue = self.issues[identity]
        number = f"{self.key}-{issue['number']}"
        names = ("updatedAt", "completedAt", "canceledAt", "trashed", "state", "title", "description", "labelIds")
        shown = {name: issue[name] for name in names}
        return {
            "id": identity,
            "identifier": number,
            "url": f"https://linear.example/acme/issue/{number}",
            "team": self.team,
            **shown,
        }


def _data(data: dict[str, Any]) -> Answer:
    return Answer(200, {"data": data})


def _missing(kind: str) -> Answer:
    return error(400, "INPUT_ERROR", f"Entity not found: {kind}", f"Could not find referenced {kind}.")
