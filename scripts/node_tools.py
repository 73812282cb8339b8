"""Run npm or Hardhat under a Node.js that is new enough.

python -m scripts.node_tools npm ci --ignore-scripts
python -m scripts.node_tools hardhat test solidity
python -m scripts.node_tools where
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from ledger.chain.errors import ToolchainMissingError
from ledger.chain.toolchain import PROJECT_ROOT, anvil_executable, node_executable, npm_command

HARDHAT = PROJECT_ROOT / "node_modules" / "hardhat" / "dist" / "src" / "cli.js"


def main(arguments: list[str] | None = None) -> int:
    """Run one tool from the project's folder and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.node_tools")
    parser.add_argument("tool", choices=("npm", "hardhat", "where"))
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(arguments)
    try:
        return _run(chosen.tool, chosen.arguments)
    except ToolchainMissingError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(tool: str, arguments: list[str]) -> int:
    if tool == "where":
        sys.stdout.write(f"node  {node_executable()}\nanvil {anvil_executable()}\n")
        return 0
    command = npm_command() if tool == "npm" else (str(node_executable()), str(HARDHAT))
    return subprocess.run([*command, *arguments], cwd=PROJECT_ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
