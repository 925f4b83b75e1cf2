"""Linear's issues by its GraphQL API. Ids of issues and comments are ours, so that one that is sent twice is one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from llma_assets.clock import Clock
from llma_assets.trackers.errors import IssueGone, IssueRefused, Limited, TrackerError, TrackerFault
from llma_assets.trackers.http import Http, Reply
from llma_assets.trackers.protocol import Draft, Issue
from llma_assets.trackers.setting import There, Tracker
from llma_assets.visible import visible

BASE = "https://api.linear.app"
PAGE = 50
WAIT = timedelta(minutes=5)
"""After a limit that does not say how long it lasts."""

_FIELDS = """
    id identifier url updatedAt completedAt canceledAt trashed
    state { type }
    team { id key }
"""

TEAM = """
query Team($key: String!, $labels: [String!]!) {
  teams(filter: { key: { eq: $key } }) {
    nodes { id key name states { nodes { id name type position } } }
  }
  issueLabels(filter: { name: { in: $labels } }) { nodes { id name team { key } } }
}
"""

ISSUES = f"""
query Issues($ids: [ID!]!) {{
  issues(filter: {{ id: {{ in: $ids }} }}, first: {PAGE}, includeArchived: true) {{ nodes {{ {_FIELDS} }} }}
}}
"""

CREATE = f"""
mutation Create($input: IssueCreateInput!) {{
  issueCreate(input: $input) {{ success issue {{ {_FIELDS} }} }}
}}
"""

UPDATE = f"""
mutation Update($id: String!, $input: IssueUpdateInput!) {{
  issueUpdate(id: $id, input: $input) {{ success issue {{ {_FIELDS} }} }}
}}
"""

STATES = """
query States($id: String!) {
  issue(id: $id) { team { states { nodes { id name type position } } } }
}
"""

HISTORY = """
query History($id: String!) {
  issue(id: $id) { stateHistory(last: 1) { nodes { startedAt state { type } } } }
}
"""

COMMENT = "query Comment($id: String!) { comment(id: $id) { id } }"

SAY = """
mutation Say($input: CommentCreateInput!) {
  commentCreate(input: $input) { success comment { id } }
}
"""

_CLOSED: Mapping[str, There] = {"completed": "completed", "canceled": "canceled", "duplicate": "duplicate"}
_TYPES: Mapping[There, Sequence[str]] = {
    "open": ("unstarted", "backlog", "triage", "started"),
    "completed": ("completed",),
    "not_planned": ("canceled",),
    "canceled": ("canceled",),
    "duplicate": ("canceled",),  # `duplicate` is kept by Linear itself
}


class Linear(Http):
    """A team of Linear, for a `with` block."""

    def __init__(self, setting: Tracker, token: str, base: str, clock: Clock) -> None:
        self._setting = setting
        self._team: Mapping[str, Any] = {}
        self._labels: list[str] = []
        # An API key stands alone, a token of OAuth has a scheme.
        authorization = token if token.startswith(("lin_api_", "Bearer ")) else f"Bearer {token}"
        headers = {"Authorization": authorization, "Accept": "application/json"}
        super().__init__(base or BASE, setting.address_env or "Linear", headers, clock)

    def test(self) -> list[str]:
        """What is right about the token, the team and its workflow, in words."""
        data = self._ask(TEAM, key=self._setting.project, labels=list(self._setting.labels))
        teams = data["teams"]["nodes"]
        if not teams:
            why = f"there is no team {self._setting.project}, or the token in {self._setting.token_env} may not see it"
            raise TrackerFault("not_found", why)
        self._team = teams[0]
        labels = [
            each for each in data["issueLabels"]["nodes"] if (each.get("team") or {}).get("key", self._team["key"])
            == self._team["key"]
        ]  # fmt: skip
        self._labels = [str(each["id"]) for each in labels]
        missing = sorted(set(self._setting.labels) - {str(each["name"]) for each in labels})
        if missing:
            self.notice = f"Linear has no label {', '.join(missing)}; issues are made without"
        states = [each["name"] for each in sorted(self._team["states"]["nodes"], key=lambda each: each["position"])]
        lines = [f"team {visible(str(self._team['name']), '')} answers, with the states {', '.join(states)}"]
        return [*lines, *([self.notice] if self.notice else [])]

    def find(self, draft: Draft) -> Issue | None:
        """The issue with the id of a draft."""
        found = self.look([str(draft.link_id)])[str(draft.link_id)]
        return found if isinstance(found, Issue) else None

    def create(self, draft: Draft) -> Issue:
        """Make an issue under our id."""
        if not self._team:
            self.test()
        given = {
            "id": str(draft.link_id),
            "teamId": self._team["id"],
            "title": draft.title,
            "description": draft.body,
            "labelIds": self._labels,
        }
        try:
            return self._issue(self._ask(CREATE, input=given)["issueCreate"]["issue"])
        except IssueRefused:
            # Somebody was quicker with the same id.
            if there := self.find(draft):
                return there
            raise

    def look(self, issues: Sequence[str]) -> Mapping[str, Issue | TrackerError]:
        """Issues as they are now, fifty a request, or that one was deleted."""
        gone = IssueGone("the issue was deleted")
        found: dict[str, Issue | TrackerError] = dict.fromkeys(issues, gone)
        for first in range(0, len(issues), PAGE):
            part = list(issues[first : first + PAGE])
            for each in self._ask(ISSUES, ids=part)["issues"]["nodes"]:
                found[str(each["id"])] = gone if each.get("trashed") else self._issue(each)
        return found

    def set_state(self, issue: str, state: There) -> Issue:
        """Bring an issue into the first state of the workflow that fits."""
        nodes = (self._ask(STATES, id=issue)["issue"] or {}).get("team", {}).get("states", {}).get("nodes", [])
        ordered = sorted(nodes, key=lambda each: each["position"])
        for kind in _TYPES[state]:
            for each in ordered:
                if each["type"] == kind:
                    return self._issue(
                        self._ask(UPDATE, id=issue, input={"stateId": each["id"]})["issueUpdate"]["issue"]
                    )
        raise IssueRefused(f"the workflow of the team has no state for {state.replace('_', ' ')}")

    def comment(self, issue: str, note_id: UUID, body: str, tried: timedelta | None) -> str:
        """Comment on an issue under our id; what was tried before is looked for first."""
        if tried is not None and self._has_comment(note_id):
            return str(note_id)
        try:
            self._ask(SAY, input={"id": str(note_id), "issueId": issue, "body": body})
        except IssueRefused:
            if self._has_comment(note_id):
                return str(note_id)
            raise
        return str(note_id)

    def state_since(self, issue: Issue) -> datetime:
        """When it came into its state, by its history."""
        spans = (self._ask(HISTORY, id=issue.issue)["issue"] or {}).get("stateHistory", {}).get("nodes", [])
        return _moment(str(spans[-1]["startedAt"])) if spans else issue.changed_at

    def _has_comment(self, note_id: UUID) -> bool:
        try:
            return bool(self._ask(COMMENT, id=str(note_id)).get("comment"))
        except IssueGone:
            return False

    def _issue(self, said: Mapping[str, Any]) -> Issue:
        try:
            state = _CLOSED.get(str(said["state"]["type"]), "open")
            times = {"completed": said.get("completedAt"), "canceled": said.get("canceledAt")}
            at = times.get(state) or said["updatedAt"]
            url = str(said.get("url") or "")
            shown = visible(str(said["identifier"]), "")[:40]
            return Issue(str(said["id"]), shown, url if url.startswith("http") else "", state, _moment(str(at)))
        except (KeyError, ValueError, TypeError):
            raise TrackerFault("unreachable", "the answer is no issue of Linear's API; look at the address") from None

    def _ask(self, query: str, **variables: Any) -> Mapping[str, Any]:
        """The data of an answer without errors.

        Raises:
            IssueGone: something that the variables name is not there.
            IssueRefused: the input is not taken.
        """
        reply = self.call("POST", "/graphql", {"query": query, "variables": variables})
        said = reply.data if isinstance(reply.data, dict) else {}
        errors = said.get("errors") or []
        if errors or not 200 <= reply.status < 300 or not isinstance(said.get("data"), dict):
            self._explain(reply, errors)
        data: Mapping[str, Any] = said["data"]
        return data

    def _explain(self, reply: Reply, errors: Sequence[Mapping[str, Any]]) -> None:
        first = errors[0] if errors and isinstance(errors[0], dict) else {}
        extensions = first.get("extensions") or {}
        code = str(extensions.get("code") or "")
        message = visible(str(first.get("message") or ""), "")[:100]
        if code == "RATELIMITED" or reply.status == 429:
            raise Limited(self._until(reply), "the requests to Linear are used up for now")
        if code == "AUTHENTICATION_ERROR" or reply.status == 401:
            raise TrackerFault("token", f"Linear does not know the token in {self._setting.token_env}")
        if code == "FORBIDDEN" or reply.status == 403:
            raise TrackerFault(
                "scope", f"the token in {self._setting.token_env} may not do this; it has to write issues"
            )
        if message.startswith("Entity not found"):
            raise IssueGone("the issue was deleted")
        if code in ("INPUT_ERROR", "INVALID_INPUT", "USER_ERROR") or extensions.get("userError"):
            raise IssueRefused(f"Linear does not take it: {message or code}")
        raise TrackerFault("unreachable", f"HTTP {reply.status}" + (f", {code[:40]}" if code else ""))

    def _until(self, reply: Reply) -> datetime:
        now = self._clock()
        wait = reply.headers.get("retry-after", "")
        if wait.isdigit():
            return now + timedelta(seconds=int(wait))
        offset = timedelta(seconds=self.clock_offset_s)
        # Milliseconds, by Linear's clock; of two budgets the one that is used up.
        for kind in ("requests", "complexity", "endpoint-requests"):
            left, reset = (reply.headers.get(f"x-ratelimit-{kind}-{each}", "") for each in ("remaining", "reset"))
            if left == "0" and reset.isdigit():
                until = datetime.fromtimestamp(int(reset) / 1000, UTC) - offset
                return max(until, now + timedelta(seconds=1))
        return now + WAIT


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
