"""The files in deploy/: they say the same as the shipped ones, and every command, option and path in them exists.

No container engine runs here: what is built and started by them was not.
"""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from llma_assets.cli.lazy import LazyGroup
from llma_assets.cli.main import cli
from llma_assets.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
IN_IMAGE = {"/opt/llma/bin/with-secrets": "with-secrets", "/etc/llma/workspace.yaml": "workspace.yaml"}


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text("utf-8"))
    return found


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its arguments, lines joined."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text("utf-8"))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def written() -> list[Path]:
    """What stands in the folder, without what Python makes of it."""
    return [path for path in DEPLOY.rglob("*") if "__pycache__" not in path.parts]


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = document("compose.yaml")["services"]
    return found


def test_dagster_is_set_as_the_shipped_file_sets_it_but_for_its_tables() -> None:
    deployed, shipped = document("dagster.yaml"), yaml.safe_load((ROOT / "dagster.yaml").read_text())
    storage = deployed.pop("storage")["postgres"]["postgres_db"]
    assert deployed == shipped
    assert storage.pop("scheme") == "postgresql+psycopg2"
    assert all(isinstance(value, dict) and value["env"].startswith("DAGSTER_PG_") for value in storage.values())


def test_the_chart_limits_runs_as_the_shipped_file_does() -> None:
    shipped, values = yaml.safe_load((ROOT / "dagster.yaml").read_text()), document("helm/values.yaml")
    runs, chart = shipped["concurrency"]["runs"], values["concurrency"]
    assert chart["runs"]["maxConcurrentRuns"] == runs["max_concurrent_runs"]
    assert chart["runs"]["tagConcurrencyLimits"] == runs["tag_concurrency_limits"]
    assert chart["pools"] == {
        "defaultLimit": shipped["concurrency"]["pools"]["default_limit"],
        "granularity": shipped["concurrency"]["pools"]["granularity"],
    }
    daemon = values["dagsterDaemon"]
    assert daemon["runMonitoring"]["maxRuntimeSeconds"] == shipped["run_monitoring"]["max_runtime_seconds"]
    assert daemon["runRetries"]["maxRetries"] == shipped["run_retries"]["max_retries"]
    for kind in ("schedule", "sensor"):
        purged = values["retention"][kind]["purgeAfterDays"]
        assert shipped["retention"][kind]["purge_after_days"].items() <= purged.items()


