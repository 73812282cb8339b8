"""The README's tutorial and its check of one receipt, pasted into one shell as a newcomer would."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.long]

_ROOT = Path(__file__).parents[2]
_TIMEOUT_SECONDS = 900


def _blocks(title: str) -> list[str]:
    """Return the shell blocks below a heading of the README, up to the next heading."""
    text = (_ROOT / "README.md").read_text("utf-8")
    chapter = re.split(r"\n#{2,3} ", text.split(f"# {title}\n")[1])[0]
    return re.findall(r"```sh\n(.*?)```", chapter, re.S)


def _script(home: Path, port: int) -> str:
    *tutorial, last = _blocks("Tutorial: ten minutes by hand")
    script = "\n".join([*tutorial, *_blocks("Check one receipt yourself"), last])
    for shown, here in (
        ("make setup && . .venv/bin/activate\n", "set -eu\n"),
        ("MDL_HOME=$PWD/.home", f"MDL_HOME={home}"),
        ("mdl serve >", f"mdl serve --port {port} >"),
        ("127.0.0.1:8350", f"127.0.0.1:{port}"),
    ):
        assert shown in script
        script = script.replace(shown, here)
    return script


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_tutorial__pasted_into_one_shell__ends_without_findings(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = subprocess.Popen(
        ["bash", "-c", _script(tmp_path / "home", _free_port())],
        cwd=tmp_path,
        env=os.environ | {"PATH": path, "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        told, _ = shell.communicate(timeout=_TIMEOUT_SECONDS)
    finally:
        # A block that fails leaves the service running.
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
    assert shell.returncode == 0, told[-4000:]
    for said in (
        "refused: the same content is registered already",
        "\n200\n",
        "use.quota_exceeded",
        "use.mode_not_granted",
        "Signature Verified Successfully",
        '"result":"0x"',
    ):
        assert said in told, told[-4000:]
    assert "no findings" in told.lower(), told[-4000:]
