"""The local chain: one supervised node per home folder, its state on disk.

Rules kept here:
1. A home has one owner at a time (an exclusive file lock); everybody else attaches to its node.
2. The node lives no longer than its owner, and writes its state when the owner dies.
3. A node that dies is started again on the same port from the last checkpoint. Blocks after it are
   lost: the chain has gone back, which the sender and the indexer are built to heal.
4. A state file is never half written (`node_state`).

Files in `<home>/chain`: node.lock, node.json (address and pid), node.log, state.json, exit.json.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ledger.chain.errors import (
    ChainError,
    NodeStartError,
    RpcRefusedError,
    RpcUnavailableError,
    WrongChainError,
)
from ledger.chain.node_process import (
    NodeOptions,
    NodeProcess,
    choose_port,
    end_orphan,
    launch,
    url_of,
)
from ledger.chain.node_rpc import NodeRpc
from ledger.chain.node_state import NodeState

__all__ = ["LocalNode", "NodeOptions"]

_POLL_S = 0.05
_CHECKPOINT_SHARE = 10
_MAX_RESTARTS = 5
_RESTART_WINDOW_S = 60.0


class LocalNode:
    """A local chain, owned by this process or attached to; use `attach_or_start`."""

    def __init__(self, url: str, supervisor: Supervisor | None = None) -> None:
        self.url = url
        self._supervisor = supervisor
        self._rpc = NodeRpc(url)

    @classmethod
    def attach_or_start(cls, home: Path, options: NodeOptions | None = None) -> LocalNode:
        """Return the running node of `home`, or start one and own it.

        Raises:
            NodeStartError: the node does not come up, or its owner does not get it up.
            WrongChainError: the running node serves another chain id than `options` says.
            NodeStateError: no copy of the state on disk can be read.
            ToolchainMissingError: the node's program is not installed.
        """
        options = options or NodeOptions()
        folder = (home / "chain").absolute()
        folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + options.start_timeout_s
        while time.monotonic() < deadline:
            lock = _try_lock(folder / "node.lock")
            if lock is not None:
                supervisor = Supervisor(folder, options, lock)
                return cls(supervisor.start(), supervisor)
            url = _answering_url(folder, options.chain_id)
            if url is not None:
                return cls(url)
            time.sleep(_POLL_S)
        raise NodeStartError("the owner of the local chain does not get it up", got=str(folder))

    @property
    def owned(self) -> bool:
        """Whether this process owns the node."""
        return self._supervisor is not None

    @property
    def pid(self) -> int | None:
        """The node's process id when it is owned, else None."""
        return self._supervisor.pid if self._supervisor else None

    @property
    def restarts(self) -> int:
        """How often the owned node died and was started again."""
        return self._supervisor.restarts if self._supervisor else 0

    def stop(self) -> None:
        """End an owned node in order, its state written; an attached one is left alone."""
        self._rpc.close()
        if self._supervisor is not None:
            self._supervisor.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of a JSON-RPC call to the node."""
        return self._rpc.call(method, *params)

    def block_number(self) -> int:
        """Return the number of the newest block."""
        return self._rpc.integer("eth_blockNumber")

    def fund(self, address: str, wei: int = 10**24) -> None:
        """Set the balance of `address`, so that its transactions have gas on this chain.

        A block is mined too: only a new head makes the next checkpoint.
        """
        self._rpc.call("anvil_setBalance", address, hex(wei))
        self.mine()

    def checkpoint(self) -> None:
        """Write the state to disk now; blocks up to this one survive a kill of the node.

        Raises:
            NodeStartError: the node is not owned by this process.
        """
        if self._supervisor is None:
            raise NodeStartError("only the owner of the local chain writes its state")
        self._supervisor.checkpoint()

    def head_seconds(self) -> int:
        """Return the newest block's time, Unix seconds."""
        return int(self._rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def move_clock(self, unix_seconds: int) -> None:
        """Mine a block at a later time; the clock runs on from there."""
        self._rpc.call("evm_setNextBlockTimestamp", unix_seconds)
        self.mine()

    def increase_time(self, seconds: int) -> None:
        """Move the chain's clock forward and mine a block at the new time."""
        self._rpc.call("evm_increaseTime", seconds)
        self.mine()

    def mine(self, blocks: int = 1) -> None:
        """Mine `blocks` blocks."""
        self._rpc.call("anvil_mine", hex(blocks))

    def snapshot(self) -> str:
        """Return the name of a snapshot of the chain as it is."""
        return str(self._rpc.call("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Return to a snapshot, which is used up by it.

        Raises:
            RpcRefusedError: there is no such snapshot.
        """
        if self._rpc.call("evm_revert", snapshot) is not True:
            raise RpcRefusedError("no such snapshot", field="snapshot", got=snapshot)

    def reorg(self, depth: int) -> None:
        """Replace the newest `depth` blocks by empty ones; their transactions are dropped.

        Raises:
            RpcRefusedError: the blocks are older than this run of the node.
        """
        self._rpc.call("anvil_reorg", depth, [])

    def rollback(self, depth: int) -> None:
        """Drop the newest `depth` blocks: the head goes back."""
        self._rpc.call("anvil_rollback", depth)


class Supervisor:
    """Keeps the node of one folder alive and its state on disk, in one thread of its own.

    The node is always started by that thread: the kernel ties a child to the thread that made it.
    """

    def __init__(self, folder: Path, options: NodeOptions, lock: IO[bytes]) -> None:
        self.restarts = 0
        self._folder = folder
        self._options = options
        self._lock = lock
        self._state = NodeState(folder)
        self._port = 0
        self._process: NodeProcess | None = None
        self._saving = threading.Lock()
        self._saved_head = ""
        self._ended = threading.Event()
        self._ready = threading.Event()
        self._failure: ChainError | None = None
        self._thread = threading.Thread(target=self._run, name="local-node", daemon=True)

    @property
    def pid(self) -> int | None:
        """The node's process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> str:
        """Start the node and return its address.

        Raises:
            ChainError: what kept it from coming up.
        """
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return url_of(self._port)

    def stop(self) -> None:
        """End the node in order, write its state and give up the home."""
        self._ended.set()
        self._thread.join()

    def checkpoint(self) -> None:
        """Write the state to disk if the head has changed since the last time."""
        rpc = NodeRpc(url_of(self._port))
        try:
            with self._saving:
                head = rpc.call("eth_getBlockByNumber", "latest", False)["hash"]
                if head != self._saved_head:
                    dump = rpc.call("anvil_dumpState", self._options.historical_states)
                    self._state.save(dump)
                    self._saved_head = head
        finally:
            rpc.close()

    def _run(self) -> None:
        try:
            self._launch(choose_port(self._options.port or _last_port(self._folder)))
            self._ready.set()
            self._watch()
        except ChainError as error:
            self._failure = error
        finally:
            self._close()
            self._ready.set()

    def _launch(self, port: int) -> None:
        last = _read_json(self._folder / "node.json")
        if "pid" in last:
            end_orphan(last["pid"], self._folder)
        load = self._state.settle()
        self._process = launch(self._options, self._folder, port, load)
        self._port = port
        record = {"url": url_of(port), "port": port, "pid": self._process.pid}
        _write_json(self._folder / "node.json", record | {"chain_id": self._options.chain_id})

    def _watch(self) -> None:
        restarted_at: list[float] = []
        next_save = time.monotonic() + (self._options.checkpoint_interval_s or 0.0)
        while not self._ended.wait(_POLL_S):
            if self._process is None or not self._process.running:
                _refuse_endless_restarts(restarted_at)
                self._launch(self._port)
                self.restarts += 1
            elif self._options.checkpoint_interval_s is not None and time.monotonic() > next_save:
                next_save = self._save_and_plan(self._options.checkpoint_interval_s)

    def _save_and_plan(self, interval_s: float) -> float:
        """Take a checkpoint; return when the next is due, so that saving stays a small share."""
        began = time.monotonic()
        with contextlib.suppress(RpcUnavailableError, RpcRefusedError):
            self.checkpoint()
        ended = time.monotonic()
        return ended + max(interval_s, _CHECKPOINT_SHARE * (ended - began))

    def _close(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._state.settle()
        self._lock.close()


def _try_lock(file: Path) -> IO[bytes] | None:
    stream = file.open("ab")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        return None
    return stream


def _answering_url(folder: Path, chain_id: int) -> str | None:
    """Return the address of the running node once it answers, None while it does not."""
    url = _read_json(folder / "node.json").get("url")
    if url is None:
        return None
    rpc = NodeRpc(url, timeout_s=5.0)
    try:
        got = rpc.integer("eth_chainId")
    except RpcUnavailableError:
        return None
    finally:
        rpc.close()
    if got != chain_id:
        raise WrongChainError(
            "the local node serves another chain", field="chain_id", got=got, expected=chain_id
        )
    return str(url)


def _refuse_endless_restarts(restarted_at: list[float]) -> None:
    now = time.monotonic()
    restarted_at[:] = [moment for moment in restarted_at if moment > now - _RESTART_WINDOW_S]
    if len(restarted_at) >= _MAX_RESTARTS:
        raise NodeStartError("the local node keeps dying", field="restarts", got=len(restarted_at))
    restarted_at.append(now)


def _last_port(folder: Path) -> int | None:
    return _read_json(folder / "node.json").get("port")


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_json(file: Path, content: dict[str, Any]) -> None:
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(content), "utf-8")
    beside.replace(file)
