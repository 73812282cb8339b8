"""One thin wrapper per contract; `Contracts` holds those of one deployment."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.chain.client import Chain
from ledger.chain.contracts.applications import Applications
from ledger.chain.contracts.base import Contract, decode_calldata, encode_call
from ledger.chain.contracts.datasets import DatasetRegistry
from ledger.chain.contracts.directory import Directory
from ledger.chain.contracts.licences import LicenceRegistry
from ledger.chain.contracts.negotiations import Negotiations
from ledger.chain.contracts.objections import ObjectionDesk
from ledger.chain.contracts.revenue import RevenueLedger
from ledger.chain.contracts.standard import AccessManager, Forwarder
from ledger.chain.contracts.usage_log import UsageLog

__all__ = ["INDEXED", "Contract", "Contracts", "decode_calldata", "encode_call"]

INDEXED = (
    "Directory",
    "DatasetRegistry",
    "Applications",
    "LicenceRegistry",
    "Negotiations",
    "UsageLog",
    "RevenueLedger",
    "ObjectionDesk",
)
"""The contracts whose numbered events make the projections."""


class Contracts:
    """The wrappers of one deployment.

    Args:
        chain: where they are deployed.
        addresses: address by contract name, as in `Deployment.addresses`.
    """

    def __init__(self, chain: Chain, addresses: Mapping[str, str]) -> None:
        self.access_manager = AccessManager(chain, addresses["AccessManager"])
        self.forwarder = Forwarder(chain, addresses["ERC2771Forwarder"])
        self.directory = Directory(chain, addresses["Directory"])
        self.datasets = DatasetRegistry(chain, addresses["DatasetRegistry"])
        self.applications = Applications(chain, addresses["Applications"])
        self.licences = LicenceRegistry(chain, addresses["LicenceRegistry"])
        self.negotiations = Negotiations(chain, addresses["Negotiations"])
        self.usage_log = UsageLog(chain, addresses["UsageLog"])
        self.revenue = RevenueLedger(chain, addresses["RevenueLedger"])
        self.objections = ObjectionDesk(chain, addresses["ObjectionDesk"])

    @property
    def indexed(self) -> dict[str, Contract]:
        """The contracts that number their events, by address."""
        market: tuple[Contract, ...] = (
            self.directory,
            self.datasets,
            self.applications,
            self.licences,
            self.negotiations,
            self.usage_log,
            self.revenue,
            self.objections,
        )
        return {contract.address: contract for contract in market}

    def attribute_of(self, contract: Contract) -> str:
        """Return the name by which this object holds one of its wrappers."""
        return next(name for name, value in vars(self).items() if value is contract)

    def by_address(self, address: str) -> Contract | None:
        """Return the wrapper of an address, None when it is none of ours."""
        return self.indexed.get(address.lower())
