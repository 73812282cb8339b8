"""Compile the contracts with py-solc-x into the packaged `artifacts.json`.

    python -m ledger.chain.compile           write artifacts.json
    python -m ledger.chain.compile --check   exit 1 when it was not made from these sources

Only developers run this. `contracts/solc.json` holds the compiler's version and settings for this
module and for `hardhat.config.js`; both give the same bytecode.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ledger.chain.artifacts import ARTIFACTS_FILE, load
from ledger.chain.errors import (
    ArtifactsStaleError,
    ChainError,
    CompilationError,
    ToolchainMissingError,
)
from ledger.chain.toolchain import PROJECT_ROOT, SOLC_STAND_IN, native_solc, node_executable

_PLACEHOLDER = re.compile(r"__\$[0-9a-f]{34}\$__")
"""What the compiler puts where a library's address is wanted; it depends on the file's name."""
_LIBRARIES = Path("contracts") / "libraries"
_OUTPUT = {"*": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode.object"]}}
_TESTS = Path("contracts") / "test"


def solc_settings(root: Path = PROJECT_ROOT) -> dict[str, Any]:
    """Return the content of `contracts/solc.json`: version, settings, dependencies."""
    content: dict[str, Any] = json.loads((root / "contracts" / "solc.json").read_text("utf-8"))
    return content


def source_files(root: Path = PROJECT_ROOT) -> dict[str, str]:
    """Return every contract source but the tests: path relative to `root` → text, sorted."""
    found = sorted((root / "contracts").rglob("*.sol"))
    names = ((file.relative_to(root), file) for file in found)
    return {
        name.as_posix(): file.read_text("utf-8")
        for name, file in names
        if not name.is_relative_to(_TESTS)
    }


def sources_digest(root: Path = PROJECT_ROOT) -> str:
    """Return the SHA-256 (hex) over the sorted paths and contents of sources and settings."""
    settings = (root / "contracts" / "solc.json").read_text("utf-8")
    digest = hashlib.sha256()
    for name, text in sorted({**source_files(root), "contracts/solc.json": settings}.items()):
        for part in (name.encode(), text.encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def compile_contracts(root: Path = PROJECT_ROOT) -> dict[str, Any]:
    """Compile all contracts of `root` and return the content of an artifacts file.

    Raises:
        CompilationError: the compiler refused the sources.
        ToolchainMissingError: py-solc-x, Node.js or the npm packages are not installed.
    """
    solc = solc_settings(root)
    output = _run_solc(root, solc)
    linked = _linked_files(output["contracts"])
    contracts = {
        contract: _artifact(content)
        for name, file in output["contracts"].items()
        if _ships(name, solc) or name in linked
        for contract, content in file.items()
        if content["evm"]["bytecode"]["object"]
    }
    return {
        "compiler": {"version": solc["version"], "settings": solc["settings"]},
        "sources_digest": sources_digest(root),
        "contracts": dict(sorted(contracts.items())),
    }


def write_artifacts(root: Path = PROJECT_ROOT, file: Path = ARTIFACTS_FILE) -> dict[str, Any]:
    """Compile `root` into `file` (deterministic text) and return what was written."""
    artifacts = compile_contracts(root)
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(artifacts, indent=1, sort_keys=True) + "\n", "utf-8")
    beside.replace(file)
    load.cache_clear()
    return artifacts


def check_artifacts(root: Path = PROJECT_ROOT, file: Path = ARTIFACTS_FILE) -> None:
    """Compare the digest in `file` with the sources of `root`; compiles nothing.

    Raises:
        ArtifactsStaleError: the artifacts come from other sources.
        ArtifactMissingError: there are none.
    """
    load.cache_clear()
    got, expected = load(file)["sources_digest"], sources_digest(root)
    if got != expected:
        raise ArtifactsStaleError(
            f"{file.name} is older than the contracts: run `make contracts`",
            field="sources_digest",
            got=got,
            expected=expected,
        )


def _run_solc(root: Path, solc: dict[str, Any]) -> dict[str, Any]:
    modules = root / "node_modules"
    try:
        import solcx
        from solcx.exceptions import SolcError
    except ImportError as error:
        raise ToolchainMissingError("py-solc-x is not installed: run `make setup`") from error
    try:
        with _solc_program(solc["version"]) as program:
            output: dict[str, Any] = solcx.compile_standard(
                _standard_input(root, solc), base_path=modules, solc_binary=program
            )
    except SolcError as error:
        findings = [finding["formattedMessage"] for finding in _errors_of(error)]
        raise CompilationError("the contracts do not compile", got="".join(findings)) from error
    _report_warnings(output.get("errors", []))
    return output


def _errors_of(error: Any) -> list[dict[str, Any]]:
    """Return the compiler's own error findings; one made of the text when it gave none."""
    findings = [found for found in error.error_dict or [] if found["severity"] == "error"]
    return findings or [{"formattedMessage": str(error)}]


