"""Texts of the demo's coding assistant, with its errors and retries: six planted topics. No logic."""

from llma_assets.demo.topics import Tool, Topic

SLOTS = {
    "module": ("billing", "search", "notifications", "inventory", "reports", "accounts"),
    "function": ("parse_invoice", "rank_results", "send_digest", "merge_orders", "load_profile"),
    "file": ("src/orders.py", "app/api/users.ts", "lib/cache.rs", "core/session.go", "web/cart.tsx"),
    "service": ("payments", "gateway", "scheduler", "image-resizer"),
    "table": ("orders", "events", "customers", "line_items"),
    "library": ("the HTTP client", "the date library", "the ORM", "the router", "the test runner"),
    "version": ("2 to 3", "4.1 to 5.0", "17 to 18", "0.9 to 1.0"),
    "lines": ("42", "118", "7", "305"),
}

SYSTEM = (
    "You are a coding assistant with access to a repository. Read before you edit, keep diffs small, run the "
    "tests after each change, and say so when they fail."
)

_READ = Tool(
    "read_file",
    {"path": "{file}"},
    ("{lines} lines read from {file}", "file opened: {file}, {lines} lines, last change three days ago"),
    "no such file: {file}",
)
_EDIT = Tool(
    "edit_file",
    {"path": "{file}", "summary": "change {function}"},
    ("patch applied to {file}, 1 hunk", "patch applied to {file}, 3 hunks"),
    "patch does not apply: context at line {lines} differs",
)

