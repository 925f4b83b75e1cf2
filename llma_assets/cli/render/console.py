"""Output of commands: results on stdout, messages on stderr, control characters escaped.

Text of traces is untrusted: every cell and line passes through `plain` or `plain_block`, and rich's markup is never
interpreted.
"""

import io
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

# Control characters, the two line separators, and what turns the direction of text; lone surrogates cannot be written.
_UNSAFE = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE_IN_BLOCK = re.compile(f"[{_UNSAFE}]")
_UNSAFE_IN_LINE = re.compile(f"[{_UNSAFE}\\t\\n]")
_UNSAFE_IN_JSON = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_WIDE = 10_000

SHORT_ID = 8
"""Characters of a lineage or task id that a table shows; enough to name it in a command."""


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def plain(value: object) -> str:
    """One line of text, in which control characters and line ends are escapes such as `\\x1b`.

    >>> plain("red: \\x1b[31m")
    'red: \\\\x1b[31m'
    """
    return _UNSAFE_IN_LINE.sub(_escape, str(value))


def plain_block(value: object) -> str:
    """Text of several lines: tabs and line ends stay, everything else as in `plain`."""
    return _UNSAFE_IN_BLOCK.sub(_escape, str(value).replace("\r\n", "\n"))


def command() -> str:
    """How to call this program: `llma`, or the path of this call if the shell would not find that name."""
    called = sys.argv[0]
    if os.path.basename(called) != "llma" or os.sep not in called or not os.path.exists(called):
        return "llma"
    found = shutil.which("llma")
    return "llma" if found and os.path.samefile(found, called) else shlex.quote(called)


def hinted(message: str) -> str:
    """A message in which commands, written as `llma …`, can be copied to a shell."""
    return message.replace("`llma ", f"`{command()} ")


def say(message: str) -> None:
    """Print a message on stderr; a closed stderr does not stop the command."""
    try:
        click.echo(plain(hinted(message)), err=True)
    # Python would try to write it again at exit, and exit with code 120.
    except (OSError, ValueError):
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def show(text: str = "") -> None:
    """Print lines of a result on stdout."""
    click.echo(plain_block(text))


def emit_json(document: Mapping[str, Any]) -> None:
    """Print the object of `--json`: on one line, indented on a terminal.

    Control characters are written as JSON escapes, so that a parser gets them back unchanged.
    """
    is_utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    text = json.dumps(document, ensure_ascii=not is_utf8, allow_nan=False, indent=2 if sys.stdout.isatty() else None)
    click.echo(_UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match.group()):04x}", text))


def emit_report(report: object) -> None:
    """Print a report as the object of `--json`."""
    from llma_assets.serialization import json_object

    emit_json(json_object(report))


def usd(cost: float | None) -> str:
    """A cost with four decimals; a dash if it is unknown."""
    return "-" if cost is None else f"{cost:.4f}"


def show_table(header: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Print a table on stdout: as wide as the terminal, or as wide as its content if stdout is not a terminal.

    Args:
        header: names of the columns.
        rows: cells, shown by `str`.
        right: names of the columns that are aligned to the right.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in header:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    width = None if is_terminal else _WIDE
    console = Console(file=io.StringIO(), force_terminal=is_terminal, width=width, highlight=False)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
