"""GitHub's issues by its REST API (version 2022-11-28, which GitHub Enterprise Server has, too).

An issue is found again by a marker in its body: by the search, which is late by some seconds, and by the list of what
was made since it was wished, which is not.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from llma_assets.clock import Clock
from llma_assets.trackers.errors import IssueGone, IssueRefused, Limited, TrackerError, TrackerFault
from llma_assets.trackers.http import Http, Reply
from llma_assets.trackers.protocol import Draft, Issue
from llma_assets.trackers.setting import There, Tracker
from llma_assets.trackers.wording import mark_of, marked, marker_of
from llma_assets.visible import visible

BASE = "https://api.github.com"
VERSION = "2022-11-28"
PAGE, MOST_PAGES = 100, 10
MARGIN = timedelta(minutes=10)
SECONDARY_WAIT = timedelta(minutes=1)
"""After a secondary limit that does not say how long it lasts; GitHub asks for a minute at least."""


class GitHub(Http):
    """A repository of GitHub, for a `with` block."""

    def __init__(self, setting: Tracker, token: str, base: str, clock: Clock) -> None:
        self._setting = setting
        self._project = ""
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": VERSION,
        }
        super().__init__(base or BASE, setting.address_env or "GitHub", headers, clock)

    def test(self) -> list[str]:
        """What is right about the token, the repository and the permissions, in words."""
        said = self._repository()
        can = said.get("permissions") or {}
        lines = [f"{said['full_name']} answers, and the token may see it"]
        if can and not any(can.get(each) for each in ("push", "triage", "maintain", "admin")):
            lines.append("the token may perhaps not close issues: it has no more than the right to read the repository")
        return [*lines, *([self.notice] if self.notice else [])]

    def find(self, draft: Draft) -> Issue | None:
        """The issue with the marker of a draft; the oldest of several, because others can copy a text."""
        name, marker = self._name(), marker_of(draft.link_id)
        query = f'"{mark_of(draft.link_id)}" repo:{name} is:issue in:body'
        reply = self._call("GET", "/search/issues", params={"q": query, "per_page": "20"}, refused=True)
        found = [] if reply.status == 422 else list(_mapping(reply.data).get("items") or [])
        since = self._there() - draft.age - MARGIN
        found += self._pages(
            f"/repos/{name}/issues",
            {"state": "all", "sort": "created", "direction": "desc", "since": _stamp(since)},
        )
        ours = [each for each in found if marker in str(each.get("body") or "") and not each.get("pull_request")]
        return self._issue(min(ours, key=lambda each: int(each["number"]))) if ours else None

    def create(self, draft: Draft) -> Issue:
        """Make an issue with its marker."""
        body = {"title": draft.title, "body": marked(draft.body, draft.link_id), "labels": list(draft.labels)}
        return self._issue(self._call("POST", f"/repos/{self._name()}/issues", body).data)

    def look(self, issues: Sequence[str]) -> Mapping[str, Issue | TrackerError]:
        """Issues as they are now, or that one was deleted or is not shown."""
        found: dict[str, Issue | TrackerError] = {}
        for each in issues:
            try:
                found[each] = self._issue(self._call("GET", _path(each)).data)
            except (IssueGone, IssueRefused) as error:
                found[each] = error
        return found

    def set_state(self, issue: str, state: There) -> Issue:
        """Open or close an issue."""
        reason = {"open": "reopened", "completed": "completed", "duplicate": "duplicate"}.get(state, "not_planned")
        body = {"state": "open" if state == "open" else "closed", "state_reason": reason}
        return self._issue(self._call("PATCH", _path(issue), body).data)

    def comment(self, issue: str, note_id: UUID, body: str, tried: timedelta | None) -> str:
        """Comment on an issue; what was tried before is looked for first."""
        path = f"{_path(issue)}/comments"
        if tried is not None:
            since = _stamp(self._there() - tried - MARGIN)
            for each in self._pages(path, {"since": since}):
                if marker_of(note_id) in str(each.get("body") or ""):
                    return str(each["id"])
        return str(self._call("POST", path, {"body": marked(body, note_id)}).data["id"])

    def state_since(self, issue: Issue) -> datetime:
        """Of a closed issue its own time, of an open one when it was last reopened."""
        if issue.state != "open":
            return issue.changed_at
        events = self._pages(f"{_path(issue.issue)}/events", {})
        times = [str(each["created_at"]) for each in events if each.get("event") == "reopened"]
        return _moment(times[-1]) if times else issue.changed_at

    def _repository(self) -> Mapping[str, Any]:
        reply = self._call("GET", f"/repos/{self._setting.project}", whole=True)
        said = _mapping(reply.data)
        name = str(said.get("full_name") or self._setting.project)
        if name.lower() != self._setting.project.lower():
            self.notice = f"{self._setting.project} is called {name} now: write `project: {name}` into the file"
        if said.get("has_issues") is False:
            raise TrackerFault("disabled", f"the issues of {name} are switched off")
        if said.get("archived"):
            raise TrackerFault("disabled", f"{name} is archived")
        self._project = name
        return {"full_name": name, **said}

    def _name(self) -> str:
        """The repository's present name."""
        if not self._project:
            self._repository()
        return self._project

    def _there(self) -> datetime:
        """The present moment by the tracker's clock."""
        return self._clock() + timedelta(seconds=self.clock_offset_s)

    def _pages(self, path: str, params: Mapping[str, str]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            data = self._call("GET", path, params={**params, "per_page": str(PAGE), "page": str(page)}).data
            part = data if isinstance(data, list) else []
            found += part
            if len(part) < PAGE:
                break
        return found

    def _issue(self, data: Any) -> Issue:
        said = _mapping(data)
        try:
            number, is_open = int(said["number"]), said["state"] == "open"
            name = "/".join(str(said["repository_url"]).rsplit("/", 2)[-2:])
            closed = {"not_planned": "not_planned", "duplicate": "duplicate"}.get(str(said.get("state_reason")))
            state: There = "open" if is_open else closed or "completed"  # type: ignore[assignment]
            at = said["updated_at"] if is_open else said.get("closed_at") or said["updated_at"]
            shown = f"{name}#{number}"
            return Issue(shown, shown, _web(said.get("html_url")), state, _moment(str(at)))
        except (KeyError, ValueError, TypeError):
            raise TrackerFault("unreachable", "the answer is no issue of GitHub's API; look at the address") from None

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        whole: bool = False,
        refused: bool = False,
    ) -> Reply:
        """One request.

        Args:
            whole: it is about the repository, not about an issue.
            refused: HTTP 422 is an answer.
        """
        reply = self.call(method, path, body, params)
        status, words = reply.status, _words(reply.data)
        if 200 <= status < 300 or (refused and status == 422):
            return reply
        if limit := self._limit(reply, words):
            raise limit
        if status == 401:
            raise TrackerFault("token", f"GitHub does not know the token in {self._setting.token_env} (HTTP 401)")
        if status == 403 and "locked" in words.lower():
            raise IssueRefused("the conversation of the issue is locked")
        if status == 403:
            needs = "it needs the permission to write issues"
            raise TrackerFault("scope", f"the token in {self._setting.token_env} may not do this: {needs} (HTTP 403)")
        if status == 410 and "disabled" in words.lower():
            raise TrackerFault("disabled", f"the issues of {self._setting.project} are switched off")
        if status == 404 and whole:
            why = f"there is no repository {self._setting.project}, or the token in {self._setting.token_env}"
            raise TrackerFault("not_found", f"{why} may not see it (HTTP 404)")
        if status == 404:
            self._repository()  # what is not found may be all of it
            raise IssueRefused(
                "GitHub does not show the issue (HTTP 404): it was moved to where the token may not look"
            )
        if status == 410:
            raise IssueGone("the issue was deleted")
        if status == 422:
            raise IssueRefused(f"GitHub does not take it: {words or 'HTTP 422'}")
        raise TrackerFault("unreachable", f"HTTP {status}")

    def _limit(self, reply: Reply, words: str) -> Limited | None:
        """The limit that an answer tells of."""
        if reply.status not in (403, 429):
            return None
        now, wait = self._clock(), reply.headers.get("retry-after", "")
        if wait.isdigit():
            return Limited(now + timedelta(seconds=int(wait)), "GitHub asks to wait (Retry-After)")
        if reply.headers.get("x-ratelimit-remaining") == "0":
            reset = reply.headers.get("x-ratelimit-reset", "")
            # By GitHub's clock.
            at = datetime.fromtimestamp(int(reset), UTC) if reset.isdigit() else self._there() + SECONDARY_WAIT
            until = at - timedelta(seconds=self.clock_offset_s)
            return Limited(max(until, now + timedelta(seconds=1)), "the hour's requests to GitHub are used up")
        if reply.status == 429 or "rate limit" in words.lower():
            return Limited(now + SECONDARY_WAIT, "GitHub's secondary limit is reached")
        return None


def _path(issue: str) -> str:
    name, _, number = issue.rpartition("#")
    return f"/repos/{quote(name)}/issues/{int(number)}"


def _mapping(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, dict) else {}


def _words(data: Any) -> str:
    return visible(str(_mapping(data).get("message") or ""), "")[:100]


def _web(url: Any) -> str:
    text = str(url or "")
    return text if text.startswith(("https://", "http://")) else ""


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
