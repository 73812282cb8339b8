"""The local node's state files: whatever a kill leaves behind, a whole copy is found."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from ledger.chain.errors import NodeStateError
from ledger.chain.node_state import NodeState

pytestmark = pytest.mark.unit


def document(head: int) -> str:
    return json.dumps({"best_block_number": head, "accounts": {}})


def write(file: Path, text: str, *, age_s: int) -> None:
    file.write_text(text, "utf-8")
    os.utime(file, (1_000_000 - age_s, 1_000_000 - age_s))


def head_of(file: Path | None) -> int:
    assert file is not None
    return int(json.loads(file.read_text("utf-8"))["best_block_number"])


@pytest.fixture
def state(tmp_path: Path) -> NodeState:
    return NodeState(tmp_path)


def test_settle__new_folder__no_state(state: NodeState) -> None:
    assert state.settle() is None


def test_settle__whole_exit_file_is_newer__becomes_the_checkpoint(state: NodeState) -> None:
    write(state.checkpoint_file, document(3), age_s=10)
    write(state.exit_file, document(5), age_s=0)

    assert state.settle() == state.checkpoint_file
    assert head_of(state.checkpoint_file) == 5
    assert not state.exit_file.exists()


def test_settle__exit_file_torn__falls_back_to_the_checkpoint(state: NodeState) -> None:
    write(state.checkpoint_file, document(3), age_s=10)
    write(state.exit_file, document(5)[:-7], age_s=0)

    assert head_of(state.settle()) == 3
    assert not state.exit_file.exists()


def test_settle__exit_file_of_an_earlier_run__is_not_preferred(state: NodeState) -> None:
    write(state.exit_file, document(5), age_s=10)
    write(state.checkpoint_file, document(8), age_s=0)

    assert head_of(state.settle()) == 8


def test_settle__nothing_whole__error_names_the_files_and_keeps_them(state: NodeState) -> None:
    write(state.exit_file, "", age_s=0)
    write(state.checkpoint_file, '{"best_block', age_s=1)

    with pytest.raises(NodeStateError) as caught:
        state.settle()

    assert caught.value.code == "chain.node_state_unreadable"
    assert caught.value.got == [str(state.exit_file), str(state.checkpoint_file)]
    assert state.exit_file.exists()
    assert state.checkpoint_file.exists()


def test_save__dump_of_the_node__is_readable_and_leaves_nothing_beside(state: NodeState) -> None:
    state.save("0x" + gzip.compress(document(7).encode()).hex())

    assert head_of(state.settle()) == 7
    assert [file.name for file in state.folder.iterdir()] == ["state.json"]


def test_save__dump_is_damaged__last_checkpoint_stays(state: NodeState) -> None:
    write(state.checkpoint_file, document(3), age_s=0)

    with pytest.raises((OSError, EOFError)):
        state.save(gzip.compress(document(7).encode()).hex()[:-20])

    assert head_of(state.settle()) == 3
