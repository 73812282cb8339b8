"""The errors of the chain layer, from the local node up to the contracts' own refusals.

Rules kept here:
1. Leaf names end in `Error`; each has a code "chain.what_is_wrong" that never changes.
2. `retryable` is true only where the same call may succeed later without being changed.
"""

from __future__ import annotations

from ledger.domain.errors import LedgerError


class ChainError(LedgerError):
    """Base of everything that goes wrong between the ledger and its chain."""

    code = "chain.error"


class ToolchainMissingError(ChainError):
    """A program the task needs (Node.js, anvil, the compiler) is not installed."""

    code = "chain.toolchain_missing"


class ArtifactMissingError(ChainError):
    """The packaged artifacts lack the contract, or are absent altogether."""

    code = "chain.artifact_missing"


class ArtifactsStaleError(ChainError):
    """The packaged artifacts were not made from the contracts beside them."""

    code = "chain.artifacts_stale"


class CompilationError(ChainError):
    """The Solidity compiler refused the sources; `got` holds its message."""

    code = "chain.compilation_failed"


class NodeStartError(ChainError):
    """The local node did not come up; `got` holds the end of its log."""

    code = "chain.node_start_failed"


class NodeStateError(ChainError):
    """No readable copy of the local node's state is left on disk."""

    code = "chain.node_state_unreadable"


class RpcUnavailableError(ChainError):
    """The JSON-RPC endpoint does not answer."""

    code = "chain.rpc_unavailable"
    retryable = True


class RpcRefusedError(ChainError):
    """The JSON-RPC endpoint answered with an error object."""

    code = "chain.rpc_refused"


class WrongChainError(ChainError):
    """The JSON-RPC endpoint serves another chain than the one asked for."""

    code = "chain.wrong_chain_id"
