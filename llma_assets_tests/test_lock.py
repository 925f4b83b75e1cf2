"""`requirements.lock` is what gets installed: all that pyproject.toml asks for, as constraints.txt pins it, hashed."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(.*)$", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pins(text: str) -> dict[str, Version]:
    """The pinned version of each package."""
    return {canonicalize_name(name): Version(version) for name, version, _ in PIN.findall(text)}


LOCK = (ROOT / "requirements.lock").read_text()
LOCKED = pins(LOCK)


def test_the_lock_file_and_the_constraints_name_the_same_versions() -> None:
    constraints = pins((ROOT / "constraints.txt").read_text())
    assert {name: LOCKED[name] for name in LOCKED.keys() & constraints.keys()} == {
        name: constraints[name] for name in LOCKED.keys() & constraints.keys()
    }
    assert len(LOCKED.keys() & constraints.keys()) > 100


def test_the_lock_file_has_all_that_the_project_asks_for_within_its_ranges() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    groups = [
        project["dependencies"],
        *(extras[name] for name in ("dev", "embedded", "offline", "multilingual", "notebook")),
    ]
    asked = [Requirement(text) for group in groups for text in group]
    missing = [str(one) for one in asked if not one.specifier.contains(LOCKED.get(canonicalize_name(one.name), "0"))]
    assert missing == []


def test_the_lock_file_of_the_image_has_its_extras_and_the_same_versions() -> None:
    of_image = pins((ROOT / "deploy" / "requirements.lock").read_text())
    assert {"dagster-postgres", "dagster-k8s", "chdb"} <= of_image.keys()
    both = of_image.keys() & LOCKED.keys()
    assert {name: of_image[name] for name in both} == {name: LOCKED[name] for name in both}


def test_all_names_the_extras_that_a_user_can_take() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    assert everything.name == "llma-assets"
    assert everything.extras == extras.keys() - {
        "all",
        "dev",
        "bench",
        "conformance",
        "llm",
        "test-web",
        "postgres",
        "k8s",
    }


def test_every_package_of_the_lock_file_has_the_hashes_of_its_files() -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)
    assert [entry.splitlines()[0] for entry in entries if entry.strip() and not HASH.search(entry)] == []
    assert sum(bool(entry.strip()) for entry in entries) == len(LOCKED)