def _report_warnings(findings: list[dict[str, Any]]) -> None:
    for finding in findings:
        if finding.get("sourceLocation", {}).get("file", "contracts/").startswith("contracts/"):
            sys.stderr.write(finding["formattedMessage"])


def _standard_input(root: Path, solc: dict[str, Any]) -> dict[str, Any]:
    texts = source_files(root)
    for name in solc["dependencies"]:
        texts[name] = (root / "node_modules" / name).read_text("utf-8")
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in texts.items()},
        "settings": {**solc["settings"], "outputSelection": _OUTPUT},
    }


def _ships(name: str, solc: dict[str, Any]) -> bool:
    return name in solc["dependencies"] or Path(name).parent == Path("contracts")


def _linked_files(contracts: dict[str, Any]) -> set[str]:
    """Return the files of the libraries to which a shipped contract is linked."""
    return {
        name
        for file in contracts.values()
        for content in file.values()
        for name in content["evm"]["bytecode"]["linkReferences"]
        if Path(name).parent == _LIBRARIES
    }


def _artifact(content: dict[str, Any]) -> dict[str, Any]:
    bytecode = content["evm"]["bytecode"]
    return {
        "abi": content["abi"],
        "bytecode": "0x" + _PLACEHOLDER.sub("0" * 40, bytecode["object"]),
        "deployed_bytecode_size": len(content["evm"]["deployedBytecode"]["object"]) // 2,
        "links": {
            library: [place["start"] for place in places]
            for file in bytecode["linkReferences"].values()
            for library, places in file.items()
        },
    }


@contextmanager
def _solc_program(version: str) -> Iterator[Path]:
    """Yield a native compiler of `version`, else a launcher of the stand-in.

    The launcher names Node.js by its full path: the one on the PATH, if any, may be too old.
    """
    native = native_solc(version)
    if native is not None:
        yield native
        return
    with tempfile.TemporaryDirectory(prefix="mdl-solc-") as folder:
        launcher = Path(folder) / "solc"
        command = shlex.join((str(node_executable()), str(SOLC_STAND_IN)))
        launcher.write_text(f'#!/bin/sh\nexec {command} "$@"\n', "utf-8")
        launcher.chmod(0o755)
        yield launcher


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit status is 0 when the artifacts are fresh."""
    parser = argparse.ArgumentParser(prog="python -m ledger.chain.compile")
    parser.add_argument("--check", action="store_true", help="only compare, write nothing")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.check:
            check_artifacts()
        else:
            _report_sizes(write_artifacts())
    except ChainError as error:
        sys.stderr.write(f"{error}\n{error.got}\n")
        return 1
    return 0


def _report_sizes(artifacts: dict[str, Any]) -> None:
    for name, content in artifacts["contracts"].items():
        sys.stdout.write(f"{name:24} {content['deployed_bytecode_size']:6} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
