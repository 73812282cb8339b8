"""Units of money, share and time, each with its limits.

Rules kept here:
1. Money is integers. Whole fen (分) for prices charged, invoices, VAT, payments and remittances;
   millionths of a fen (µfen) for entitlements; micro-yuan for unit prices; ppm for shares.
2. `AMOUNT_FEN_MAX` keeps every amount exact in any JSON reader (2^53 - 1).
3. `INCOME_FEN_MAX` is the largest income whose entitlements fit the chain's uint64 of µfen.
4. Every division says its direction: floor here, always.
"""

from __future__ import annotations

from typing import NewType

from ledger.domain.errors import ValueOutOfRangeError

Fen = NewType("Fen", int)
MicroFen = NewType("MicroFen", int)
MicroYuan = NewType("MicroYuan", int)
Ppm = NewType("Ppm", int)
UnixSeconds = NewType("UnixSeconds", int)
UnixMillis = NewType("UnixMillis", int)

MICRO_FEN_PER_FEN = 1_000_000
MICRO_YUAN_PER_FEN = 10_000
FEN_PER_YUAN = 100
PPM_WHOLE = 1_000_000
UINT16_MAX = 2**16 - 1
UINT32_MAX = 2**32 - 1
UINT64_MAX = 2**64 - 1
AMOUNT_FEN_MAX = 2**53 - 1
INCOME_FEN_MAX = UINT64_MAX // MICRO_FEN_PER_FEN
SPREAD_PPM_MAX = 60_000
HOLD_DAYS_MAX = 60
"""Working days; `BookKeeping.HOLD_DAYS_MAX` of the contracts."""


def require_range(name: str, value: object, low: int, high: int) -> int:
    """Return `value` when it is an integer (not a bool) within [low, high].

    Raises:
        ValueOutOfRangeError: with field, got and expected otherwise.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueOutOfRangeError(
            f"{name} must be an integer from {low} to {high}, got {value!r}",
            field=name,
            got=value,
            expected=f"{low} … {high}",
        )
    return value


def fen(value: object, name: str = "amount_fen") -> Fen:
    """Check and return an amount of whole fen, 0 … 2^53 - 1."""
    return Fen(require_range(name, value, 0, AMOUNT_FEN_MAX))


def income_fen(value: object, name: str = "income_fen") -> Fen:
    """Check and return an income that can be split: its µfen fit a uint64."""
    return Fen(require_range(name, value, 0, INCOME_FEN_MAX))


def micro_fen(value: object, name: str = "amount_micro_fen") -> MicroFen:
    """Check and return an entitlement in millionths of a fen, 0 … 2^64 - 1."""
    return MicroFen(require_range(name, value, 0, UINT64_MAX))


def micro_yuan(value: object, name: str = "price_micro_yuan") -> MicroYuan:
    """Check and return a unit price in millionths of a yuan, 0 … 2^64 - 1."""
    return MicroYuan(require_range(name, value, 0, UINT64_MAX))


def ppm(value: object, name: str = "share_ppm") -> Ppm:
    """Check and return a share in parts per million, 0 … 1,000,000."""
    return Ppm(require_range(name, value, 0, PPM_WHOLE))


def fen_to_micro(amount_fen: Fen) -> MicroFen:
    """Return the µfen of an income; exact."""
    return MicroFen(income_fen(amount_fen) * MICRO_FEN_PER_FEN)


def whole_fen(amount_micro_fen: MicroFen) -> Fen:
    """Return the whole fen in an entitlement; floor: the fraction stays in the account."""
    return Fen(amount_micro_fen // MICRO_FEN_PER_FEN)


def yuan_text(amount_fen: int) -> str:
    """Return an amount as yuan with two decimals for people, e.g. 106,000.00; exact."""
    return _yuan(amount_fen, FEN_PER_YUAN)


def yuan_text_exact(amount_micro_fen: int) -> str:
    """Return an entitlement as yuan with its carried fraction (eight decimals); exact."""
    return _yuan(amount_micro_fen, MICRO_FEN_PER_FEN * FEN_PER_YUAN)


def yuan_text_unit(price_micro_yuan: int) -> str:
    """Return a unit price as yuan with its six decimals; exact."""
    return _yuan(price_micro_yuan, MICRO_YUAN_PER_FEN * FEN_PER_YUAN)


def _yuan(amount: int, per_yuan: int) -> str:
    yuan, rest = divmod(abs(amount), per_yuan)
    return f"{'-' if amount < 0 else ''}{yuan:,}.{rest:0{len(str(per_yuan)) - 1}d}"
