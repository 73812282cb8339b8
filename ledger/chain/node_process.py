"""One run of the local node's program, tied to the life of the process that started it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ledger.chain.demo_clock import held_from
from ledger.chain.errors import NodeStartError, RpcRefusedError, RpcUnavailableError
from ledger.chain.node_rpc import NodeRpc
from ledger.chain.toolchain import anvil_executable

HOST = "127.0.0.1"
_PR_SET_PDEATHSIG = 1
_POLL_S = 0.01
_LOG_TAIL_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """How a local node behaves.

    Attributes:
        chain_id: EIP-155 chain id.
        port: TCP port on the loopback interface; None takes the last one, else a free one.
        checkpoint_interval_s: longest time in seconds that a killed node may forget; None
            keeps no checkpoints while it runs (the state is still written at its end).
        prune_history: states of past blocks kept in memory; fewer lose state in deep reorgs.
        slots_in_an_epoch: blocks an epoch; `safe` is one, `finalized` two behind the head.
        hardfork: rules of the virtual machine; the contracts need no newer ones than these.
        dev_accounts: unlocked and funded accounts; none unless a test asks for them.
        historical_states: keep past states over a restart, at the price of large files.
        start_timeout_s: seconds until a node that does not answer counts as failed.
    """

    chain_id: int = 31337
    port: int | None = None
    checkpoint_interval_s: float | None = 1.0
    prune_history: int = 4000
    slots_in_an_epoch: int = 32
    hardfork: str = "paris"
    dev_accounts: int = 0
    historical_states: bool = False
    start_timeout_s: float = 60.0

    def command(self, program: Path, port: int, load: Path | None, dump: Path) -> list[str]:
        """Return the command line: load the state from `load`, write it to `dump` at the end."""
        command = [str(program), "--silent", "--host", HOST, "--port", str(port)]
        command += ["--chain-id", str(self.chain_id), "--hardfork", self.hardfork]
        command += ["--order", "fifo", "--prune-history", str(self.prune_history)]
        command += ["--slots-in-an-epoch", str(self.slots_in_an_epoch)]
        command += ["--accounts", str(self.dev_accounts), "--dump-state", str(dump)]
        if load is not None:
            command += ["--load-state", str(load)]
        if self.historical_states:
            command += ["--preserve-historical-states"]
        return command


class NodeProcess:
    """A running node. It gets SIGINT, and so writes its state, when its starter's thread ends."""

    def __init__(self, command: list[str], log_file: Path) -> None:
        self._log_file = log_file
        with log_file.open("ab") as log:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                preexec_fn=_tie_to_parent(),
            )

    @property
    def pid(self) -> int:
        """The process id of the node."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the node has not ended."""
        return self._child.poll() is None

    def wait_until_ready(self, rpc: NodeRpc, timeout_s: float) -> None:
        """Return once the node answers.

        Raises:
            NodeStartError: it ended, or did not answer within `timeout_s` seconds.
        """
        deadline = time.monotonic() + timeout_s
        while self.running and time.monotonic() < deadline:
            with contextlib.suppress(RpcUnavailableError):
                rpc.call("eth_chainId")
                return
            time.sleep(_POLL_S)
        self.stop()
        raise NodeStartError("the local node does not start", field="log", got=self._log_tail())

    def stop(self, timeout_s: float = 30.0) -> None:
        """End the node in order (it writes its state); by force after `timeout_s` seconds."""
        if not self.running:
            return
        self._child.send_signal(signal.SIGINT)
        try:
            self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the node at once; it writes nothing."""
        self._child.kill()
        self._child.wait()

    def _log_tail(self) -> str:
        return self._log_file.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace")


def launch(options: NodeOptions, folder: Path, port: int, load: Path | None) -> NodeProcess:
    """Start a node with its files in `folder` and wait until it answers.

    Raises:
        NodeStartError: it does not come up.
        ToolchainMissingError: its program is not installed.
    """
    command = options.command(anvil_executable(), port, load, folder / "exit.json")
    starts_at = held_from(folder)
    if starts_at is not None and load is None:
        command += ["--timestamp", str(starts_at)]
    process = NodeProcess(command, folder / "node.log")
    rpc = NodeRpc(url_of(port))
    try:
        process.wait_until_ready(rpc, options.start_timeout_s)
        _keep_clock(rpc, is_held=starts_at is not None)
    finally:
        rpc.close()
    return process


def url_of(port: int) -> str:
    """Return the JSON-RPC address of a local node on `port`."""
    return f"http://{HOST}:{port}"


def choose_port(wanted: int | None) -> int:
    """Return `wanted` when it is free, else any free port of the loopback interface."""
    for port in (wanted or 0, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise NodeStartError("no free port on the loopback interface", field="port", got=wanted)


def end_orphan(pid: int, folder: Path, timeout_s: float = 10.0) -> None:
    """Wait until a node that a dead owner left on `folder` has ended; kill it if it does not."""
    deadline = time.monotonic() + timeout_s
    while _is_node_of(pid, folder):
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_S)


def _is_node_of(pid: int, folder: Path) -> bool:
    try:
        return str(folder / "exit.json").encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _keep_clock(rpc: NodeRpc, *, is_held: bool) -> None:
    """Move the node's clock past its newest block: a restart forgets that it was moved."""
    with contextlib.suppress(RpcRefusedError):
        newest_s = int(rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        if is_held:
            rpc.call("evm_setTime", newest_s + 1)
            return
        ahead_s = newest_s - int(time.time())
        if ahead_s >= 0:
            rpc.call("evm_increaseTime", ahead_s + 1)


def _tie_to_parent() -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGINT)

    return in_child
