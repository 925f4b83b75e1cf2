"""Which entries of deploy/requirements.lock an image with some extras needs, with their hashes, for this machine.

    python deploy/locked.py postgres,k8s > needed.txt

pip works out the packages (their metadata are fetched, nothing is installed), held to the versions of the lock file.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = Path(__file__).with_name("requirements.lock")
PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;\\]+)")


def main() -> None:
    """Print the entries; end with a word if the lock file lacks one."""
    extras = ",".join(part.strip() for part in sys.argv[1].split(",") if part.strip())
    entries = locked(LOCK.read_text("utf-8"))
    print("\n".join(entries[name] for name in sorted(needed(extras, entries))))


def locked(text: str) -> dict[str, str]:
    """The entries of a lock file by the normalized name of their package."""
    found = {}
    for entry in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        if match := PIN.match(entry):
            found[normalized(match.group(1))] = entry.rstrip()
    return found


def needed(extras: str, entries: dict[str, str]) -> list[str]:
    """The packages that pip would install."""
    pins = "\n".join(f"{match.group(1)}=={match.group(2)}" for match in map(PIN.match, entries.values()) if match)
    project = f"{ROOT}[{extras}]" if extras else str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        constraints, report = Path(folder) / "constraints.txt", Path(folder) / "report.json"
        constraints.write_text(pins)
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"),
            *("--only-binary", ":all:", "--constraint", str(constraints), "--report", str(report), project),
        ]
        subprocess.run(command, check=True, stdout=sys.stderr)
        installed = json.loads(report.read_text())["install"]
    names = [normalized(each["metadata"]["name"]) for each in installed]
    missing = [name for name in names if name not in entries and name != "llma-assets"]
    if missing:
        raise SystemExit(f"deploy/requirements.lock has no {', '.join(missing)}: run `make lock`")
    return [name for name in names if name != "llma-assets"]


def normalized(name: str) -> str:
    """As PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
