"""Compiling: one bytecode on both sides, fresh artifacts, no download."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.artifacts import Artifact, artifact, load, names
from ledger.chain.compile import (
    check_artifacts,
    compile_contracts,
    main,
    solc_settings,
    sources_digest,
    write_artifacts,
)
from ledger.chain.errors import ArtifactMissingError, ArtifactsStaleError, CompilationError
from ledger.chain.toolchain import PROJECT_ROOT, SOLC_STAND_IN, node_executable
from scripts.node_tools import HARDHAT

pytestmark = pytest.mark.integration

BOX = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Sums} from "./libraries/Sums.sol";
contract Box is AccessManaged {
    uint256 public total;
    constructor(address authority) AccessManaged(authority) {}
    function add(uint256 amount) external restricted { total = Sums.sum(total, amount); }
}
abstract contract Half { function whole() external virtual; }
"""
SUMS = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
library Sums {
    function sum(uint256 a, uint256 b) internal pure returns (uint256) { return a + b; }
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one contract and one library with the real settings and packages."""
    (tmp_path / "contracts" / "libraries").mkdir(parents=True)
    (tmp_path / "contracts" / "Box.sol").write_text(BOX, "utf-8")
    (tmp_path / "contracts" / "libraries" / "Sums.sol").write_text(SUMS, "utf-8")
    shutil.copy(PROJECT_ROOT / "contracts" / "solc.json", tmp_path / "contracts")
    (tmp_path / "node_modules").symlink_to(PROJECT_ROOT / "node_modules")
    return tmp_path


def stand_in(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(node_executable()), str(SOLC_STAND_IN), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def hardhat_bytecodes() -> dict[str, str]:
    command = [str(node_executable()), str(HARDHAT), "build", "--quiet"]
    subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True)
    found = [
        json.loads(file.read_text("utf-8"))
        for file in (PROJECT_ROOT / "artifacts").rglob("*.json")
        if file.parent.name.endswith(".sol")
    ]
    return {content["contractName"]: unlinked(content["bytecode"]) for content in found}


def unlinked(bytecode: str) -> str:
    """Return creation code with zeros where a library's address is wanted."""
    return re.sub(r"__\$[0-9a-f]{34}\$__", "0" * 40, bytecode)


def test_compile__every_contract__same_bytecode_as_hardhat() -> None:
    ours = {name: text["bytecode"] for name, text in compile_contracts()["contracts"].items()}
    theirs = hardhat_bytecodes()

    assert len(ours) >= len(solc_settings()["dependencies"])
    assert {name: theirs.get(name) for name in ours} == ours


def test_compile__project__ships_deployable_contracts_and_dependencies_only(
    project: Path,
) -> None:
    artifacts = compile_contracts(project)

    assert sorted(artifacts["contracts"]) == ["AccessManager", "Box", "ERC2771Forwarder"]
    box = artifacts["contracts"]["Box"]
    assert {entry.get("name") for entry in box["abi"]} >= {"add", "total", "authority"}
    assert 0 < box["deployed_bytecode_size"] < len(box["bytecode"]) // 2
    assert artifacts["compiler"]["settings"]["evmVersion"] == "paris"


def test_compile__twice__same_bytes(project: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"

    write_artifacts(project, first)
    write_artifacts(project, second)

    assert first.read_bytes() == second.read_bytes()


def test_compile__type_error__compilation_error_with_the_compilers_words(project: Path) -> None:
    sums = project / "contracts" / "libraries" / "Sums.sol"
    sums.write_text(SUMS.replace("a + b", "a + bb"), "utf-8")

    with pytest.raises(CompilationError) as caught:
        compile_contracts(project)

    assert "Undeclared identifier" in caught.value.got


def test_compile__external_library__ships_and_is_linked_by_its_address(project: Path) -> None:
    sums = project / "contracts" / "libraries" / "Sums.sol"
    sums.write_text(SUMS.replace("internal", "external"), "utf-8")

    contracts = compile_contracts(project)["contracts"]

    assert "Sums" in contracts
    box = Artifact(name="Box", **contracts["Box"])
    code = box.creation_code({"Sums": "0x" + "ab" * 20})
    places = box.links["Sums"]
    assert places
    assert all(code[place : place + 20] == b"\xab" * 20 for place in places)
    with pytest.raises(ArtifactMissingError):
        box.creation_code({})


@pytest.mark.parametrize("name", ["Box.sol", "libraries/Sums.sol", "solc.json"])
def test_check__source_or_setting_changed__stale(project: Path, name: str) -> None:
    file = project / "artifacts.json"
    file.write_text(json.dumps({"sources_digest": sources_digest(project)}), "utf-8")
    check_artifacts(project, file)
    changed = project / "contracts" / name
    changed.write_text(changed.read_text("utf-8") + "\n", "utf-8")

    with pytest.raises(ArtifactsStaleError) as caught:
        check_artifacts(project, file)

    assert caught.value.expected == sources_digest(project)


def test_check__only_a_test_changed__still_fresh(project: Path) -> None:
    before = sources_digest(project)
    (project / "contracts" / "test").mkdir()
    (project / "contracts" / "test" / "Box.t.sol").write_text(BOX, "utf-8")

    assert sources_digest(project) == before


def test_check__the_packaged_artifacts__are_fresh() -> None:
    assert main(["--check"]) == 0


def test_artifact__each_name__has_interface_and_bytecode_within_the_limit() -> None:
    for name in names():
        found = artifact(name)
        assert found.abi
        assert len(found.bytecode) > 2 * found.deployed_bytecode_size
        assert 0 < found.deployed_bytecode_size <= 24_576, name


def test_artifact__unknown_name__typed_error_names_the_known() -> None:
    with pytest.raises(ArtifactMissingError) as caught:
        artifact("Nothing")

    assert caught.value.code == "chain.artifact_missing"
    assert caught.value.expected == list(names())


def test_load__no_file__typed_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissingError):
        load(tmp_path / "artifacts.json")


def test_stand_in__version__the_pinned_one_twice_the_same() -> None:
    first, second = stand_in("--version"), stand_in("--version")

    assert first.stdout.splitlines()[1].startswith(f"Version: {solc_settings()['version']}+commit.")
    assert (second.stdout, second.returncode) == (first.stdout, 0)


@pytest.mark.parametrize("arguments", [(), ("--ast",), ("--standard-json", "--base-path")])
def test_stand_in__other_arguments__refused_with_status_two(arguments: tuple[str, ...]) -> None:
    done = stand_in(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


def test_stand_in__output_larger_than_a_pipe__arrives_whole() -> None:
    done = stand_in("--standard-json", stdin=json.dumps(many_functions(400)))

    output: dict[str, Any] = json.loads(done.stdout)
    assert len(done.stdout) > 1_000_000
    assert len(output["contracts"]["Many.sol"]["Many"]["abi"]) == 400


def many_functions(count: int) -> dict[str, Any]:
    body = "".join(f"uint256 public value{number};" for number in range(count))
    return {
        "language": "Solidity",
        "sources": {"Many.sol": {"content": f"pragma solidity 0.8.37; contract Many {{{body}}}"}},
        "settings": {"outputSelection": {"*": {"*": ["*"]}}},
    }
