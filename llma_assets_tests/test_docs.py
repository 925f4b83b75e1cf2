"""The documents keep their word: links lead somewhere, and commands, options, variables and settings exist."""

import dataclasses
import re
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import click
import pytest

from llma_assets.cli.main import cli
from llma_assets.clickhouse import Database
from llma_assets.ingest import ingest
from llma_assets.teams import TeamOptions, TeamSettings

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/results/*.md")])
GUIDES = [page for page in PAGES if "benchmarks" not in page.parts]
CLI, CONFIGURATION = ROOT / "docs" / "cli.md", ROOT / "docs" / "configuration.md"
README_LINES = 130

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")
NOT_OURS = ("LLMA_ASSETS",)
# What ClickHouse, Python and Dagster print.
OF_OTHERS = ("UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE", "TOO_FEW_LIVE_REPLICAS", "No module named 'psycopg", "STARTED")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = [re.sub(r"[`*]|\]\([^)]*\)|\[", "", title) for title in HEADING.findall(prose(page))]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(page: Path) -> Iterator[str]:
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists():
            yield f"{target}: no such file"
        elif anchor and found.suffix == ".md" and anchor not in anchors(found):
            yield f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_images_lead_to_files_and_headings_that_exist(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One `two` (3)\n[a](#one-two-3) [b](#four) ![c](c.png) [d](https://example.com) [e](page.md#four)\n"
    )
    assert list(broken_links(page)) == [
        "#four: no such heading",
        "c.png: no such file",
        "page.md#four: no such heading",
    ]


def test_every_page_of_the_docs_is_reached_from_the_readme() -> None:
    linked = {target.partition("#")[0] for target in LINK.findall(prose(ROOT / "README.md"))}
    assert {name(page) for page in ROOT.glob("docs/*.md")} <= linked


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < README_LINES


@cache
def commands() -> dict[tuple[str, ...], click.Command]:
    """Every command of `llma` by its words."""
    found: dict[tuple[str, ...], click.Command] = {}

    def walk(command: click.Command, words: tuple[str, ...]) -> None:
        found[words] = command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for word in command.list_commands(context):
                inner = command.get_command(context, word)
                assert inner is not None
                walk(inner, (*words, word))

    walk(cli, ())
    return found


def options(command: click.Command) -> set[str]:
    return {option for each in command.params if isinstance(each, click.Option) for option in each.opts}


def examples(page: Path) -> Iterator[str]:
    """The command lines of `llma` in a page: in its examples without comments and quoted words, and in its text."""
    for language, block in FENCE.findall(page.read_text("utf-8")):
        if language in ("", "sh", "bash"):
            for line in block.splitlines():
                bare = re.sub(r"\"[^\"]*\"?|'[^']*'?", "QUOTED", line.partition("  #")[0])
                for part in re.split(r"&&|[|;]|\$\(", bare):
                    if part.strip().startswith("llma "):
                        yield part.strip()
    named = re.findall(r"`(llma [a-z][^`\n,…]*)…?`", prose(page)) if page.name != "CHANGELOG.md" else []
    yield from (line.strip(" …") for line in named if tuple(line.split()[1:]) not in commands())


def faults(line: str) -> Iterator[str]:
    words: tuple[str, ...] = ()
    for word in line.split()[1:]:
        if (*words, word) not in commands():
            break
        words = (*words, word)
    command = commands()[words]
    if line.startswith("llma --"):
        return
    if not words or (isinstance(command, click.Group) and not command.invoke_without_command):
        yield f"{line}: no such command"
    known = options(command) | {"--json", "--help"}
    yield from (f"{line}: no option {each}" for each in OPTION.findall(line) if each not in known)


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_commands_and_options_of_examples_exist(page: Path) -> None:
    assert [fault for line in examples(page) for fault in faults(line)] == []


def test_a_wrong_command_or_option_is_found() -> None:
    assert list(faults("llma nonsense --team 1")) == ["llma nonsense --team 1: no such command", *unknown("nonsense")]
    assert list(faults("llma themes nonsense")) == ["llma themes nonsense: no such command"]
    assert list(faults("llma skips --days 3")) == ["llma skips --days 3: no option --days"]


def unknown(word: str) -> list[str]:
    return [f"llma {word} --team 1: no option --team"]


def test_the_reference_has_every_command_and_every_option() -> None:
    found = re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", CLI.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(found) >= len(cli.list_commands(click.Context(cli)))
    missing = []
    for words, command in commands().items():
        if not words or (isinstance(command, click.Group) and not command.invoke_without_command):
            continue
        text = "\n".join(title + body for title, body in found if title.split(" ")[:2] == ["llma", words[0]])
        missing += [" ".join(words)] * (not all(re.search(rf"\b{word}\b", text) for word in words[1:]) or not text)
        missing += [
            f"{' '.join(words)} {'/'.join(each.opts)}"
            for each in command.params
            if isinstance(each, click.Option) and not {"--json", "--help", *OPTION.findall(text)} & set(each.opts)
        ]
    assert missing == []


def test_every_variable_that_the_code_reads_is_documented() -> None:
    sources = [*ROOT.glob("llma_assets/**/*.py"), ROOT / "Makefile"]
    read = {each for path in sources for each in re.findall(r"\bLLMA_[A-Z_]+\b", path.read_text("utf-8"))}
    documented = set(re.findall(r"`([A-Z_]+)`", CONFIGURATION.read_text("utf-8")))
    assert {each for each in read if not each.startswith(NOT_OURS)} <= documented


