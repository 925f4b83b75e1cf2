"""Issues of GitHub as its REST API has them (2022-11-28): one repository, which can be renamed.

Answers have the shapes of the real one: 401, 403 (scope, primary and secondary limit), 404, 410 (deleted, issues
disabled), 301 and 307 after a renaming, a search that is late, pages of a hundred.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from llma_assets.testing.alert_servers import Answer
from llma_assets.testing.tracker_servers import Asked, Fault, Lost, TrackerServer

DOCUMENTATION = "https://docs.github.com/rest"
BAD_TOKEN = Answer(401, {"message": "Bad credentials", "documentation_url": DOCUMENTATION, "status": "401"})
NO_SCOPE = Answer(
    403, {"message": "Resource not accessible by personal access token", "documentation_url": DOCUMENTATION}
)
SECONDARY_LIMIT = Answer(
    403,
    {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."},
    {"Retry-After": "60"},
)
_NOT_FOUND = Answer(404, {"message": "Not Found", "documentation_url": DOCUMENTATION, "status": "404"})
_REPOSITORY_ID = 1300192


class GitHubServer(TrackerServer):
    """A repository with issues.

    Args:
        token: the one that it knows.
        project: `owner/name`.
        search_delay: so long after its creation the search finds an issue.

    Attributes:
        issues: by number, as the API gives them; a test may change them as a person would.
        comments: by number of the issue.
        events: by number of the issue.
        renamed_to: the repository's new name.
        has_issues: whether issues are switched on.
        can_write: whether the token may write.
    """

    prefix = "/api/v3"

    def __init__(
        self,
        token: str,
        project: str = "acme/app",
        faults: Iterable[Fault] = (),
        *,
        always: Fault = None,
        search_delay: timedelta = timedelta(seconds=30),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(faults, always=always, clock=clock)
        self._token, self.project, self._search_delay = token, project, search_delay
        self.issues: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.events: dict[int, list[dict[str, Any]]] = {}
        self.deleted: set[int] = set()
        self.renamed_to = ""
        self.has_issues = True
        self.can_write = True
        self._comment_ids = 1000

    def used_up(self, seconds: int = 600) -> Answer:
        """The answer when the requests of the hour are used up."""
        reset = int((self.clock() + timedelta(seconds=seconds)).timestamp())
        headers = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
        return Answer(403, {"message": "API rate limit exceeded for user ID 1."}, headers)

    def lost(self, method: str) -> Callable[[Asked], Answer | None]:
        """A fault: a request of the method is done, and its answer never arrives."""

        def fault(asked: Asked) -> Answer | None:
            if asked.method == method:
                self.take(asked)
                raise Lost
            return None

        return fault

    def person(self, number: int, **changed: Any) -> None:
        """Somebody changes an issue on the site: `state`, `state_reason`, `title`, `labels` …"""
        self._change(number, changed)

    def delete(self, number: int) -> None:
        """An administrator deletes an issue."""
        self.issues.pop(number)
        self.deleted.add(number)

    def take(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {self._token}":
            return BAD_TOKEN
        path = asked.path.removeprefix(self.prefix)
        if path == "/search/issues":
            return self._search(asked)
        found = re.fullmatch(r"/(?:repos/([^/]+/[^/]+)|repositories/(\d+))(/.*)?", path)
        name, rest = (found[1] or "", found[3] or "") if found else ("", "")
        by_id = found is not None and found[2] == str(_REPOSITORY_ID)
        if self.renamed_to and name.lower() == self.project.lower():
            return self._elsewhere(asked, rest)
        is_this = by_id or name.lower() == (self.renamed_to or self.project).lower()
        return self._repository(asked, rest) if is_this else _NOT_FOUND

    def _elsewhere(self, asked: Asked, rest: str) -> Answer:
        target = f"{self.base}/repositories/{_REPOSITORY_ID}{rest}"
        status = 301 if asked.method == "GET" else 307
        said = "Moved Permanently" if status == 301 else "Temporary Redirect"
        return Answer(status, {"message": said, "url": target}, {"Location": target})

    def _repository(self, asked: Asked, rest: str) -> Answer:
        if not rest:
            rights = {"admin": False, "push": self.can_write, "triage": self.can_write, "pull": True}
            name = self.renamed_to or self.project
            return Answer(200, {"full_name": name, "has_issues": self.has_issues, "permissions": rights})
        if not self.has_issues:
            return Answer(410, {"message": "Issues are disabled for this repo", "documentation_url": DOCUMENTATION})
        if asked.method != "GET" and not self.can_write:
            return NO_SCOPE
        if rest == "/issues":
            return self._create(asked.body) if asked.method == "POST" else self._list(asked, [*self.issues.values()])
        found = re.fullmatch(r"/issues/(\d+)(/comments|/events)?", rest)
        return self._of_issue(asked, int(found[1]), found[2] or "") if found else _NOT_FOUND

    def _of_issue(self, asked: Asked, number: int, part: str) -> Answer:
        if number in self.deleted:
            return Answer(410, {"message": "This issue was deleted", "documentation_url": DOCUMENTATION})
        if number not in self.issues:
            return _NOT_FOUND
        if part == "/events":
            return self._list(asked, self.events[number])
        if part == "/comments":
            return self._comment(number, asked) if asked.method == "POST" else self._list(asked, self.comments[number])
        if asked.method == "PATCH":
            self._change(number, asked.body)
        return Answer(200, self._shown(number))

    def _create(self, body: Any) -> Answer:
        if not isinstance(body, dict) or not body.get("title") or len(body["title"]) > 256:
            errors = [{"resource": "Issue", "field": "title", "code": "missing_field"}]
            return Answer(422, {"message": "Validation Failed", "errors": errors})
        number, at = len(self.issues) + len(self.deleted) + 1, self.stamp()
        self.issues[number] = {
            "number": number,
            "title": body["title"],
            "body": body.get("body"),
            "state": "open",
            "state_reason": None,
            "labels": [{"name": each} for each in body.get("labels", [])],
            "assignees": [],
            "created_at": at,
            "updated_at": at,
            "closed_at": None,
        }
        self.comments[number], self.events[number] = [], []
        return Answer(201, self._shown(number))

    def _change(self, number: int, body: dict[str, Any]) -> None:
        issue, at = self.issues[number], self.stamp()
        before = issue["state"]
        issue.update(body)
        issue["updated_at"] = at
        if issue["state"] == "closed" and before == "open":
            issue["closed_at"] = at
            issue["state_reason"] = body.get("state_reason") or "completed"
            self.events[number].append({"event": "closed", "created_at": at})
        if issue["state"] == "open" and before == "closed":
            issue["closed_at"] = None
            issue["state_reason"] = "reopened"
            self.events[number].append({"event": "reopened", "created_at": at})

    def _comment(self, number: int, asked: Asked) -> Answer:
        if self.issues[number].get("locked"):
            return Answer(403, {"message": "Unable to create comment because issue is locked."})
        self._comment_ids += 1
        at = self.stamp()
        made = {"id": self._comment_ids, "body": asked.body["body"], "created_at": at, "updated_at": at}
        self.comments[number].append(made)
        self.issues[number]["updated_at"] = at
        return Answer(201, made)

    def _list(self, asked: Asked, rows: list[dict[str, Any]]) -> Answer:
        since = asked.query.get("since", "")
        chosen = [each for each in rows if not since or datetime.fromisoformat(each["updated_at"]) >= _moment(since)]
        if asked.query.get("direction") == "desc":
            chosen.reverse()
        size, page = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
        part = chosen[(page - 1) * size : page * size]
        return Answer(200, [self._shown(each["number"]) if "number" in each else each for each in part])

    def _search(self, asked: Asked) -> Answer:
        query = asked.query.get("q", "")
        repo, words = re.search(r"repo:(\S+)", query), re.search(r'"([^"]+)"', query)
        if repo is None or repo[1].lower() != (self.renamed_to or self.project).lower():
            said = "The listed users and repositories cannot be searched either because the resources do not exist"
            return Answer(422, {"message": "Validation Failed", "errors": [{"message": said}]})
        late = self.clock() - self._search_delay
        items = [
            self._shown(number)
            for number, each in self.issues.items()
            if words and words[1] in str(each["body"]) and _moment(each["created_at"]) <= late
        ]
        return Answer(200, {"total_count": len(items), "incomplete_results": False, "items": items})

    def _shown(self, number: int) -> dict[str, Any]:
        name = self.renamed_to or self.project
        return {
            **self.issues[number],
            "repository_url": f"{self.base}/repos/{name}",
            "html_url": f"https://github.example/{name}/issues/{number}",
            "comments": len(self.comments[number]),
        }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
