"""The few JSON-RPC calls that looking after a local node needs, without a contract in sight."""

from __future__ import annotations

from typing import Any

import httpx

from ledger.chain.errors import RpcRefusedError, RpcUnavailableError


class NodeRpc:
    """A plain JSON-RPC client for one endpoint; safe to share between threads."""

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        self.url = url
        # The node is on this machine: a proxy of the environment must not come between.
        self._client = httpx.Client(timeout=timeout_s, trust_env=False)

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of `method`.

        Raises:
            RpcUnavailableError: nothing answers there, or not in JSON.
            RpcRefusedError: the node answered with an error object.
        """
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        try:
            answer = self._client.post(self.url, json=request).json()
        except (httpx.HTTPError, ValueError) as error:
            raise RpcUnavailableError(
                f"no JSON-RPC answer from {self.url}", field="rpc_url", got=repr(error)
            ) from error
        if "error" in answer:
            raise RpcRefusedError(f"{method} was refused", field=method, got=answer["error"])
        return answer["result"]

    def integer(self, method: str, *params: Any) -> int:
        """Return the result of a `method` that answers with a hexadecimal quantity."""
        return int(self.call(method, *params), 16)

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()
