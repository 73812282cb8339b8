"""Acts of an organisation that may take two of its accounts: one prepares, another acts."""

from __future__ import annotations

from enum import IntEnum


class JointAct(IntEnum):
    """The bit number on chain; with any other, administration takes two as well."""

    ADMINISTRATION = 0
    PRICE_APPROVAL = 1
    REMITTANCE_CLOSING = 2
