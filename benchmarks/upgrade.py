"""A data folder that an older version has made, upgraded and worked on by this one.

    python -m benchmarks.upgrade                        # from the last commit before today's, and from --commit
    python -m benchmarks.upgrade --commit 868bd55

There is no tagged release yet, so a commit stands for one. Its code is taken out of git into a temporary folder and
runs in a virtual environment of its own, with the packages of this one but not its checkout: ingest of the sample, a
whole run, a clean end of its server. Then this version brings the schema up to date, reads what is there, runs the same
day, and checks it. Wanted: nothing lost, no cluster id changed unless the embedding model has, nothing published twice,
all checks pass.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TEAM, DAY = "102", "2026-11-07"
COUNTED = (
    "events", "trace_texts", "trace_summaries", "document_embeddings", "clustering_runs", "clusters", "cluster_members",
    "cluster_labels", "themes", "skips", "model_usage",
)  # fmt: skip
PUBLISHED = """
SELECT count() FROM events FINAL WHERE event IN ('$ai_trace_clusters', '$ai_generation_clusters') AND team_id = 102
"""
EMBEDDING_MODELS = """
SELECT DISTINCT embedding_model FROM clustering_runs FINAL WHERE team_id = 102 AND day = '2026-11-07' ORDER BY 1
"""
SAMPLE = str(ROOT / "llma_assets" / "demo" / "sample.jsonl")


def main() -> int:
    """Upgrade from each commit; 1 if anything is not as it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--commit", action="append", default=[])
    options = parser.parse_args()
    commits = options.commit or [_git("log", "--until=yesterday.midnight", "-1", "--format=%h").strip()]
    wrong = [_upgraded(commit) for commit in commits]
    return int(any(wrong))


def _upgraded(commit: str) -> bool:
    """Whether anything went wrong."""
    with tempfile.TemporaryDirectory(prefix="llma-upgrade-") as folder:
        old, data = Path(folder) / "old", Path(folder) / "data"
        old.mkdir()
        archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(old)], input=archive, check=True)
        _make_environment(old)
        newest = sorted((old / "llma_assets" / "clickhouse" / "migrations").glob("*.sql"))[-1].name
        print(f"{commit}, schema {newest}:", flush=True)
        try:
            faults = _faults(old, data)
        finally:
            for code in (old, ROOT):
                _run(code, data, "db", "stop")
    for fault in faults:
        print(f"  WRONG {fault}")
    print("  as it should be" if not faults else f"  {len(faults)} faults")
    return bool(faults)


def _faults(old: Path, data: Path) -> list[str]:
    """What is not as it should be, after the older version's work and this one's."""
    for arguments in (["ingest", SAMPLE], ["run", "--team", TEAM, "--date", DAY]):
        _llma(old, data, *arguments)
    before = _state(old, data)
    clusters, models = _clusters(old, data), _llma(old, data, "db", "query", EMBEDDING_MODELS)
    _llma(old, data, "db", "stop")
    applied = json.loads(_llma(ROOT, data, "db", "upgrade", "--json"))["applied"]
    print(f"  applied {len(applied)}: {', '.join(applied) or 'nothing'}")
    upgraded = _state(ROOT, data)
    faults = [f"{name}: {before[name]} rows before, {upgraded[name]} after" for name in before
              if upgraded[name] != before[name]]  # fmt: skip
    if _clusters(ROOT, data) != clusters:
        faults.append("the clusters read otherwise")
    _llma(ROOT, data, "run", "--team", TEAM, "--date", DAY)
    again = _state(ROOT, data)
    kept = {each for each in _clusters(ROOT, data) if each in clusters}
    print(f"  rows before {before}\n  after a run {again}")
    print(f"  {len(kept)} of {len(clusters)} clusters keep their id")
    if kept != clusters and _llma(ROOT, data, "db", "query", EMBEDDING_MODELS) == models:
        faults.append("clusters have other ids, and the embedding model is the same")
    if again["published"] != before["published"]:
        faults.append(f"published {before['published']} before, {again['published']} now")
    checked = _run(ROOT, data, "check", "--team", TEAM, "--date", DAY)
    if checked.returncode:
        faults.append(f"checks: {checked.stdout[-2000:]}{checked.stderr[-500:]}")
    return faults


def _state(code: Path, data: Path) -> dict[str, int]:
    """Rows of each table that the older version may have had."""
    there = _llma(
        code, data, "db", "query", "SELECT name FROM system.tables WHERE database = currentDatabase()"
    ).split()
    counts = {
        table: int(_llma(code, data, "db", "query", f"SELECT count() FROM {table} FINAL"))
        for table in COUNTED
        if table in there
    }
    return {**counts, "published": int(_llma(code, data, "db", "query", PUBLISHED))}


def _clusters(code: Path, data: Path) -> set[str]:
    """Lineage ids of the published clusters of the day."""
    rows = _llma(
        code, data, "db", "query",
        "SELECT DISTINCT lineage_id FROM clusters FINAL WHERE team_id = 102 AND day = '2026-11-07' AND attempt_id IN"
        " (SELECT attempt_id FROM clustering_runs FINAL WHERE team_id = 102 AND day = '2026-11-07')",
    )  # fmt: skip
    return set(rows.split())


def _llma(code: Path, data: Path, *arguments: str) -> str:
    done = _run(code, data, *arguments)
    if done.returncode:
        raise SystemExit(f"llma {' '.join(arguments)} of {code}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def _make_environment(code: Path) -> None:
    """A virtual environment with the packages of that version: those of this environment, and what pip finds missing.

    `import llma_assets` is that of `code`, in the processes that it starts, too. The .pth of this checkout comes before
    PYTHONPATH, so the older command would start the server of this version.
    """
    made = code / ".venv"
    venv.create(made, symlinks=True)
    (site,) = made.glob("lib/python*/site-packages")
    packages = [each for each in sys.path if Path(each).name == "site-packages"]
    (site / "older.pth").write_text("\n".join([str(code), *packages]) + "\n")
    install = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-build-isolation",
        "--editable",
        f"{code}[all]",
    ]
    subprocess.run(
        [made / "bin" / "python", "-m", "pip", *install, "--constraint", code / "constraints.txt"], check=True, cwd=code
    )


def _run(code: Path, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LLMA_", "OPENAI_", "CLICKHOUSE_"))
    }
    environ: dict[str, Any] = {
        **kept,
        "PYTHONPATH": str(code),
        "LLMA_DATA_DIR": str(data),
        "DAGSTER_HOME": str(data / "dagster"),
        "LLMA_CHAT_MODEL": "offline",
        "LLMA_EMBEDDING_MODEL": "offline",
    }
    python = sys.executable if code == ROOT else code / ".venv" / "bin" / "python"
    program = "from llma_assets.cli.main import main; main()"
    return subprocess.run(
        [python, "-c", program, *arguments], check=False, capture_output=True, text=True, env=environ, cwd=code
    )


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