def test_no_secret_stands_in_a_file() -> None:
    for path in sorted(written()):
        if path.is_file():
            for line in path.read_text("utf-8").splitlines():
                bare = line.partition("#")[0]
                assert not re.search(r"(?i)(password|api_key|token)\s*[:=]\s*['\"]?[A-Za-z0-9]{8,}", bare), line


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line of the files, with the place where it stands."""
    for name, service in services().items():
        if "llma-assets" in service["image"]:
            yield f"compose: {name}", service["command"]
            test = service.get("healthcheck", {}).get("test")
            if test and test[1] != "python":
                yield f"compose: health of {name}", test[1:]
    for entry in document("helm/values.yaml")["dagster-user-deployments"]["deployments"]:
        yield "chart: code server", ["dagster", "api", "grpc", *entry["dagsterApiGrpcArgs"], "-p", str(entry["port"])]
    pages = next(yaml.safe_load_all((DEPLOY / "helm" / "pages.yaml").read_text("utf-8")))
    for container in (
        *pages["spec"]["template"]["spec"]["initContainers"],
        *pages["spec"]["template"]["spec"]["containers"],
    ):
        yield f"pages: {container['name']}", container["command"]


@cache
def programs() -> Mapping[str, click.Command]:
    """The programs that the files call, as click has them."""
    from dagster._cli import create_dagster_cli
    from dagster._daemon.cli import create_dagster_daemon_cli
    from dagster_webserver.cli import cli as dagster_webserver

    return {
        "llma": cli,
        "dagster": create_dagster_cli(),
        "dagster-daemon": create_dagster_daemon_cli(),
        "dagster-webserver": dagster_webserver,
    }


def parsed(command: click.Command, arguments: list[str]) -> str:
    """The name of the command that the arguments reach; its options are parsed as a shell would have them."""
    if isinstance(command, click.Group):
        name, rest = arguments[0], arguments[1:]
        inner = command.get_command(click.Context(command), name)
        assert inner is not None, f"no command {name}"
        return f"{name} {parsed(inner, rest)}".strip()
    command.make_context(command.name, list(arguments))
    return ""


@pytest.mark.heavy
@pytest.mark.parametrize(("place", "line"), list(commands()), ids=[place for place, _ in commands()])
def test_every_command_and_its_options_exist(place: str, line: list[str]) -> None:
    program, *arguments = (str(word) for word in line)
    kept = [str(DEPLOY / IN_IMAGE[word]) if word in IN_IMAGE else word for word in arguments]
    parsed(programs()[program], kept)


def test_a_wrong_command_is_found() -> None:
    assert isinstance(cli, LazyGroup)
    with pytest.raises((click.UsageError, AssertionError)):
        parsed(cli, ["web", "--no-such-option"])
    with pytest.raises(AssertionError, match="no command"):
        parsed(cli, ["wab"])


def test_every_service_waits_for_one_that_exists_and_has_the_secrets_it_reads() -> None:
    compose, names = document("compose.yaml"), set(services())
    for name, service in services().items():
        waits = service.get("depends_on", {})
        assert set(waits) <= names, name
        for other, how in waits.items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services()[other], (name, other)
        assert set(service.get("secrets", [])) <= compose["secrets"].keys(), name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to other machines"
        if entrypoint := service.get("entrypoint"):
            assert (DEPLOY / IN_IMAGE[entrypoint[0]]).is_file()


def test_the_image_is_made_of_files_that_exist_and_are_not_kept_out() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            *sources, _ = [each for each in rest.split() if not each.startswith("--")]
            for source in sources:
                assert (ROOT / source).exists(), source
                assert f"!{source.split('/')[0]}" in ignored, source
    for program in ("with-secrets", "dagster-webserver"):
        assert os.access(DEPLOY / program, os.X_OK)


def test_the_last_stage_has_no_compiler_and_no_root() -> None:
    stages = [number for number, (word, _) in enumerate(instructions()) if word == "FROM"]
    last = instructions()[stages[-1] :]
    assert len(stages) == 2
    assert not any(re.search(r"\b(apt|apt-get|gcc|pip)\b", rest) for word, rest in last if word == "RUN")
    (user,) = [rest for word, rest in last if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = [rest.partition("=")[2] for word, rest in instructions() if word == "ARG" and rest.startswith("EXTRAS=")]
    asked += [services()["code"]["build"]["args"]["EXTRAS"]]
    assert all(extra in extras for line in asked for extra in line.split(","))


def test_nothing_enters_the_image_without_a_hash() -> None:
    installed = [
        line for word, rest in instructions() if word == "RUN" for line in re.findall(r"pip install ([^&]+)", rest)
    ]
    assert len(installed) == 3
    for line in installed:
        assert "--require-hashes" in line or line.split() == ["--no-deps", "--no-build-isolation", "."], line
    named = re.search(r"sed -n '/\^(\w+)==", (DEPLOY / "Dockerfile").read_text())
    assert named
    assert f"\n{named[1]}==" in (ROOT / "requirements.lock").read_text()


def test_variables_of_the_files_are_documented() -> None:
    known = (ROOT / "docs" / "configuration.md").read_text() + (ROOT / "docs" / "deployment.md").read_text()
    for path in sorted(written()):
        if path.is_file() and path.suffix != ".py":
            for variable in re.findall(r"\bLLMA_[A-Z_]+", path.read_text("utf-8")):
                assert variable in known, (path.name, variable)


@pytest.mark.process
def test_secrets_become_variables_with_their_special_characters_escaped(tmp_path: Path) -> None:
    (tmp_path / "clickhouse_password").write_text("p@ss/wörd:1\n")
    (tmp_path / "postgres_password").write_text("it's\n")
    environ = {"PATH": os.environ["PATH"], "LLMA_SECRETS": str(tmp_path)}
    done = subprocess.run(
        [DEPLOY / "with-secrets", "env"], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    found = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    assert found["DAGSTER_PG_PASSWORD"] == "it's"
    assert found["CLICKHOUSE_URL"] == "http://llma:p%40ss%2Fw%C3%B6rd%3A1@clickhouse:8123/llma"
    assert Settings.from_env(found).openai_api_key is None
    for script in ("with-secrets", "dagster-webserver"):
        subprocess.run(["sh", "-n", DEPLOY / script], check=True, timeout=60)


def test_entries_of_the_lock_file_keep_their_hashes() -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("locked", DEPLOY / "locked.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    entries = module.locked((ROOT / "requirements.lock").read_text("utf-8"))
    assert len(entries) > 100
    assert all("--hash=sha256:" in entry for entry in entries.values())
