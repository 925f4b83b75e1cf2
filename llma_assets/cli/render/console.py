"""What goes to the terminal and how: results on stdout, messages on stderr, nothing that could steer the terminal.

Text of traces is hostile data: every cell and line passes through `plain` or `plain_block`, and rich's markup is
never interpreted.
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
    """One line of text: what could steer a terminal, and line ends, shown as escapes such as `\\x1b`.

    >>> plain("red: \\x1b[31m")
    'red: \\\\x1b[31m'
    """
    return _UNSAFE_IN_LINE.sub(_escape, str(value))


def plain_block(value: object) -> str:
    """Text of several lines: tabs and line ends stay, everything else as in `plain`."""
    return _UNSAFE_IN_BLOCK.sub(_escape, str(value).replace("\r\n", "\n"))


def command() -> str:
    """How this program is called: `llma`, or the path by which it was where the shell would not find it by its name."""
    called = sys.argv[0]
    if os.path.basename(called) != "llma" or os.sep not in called or not os.path.exists(called):
        return "llma"
    found = shutil.which("llma")
    return "llma" if found and os.path.samefile(found, called) else shlex.quote(called)


def hinted(message: str) -> str:
    """A message whose commands, written as `llma …`, can be copied."""
    return message.replace("`llma ", f"`{command()} ")


def say(message: str) -> None:
    """A message for the person, on stderr. That nobody reads it any more is no reason to stop."""
    try:
        click.echo(plain(hinted(message)), err=True)
    # What could not be written would be tried again at the end, and make the exit code 120.
    except (OSError, ValueError):
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def show(text: str = "") -> None:
    """Lines of a result, on stdout."""
    click.echo(plain_block(text))


def emit_json(document: Mapping[str, Any]) -> None:
    """The one object of a `--json` listing: on one line, indented for a person at a terminal.

    Characters that could steer a terminal are written as JSON escapes, so a reader gets them back unchanged.
    """
    is_utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    text = json.dumps(document, ensure_ascii=not is_utf8, allow_nan=False, indent=2 if sys.stdout.isatty() else None)
    click.echo(_UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match.group()):04x}", text))


def emit_report(report: object) -> None:
    """The one object of a `--json` listing, of a report."""
    from llma_assets.serialization import json_object

    emit_json(json_object(report))


def usd(cost: float | None) -> str:
    """A cost as people read it; a dash where nobody knows."""
    return "-" if cost is None else f"{cost:.4f}"


def show_table(header: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """A table on stdout: as wide as the terminal, or as wide as it needs to be where there is none.

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