def test_every_setting_of_teams_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (\S+) \|", CONFIGURATION.read_text("utf-8"), re.MULTILINE))
    fields = [*dataclasses.fields(TeamSettings), *dataclasses.fields(TeamOptions)]
    assert set(rows) == {each.name for each in fields} - {"options", "team_options", "unusable"}
    for each in fields:
        if isinstance(each.default, bool):
            assert rows[each.name] == str(each.default).lower()
        elif isinstance(each.default, int | float):
            assert float(rows[each.name]) == each.default


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        target
        for page in GUIDES
        for target in re.findall(r"(?:^|`)make ([a-z-]+)(?=[ `\n])", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {"demo", "test"} <= named <= targets


def test_modules_and_files_that_guides_name_exist() -> None:
    missing = []
    for page in GUIDES:
        paths = re.findall(r"`((?:llma_assets|llma_assets_tests|benchmarks)/[\w./-]+)`", page.read_text("utf-8"))
        concrete = [path for path in paths if "NAME" not in path and "NNNN" not in path]
        missing += [f"{name(page)}: {path}" for path in concrete if not (ROOT / path).exists()]
        for module in re.findall(r"python -m ((?:llma_assets|benchmarks)[\w.]*\w)", page.read_text("utf-8")):
            path = ROOT.joinpath(*module.split("."))
            program = next((each for each in (path / "__main__.py", path.with_suffix(".py")) if each.exists()), None)
            if not program or (program.stem != "__main__" and '"__main__"' not in program.read_text("utf-8")):
                missing.append(f"{name(page)}: {module} cannot be run")
    assert missing == []


def test_what_the_runbook_quotes_is_what_is_printed() -> None:
    sources = "\n".join(each.read_text("utf-8") for each in ROOT.glob("llma_assets/**/*.py"))
    runbook = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("## Troubleshooting")[2]
    quoted = re.findall(r"`([^`]+)`", "\n".join(re.findall(r"^\| (.+?) \|", runbook, re.MULTILINE)))
    pieces = [piece.strip(" \"'") for each in quoted for piece in re.split(r"…|[\d{}=:,]+|_total$", each)]
    assert [each for each in pieces if len(each) > 3 and each not in sources and each not in OF_OTHERS] == []


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "getting-started.md"], ids=name)
def test_the_event_that_is_to_be_pasted_is_stored(page: Path, database: Database) -> None:
    (pasted,) = re.findall(r"<<'EOF'\n(.*?)\nEOF$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    report = ingest(BytesIO(pasted.encode()), database, rejects=None, strict=True)
    assert (report.inserted, list(report.teams)) == (1, [1])


def test_the_example_of_clustering_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = ROOT / "docs" / "clustering.md"
    (example,) = [block for language, block in FENCE.findall(page.read_text("utf-8")) if language == "python"]
    exec(compile(example, str(page), "exec"), {})
    assert capsys.readouterr().out == "5 clusters, 0 outliers, stability 1.0\n"