TOPICS = (
    Topic(
        "failing test",
        1.4,
        (
            "The test of {function} fails in CI but passes on my machine, why?",
            "pytest shows an assertion error for {function} at line {lines}. Please fix it.",
            "Flaky test in {module}: it fails one time in five.",
            "Write unit tests for {function}, with edge cases, and make them pass.",
            "The {module} test suite broke after my last commit.",
        ),
        (("Can you paste the assertion message?", "AssertionError: expected 3 rows, got 4, line {lines}."),),
        (
            _READ,
            _EDIT,
            Tool(
                "run_tests",
                {"path": "tests/{module}"},
                ({"passed": 84, "failed": 0, "seconds": 6.1}, {"passed": 37, "failed": 0, "seconds": 2.4}),
                "1 failed, 83 passed: AssertionError in test_{function} at line {lines}",
            ),
        ),
        (
            "The test of {function} depended on the order of rows; I sorted them and all tests pass now.",
            "Fixed: a fixture leaked state between tests of {module}. The suite is green three times in a row.",
            "I added five unit tests for {function}, among them empty input, and they pass.",
        ),
        (("Why did it pass locally?", "Locally the tests ran in one process, in CI in parallel."),),
        ("The test of {function} still fails after two attempts; the assertion at line {lines} needs you.",),
        0.3,
    ),
    Topic(
        "SQL and migrations",
        1.1,
        (
            "This query on {table} takes 40 seconds, make it faster.",
            "Write a migration that adds a nullable column to {table} without locking it.",
            "Deadlock on {table} when two workers update the same row.",
            "Which index is missing on {table}? The query plan shows a sequential scan.",
        ),
        (("How many rows does the table hold?", "{table} has about 90 million rows."),),
        (
            Tool(
                "explain_query",
                {"table": "{table}"},
                ({"plan": "Seq Scan on {table}", "rows": 90000000}, {"plan": "Index Scan", "rows": 120}),
                "canceling statement due to statement timeout",
            ),
            Tool("run_migration", {"table": "{table}"}, ("migration applied in 2.1 s, no lock waits",)),
        ),
        (
            "A composite index on {table} turns the sequential scan into an index scan: 40 s became 60 ms.",
            "The migration adds the column to {table} first and backfills in batches, so nothing is locked.",
            "Lock the rows of {table} in the order of their key; the deadlock is gone.",
        ),
        (("Will the index slow down inserts?", "By a few per cent; on {table} reads are what hurts."),),
        ("The database cancelled the query plan on {table} twice by timeout. A replica would be needed.",),
        0.25,
    ),
    Topic(
        "dependency upgrade",
        0.9,
        (
            "Upgrade {library} from {version} and fix what breaks.",
            "npm install fails with a peer dependency conflict around {library}.",
            "Which of our packages have known vulnerabilities? Start with {library}.",
            "After bumping {library} the build no longer resolves its lock file.",
        ),
        (),
        (
            Tool(
                "install_packages",
                {"package": "{library}", "range": "{version}"},
                ("resolved 214 packages, 3 deprecated", "lock file updated, 12 packages changed"),
                "could not resolve dependency: conflicting peer versions for {library}",
            ),
            _EDIT,
        ),
        (
            "{library} is upgraded from {version}; two call sites used a removed option and are adapted.",
            "The version conflict came from a pinned transitive package; the lock file resolves now.",
            "Three packages had advisories; the upgrade of {library} closes all of them.",
        ),
        (("Any breaking changes left?", "One deprecation warning of {library}, removed in the next major."),),
        ("The package manager can't resolve {library}: two packages require incompatible versions.",),
        0.3,
    ),
    Topic(
        "container deployment",
        1.0,
        (
            "The {service} pod restarts in a crash loop after the deployment.",
            "Write a Dockerfile for {service} with a small image.",
            "Kubernetes says image pull back-off for {service}.",
            "Set memory limits and a readiness probe for the {service} deployment.",
        ),
        (("Which exit code does the container show?", "137, I think out of memory."),),
        (
            Tool(
                "kubectl",
                {"command": "describe deployment {service}"},
                ({"pods": 3, "ready": 3}, {"pods": 3, "ready": 1, "reason": "OOMKilled"}),
                "Unable to connect to the server: i/o timeout",
            ),
        ),
        (
            "The {service} container was killed for memory; I raised its limit and the pods are ready.",
            "A two-stage Dockerfile brings the {service} image from 1.2 GB to 140 MB.",
            "The registry secret had expired; the {service} pods pull their image again.",
        ),
        (("Roll back to be safe.", "Rolled back the deployment of {service} to the previous revision."),),
        ("The cluster does not answer, so I could not look at the {service} pods. Is the VPN up?",),
        0.25,
    ),
    Topic(
        "refactoring",
        0.9,
        (
            "Split {function} in {file}, it has {lines} lines and does everything.",
            "Rename {function} everywhere and keep a deprecated alias.",
            "Remove the duplicated code between {module} and {file}.",
            "Add type annotations to {file} and make the type checker pass.",
        ),
        (),
        (_READ, _EDIT),
        (
            "I split {function} into three smaller functions with clear names; behaviour is unchanged.",
            "The duplicated code moved into one helper class that {module} and {file} share.",
            "All functions in {file} carry type annotations and the type checker is clean.",
        ),
        (("Is the public interface unchanged?", "Yes, {function} keeps its signature."),),
        ("The patch to {file} no longer applies, somebody changed the function in between.",),
        0.2,
    ),
    Topic(
        "frontend styling",
        0.8,
        (
            "The button in {file} overflows on small screens.",
            "Center the dialog and add a dark mode to the {module} page.",
            "CSS grid on the {module} page jumps when images load.",
            "Make the {module} form accessible for keyboard and screen readers.",
        ),
        (("Which browser shows it?", "Safari on a phone, the others are fine."),),
        (
            _EDIT,
            Tool(
                "screenshot",
                {"page": "/{module}", "width": 375},
                ("screenshot saved, no overflow found", "screenshot saved, layout shift 0.02"),
                "browser did not start: display not found",
            ),
        ),
        (
            "The layout on the {module} page uses a flexible grid now; nothing overflows at 375 pixels.",
            "Dark mode follows the system's colour scheme; the contrast of all text is above 4.5.",
            "Labels, focus order and a visible focus ring make the {module} form accessible.",
        ),
        (("The shadow looks off.", "I softened the shadow and aligned the spacing to 8 pixels."),),
    ),
)
