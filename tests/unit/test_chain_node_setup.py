"""What a machine gets installed: exact versions, by digest, from no named host."""

from __future__ import annotations

import json
import re
import socket
import tomllib
from pathlib import Path

import pytest

from ledger.chain.node_process import NodeOptions, choose_port
from ledger.chain.toolchain import MINIMUM_NODE, PROJECT_ROOT

pytestmark = pytest.mark.unit

LOCKS = ("requirements.lock", "requirements-dev.lock")
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?==([^\s;]+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    return {name.lower().replace("_", "-"): version for name, version in PINNED.findall(text)}


def project() -> dict[str, object]:
    content: dict[str, object] = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))
    return content


def declared(*extras: str) -> dict[str, str]:
    table = project()["project"]
    assert isinstance(table, dict)
    optional = table["optional-dependencies"]
    return pins("\n".join(table["dependencies"] + [line for x in extras for line in optional[x]]))


@pytest.mark.parametrize(
    ("lock", "extras"), [(LOCKS[0], ("demo",)), (LOCKS[1], ("demo", "dev"))], ids=LOCKS
)
def test_lock__pyproject__every_pin_is_the_same(lock: str, extras: tuple[str, ...]) -> None:
    locked = pins((PROJECT_ROOT / lock).read_text("utf-8"))

    wanted = declared(*extras)
    assert {name: locked.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("lock", LOCKS)
def test_lock__text__names_no_host_and_gives_every_package_a_digest(lock: str) -> None:
    text = (PROJECT_ROOT / lock).read_text("utf-8")

    assert "://" not in text
    assert "--index" not in text
    packages = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [package for package in packages if "--hash=sha256:" not in package] == []


def test_package_lock__entries__exact_digests_and_no_addresses() -> None:
    packages = json.loads((PROJECT_ROOT / "package-lock.json").read_text("utf-8"))["packages"]

    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []


def test_package_json__versions__are_exact_and_match_the_compiler_settings() -> None:
    package = json.loads((PROJECT_ROOT / "package.json").read_text("utf-8"))
    solc = json.loads((PROJECT_ROOT / "contracts" / "solc.json").read_text("utf-8"))

    versions = package["devDependencies"]
    assert [v for v in versions.values() if not re.fullmatch(r"\d+\.\d+\.\d+", v)] == []
    assert versions["solc"] == solc["version"]
    assert package["engines"]["node"] == ">=" + ".".join(map(str, MINIMUM_NODE))


def test_options__command__says_every_setting() -> None:
    options = NodeOptions(chain_id=7, prune_history=9, slots_in_an_epoch=4, historical_states=True)

    command = options.command(Path("anvil"), 8545, Path("state.json"), Path("exit.json"))

    line = " ".join(command)
    assert line.startswith("anvil --silent --host 127.0.0.1 --port 8545 --chain-id 7")
    assert "--hardfork paris --order fifo --prune-history 9 --slots-in-an-epoch 4" in line
    assert "--dump-state exit.json --load-state state.json --preserve-historical-states" in line


def test_options__new_chain__command_loads_nothing() -> None:
    command = NodeOptions().command(Path("anvil"), 8545, None, Path("exit.json"))

    assert "--load-state" not in command
    assert "--preserve-historical-states" not in command


def test_choose_port__taken__another_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert choose_port(port) not in (0, port)
