"""The local chain as a real child process: owner, attached, killed, back again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.chain.errors import NodeStartError, NodeStateError, RpcRefusedError, WrongChainError
from ledger.chain.node import LocalNode, NodeOptions
from ledger.chain.toolchain import PROJECT_ROOT

pytestmark = pytest.mark.integration

ADDRESS = "0x" + "11" * 20
BY_HAND = NodeOptions(checkpoint_interval_s=None)
OWNER = """
import sys, time
from pathlib import Path
from ledger.chain.node import LocalNode, NodeOptions
node = LocalNode.attach_or_start(Path(sys.argv[1]), NodeOptions(checkpoint_interval_s=None))
node.mine(3)
sys.stdout.write(f"{node.pid}\\n")
sys.stdout.flush()
time.sleep(60)
"""


def wait_for(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def balance(node: LocalNode) -> int:
    return int(node.call("eth_getBalance", ADDRESS, "latest"), 16)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text("utf-8").split()[2] != "Z"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LocalNode]:
    with LocalNode.attach_or_start(tmp_path, BY_HAND) as started:
        yield started


def test_attach_or_start__second_caller__attaches_and_leaves_the_node_running(
    node: LocalNode, tmp_path: Path
) -> None:
    with LocalNode.attach_or_start(tmp_path, BY_HAND) as second:
        assert (node.owned, second.owned) == (True, False)
        assert second.url == node.url
        assert second.pid is None
        with pytest.raises(NodeStartError):
            second.checkpoint()

    assert node.block_number() == 0


def test_attach_or_start__other_chain_id__refused(node: LocalNode, tmp_path: Path) -> None:
    with pytest.raises(WrongChainError) as caught:
        LocalNode.attach_or_start(tmp_path, NodeOptions(chain_id=5))

    assert (caught.value.got, caught.value.expected) == (31337, 5)
    assert node.block_number() == 0


def test_attach_or_start__no_accounts__nothing_is_signed_by_a_shared_key(node: LocalNode) -> None:
    assert node.call("eth_accounts") == []


def test_stop__started_again__continues_on_the_same_port(tmp_path: Path) -> None:
    with LocalNode.attach_or_start(tmp_path, BY_HAND) as first:
        first.fund(ADDRESS, 5)
        first.mine(6)
        head = first.call("eth_getBlockByNumber", "latest", False)

    with LocalNode.attach_or_start(tmp_path, BY_HAND) as second:
        assert second.url == first.url
        assert second.call("eth_getBlockByNumber", "latest", False) == head
        assert balance(second) == 5
        assert second.restarts == 0


def test_stop__clock_was_moved__newer_blocks_are_never_earlier(tmp_path: Path) -> None:
    with LocalNode.attach_or_start(tmp_path, BY_HAND) as first:
        first.increase_time(100 * 86_400)
        before = int(first.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    with LocalNode.attach_or_start(tmp_path, BY_HAND) as second:
        second.mine()
        after = int(second.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    assert before < after < before + 60


def test_kill__node_only__comes_back_from_the_last_checkpoint(node: LocalNode) -> None:
    node.fund(ADDRESS, 5)
    node.mine(2)
    node.checkpoint()
    node.mine(4)
    assert node.pid is not None

    os.kill(node.pid, signal.SIGKILL)
    wait_for(lambda: node.restarts == 1)

    assert node.block_number() == 3
    assert balance(node) == 5
    node.mine()
    assert node.block_number() == 4


def test_kill__checkpoints_by_time__at_most_the_interval_is_lost(tmp_path: Path) -> None:
    state = tmp_path / "chain" / "state.json"
    with LocalNode.attach_or_start(tmp_path, NodeOptions(checkpoint_interval_s=0.05)) as node:
        node.mine(3)
        wait_for(lambda: state.exists() and '"best_block_number":3' in state.read_text("utf-8"))
        assert node.pid is not None
        os.kill(node.pid, signal.SIGKILL)
        wait_for(lambda: node.restarts == 1)

        assert node.block_number() == 3


def test_kill__owner__node_ends_writes_its_state_and_the_next_owner_has_all(
    tmp_path: Path,
) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, cwd=PROJECT_ROOT
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())

    owner.kill()
    owner.wait()
    owner.stdout.close()

    with LocalNode.attach_or_start(tmp_path, BY_HAND) as node:
        assert node.owned
        assert not alive(pid)
        assert node.block_number() == 3


def test_start__exit_state_torn__falls_back_to_the_checkpoint(tmp_path: Path) -> None:
    with LocalNode.attach_or_start(tmp_path, BY_HAND) as node:
        node.mine(3)
    whole = (tmp_path / "chain" / "state.json").read_bytes()
    (tmp_path / "chain" / "exit.json").write_bytes(whole[: len(whole) // 2])

    with LocalNode.attach_or_start(tmp_path, BY_HAND) as again:
        assert again.block_number() == 3


def test_start__no_state_readable__typed_error_and_the_home_is_free(tmp_path: Path) -> None:
    folder = tmp_path / "chain"
    folder.mkdir()
    (folder / "state.json").write_text("{", "utf-8")

    for _ in range(2):
        with pytest.raises(NodeStateError):
            LocalNode.attach_or_start(tmp_path, BY_HAND)

    (folder / "state.json").unlink()
    with LocalNode.attach_or_start(tmp_path, BY_HAND) as node:
        assert node.block_number() == 0


def test_reorg__depth_two__same_height_other_hashes(node: LocalNode) -> None:
    node.mine(5)
    before = [node.call("eth_getBlockByNumber", hex(n), False)["hash"] for n in range(6)]

    node.reorg(2)

    after = [node.call("eth_getBlockByNumber", hex(n), False)["hash"] for n in range(6)]
    assert after[:4] == before[:4]
    assert all(new != old for new, old in zip(after[4:], before[4:], strict=True))


def test_rollback__depth_two__head_goes_back(node: LocalNode) -> None:
    node.mine(5)

    node.rollback(2)

    assert node.block_number() == 3


def test_snapshot__reverted__chain_as_before_and_only_once(node: LocalNode) -> None:
    node.mine(2)
    name = node.snapshot()
    node.fund(ADDRESS, 5)

    node.revert(name)

    assert (node.block_number(), balance(node)) == (2, 0)
    with pytest.raises(RpcRefusedError):
        node.revert(name)


def test_call__unknown_method__typed_error_with_the_answer(node: LocalNode) -> None:
    with pytest.raises(RpcRefusedError) as caught:
        node.call("eth_noSuchThing")

    assert caught.value.field == "eth_noSuchThing"
