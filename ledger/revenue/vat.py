"""Step 2, VAT: the accounts of a scheme are kept net of it."""

from __future__ import annotations

from typing import NamedTuple

from ledger.domain.units import PPM_WHOLE, Fen, Ppm, fen, ppm


class NetAndVat(NamedTuple):
    """A gross charge taken apart; the two parts sum to it exactly."""

    net_fen: Fen
    vat_fen: Fen


def take_vat(gross_fen: Fen, vat_ppm: Ppm) -> NetAndVat:
    """Return net (floor) and VAT (the rest) of a gross amount in whole fen.

    Source: domain report 4.3 step 2, net = ⌊gross·10⁶ / (10⁶ + vat)⌋.
    """
    fen(gross_fen, "gross_fen")
    net_fen = Fen(gross_fen * PPM_WHOLE // (PPM_WHOLE + ppm(vat_ppm, "vat_ppm")))
    return NetAndVat(net_fen, Fen(gross_fen - net_fen))
