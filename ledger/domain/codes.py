"""Code lists that the contracts, the tables, the API and the screens share.

Every number here equals the number of the enumeration of the same name in
`contracts/libraries/Codes.sol` (tested).
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TypeVar

from ledger.domain.dealing_codes import ApplicationState as ApplicationState
from ledger.domain.dealing_codes import NegotiationState as NegotiationState
from ledger.domain.errors import UnknownCodeError
from ledger.domain.joint_acts import JointAct as JointAct
from ledger.domain.opening_codes import NoticeObjectionState as NoticeObjectionState
from ledger.domain.opening_codes import OpeningTier as OpeningTier
from ledger.domain.opening_codes import RegistrationType as RegistrationType


class OrganisationKind(IntEnum):
    """单位类型. Decides who is paid: see `payee` rules in `domain.md` 4.3 step 10."""

    ADMINISTRATIVE = 1
    PUBLIC_INSTITUTION = 2
    PUBLIC_UTILITY = 3
    STATE_ENTERPRISE = 4
    ENTERPRISE = 5
    AUTHORITY = 6
    TREASURY = 7
    PLATFORM = 8
    REGULATOR = 9


class OrganisationStatus(IntEnum):
    """State of an organisation in the directory."""

    ACTIVE = 1
    SUSPENDED = 2


class PayeeRule(IntEnum):
    """Who is paid for an organisation: itself, its city's treasury, or both by the city's rule."""

    ITSELF = 0
    TREASURY = 1
    CITY_RULE = 2


class Role(IntEnum):
    """What an organisation may do, always within one city; the bit number on chain."""

    PROVIDER = 0
    OPERATOR = 1
    BUYER = 2
    PLATFORM = 3
    REGISTRAR = 4
    PRICE_AUTHORITY = 5
    TREASURY = 6
    HANDLER = 7
    REGULATOR = 8
    DEVELOPER = 9


ADMINISTRATION = 1 << 31
SIGNER_ROLES_ALL = (1 << len(Role)) - 1 | ADMINISTRATION


class OpenClass(IntEnum):
    """开放类型."""

    UNCONDITIONAL = 1
    CONDITIONAL = 2
    NOT_OPEN = 3


class Sensitivity(IntEnum):
    """数据级别."""

    GENERAL = 1
    IMPORTANT = 2
    CORE = 3


class RegistrationState(IntEnum):
    """登记状态. EVIDENCED is 存证, before the application."""

    EVIDENCED = 1
    APPLIED = 2
    ACCEPTED = 3
    REVIEWED = 4
    PUBLIC_NOTICE = 5
    CODED = 6
    CANCELLED = 7
    REVOKED = 8
    EXPIRED = 9


class QualityGrade(IntEnum):
    """质量等级; NONE before the first inspection."""

    NONE = 0
    A = 1
    B = 2
    C = 3
    D = 4
    E = 5


class UpdateFrequency(IntEnum):
    """更新频率."""

    REAL_TIME = 1
    DAILY = 2
    WEEKLY = 3
    MONTHLY = 4
    QUARTERLY = 5
    HALF_YEARLY = 6
    YEARLY = 7
    IRREGULAR = 8
    STATIC = 9


class DeliveryMode(IntEnum):
    """提供方式; the number in a receipt. Bit `1 << (mode - 1)` in a bitmap of modes."""

    DOWNLOAD = 1
    INTERFACE = 2
    SANDBOX = 3
    ENCRYPTED_COMPUTATION = 4
    DATA_SAFE_HOUSE = 5
    VERIFICATION = 6
    MODEL = 7

    @property
    def bit(self) -> int:
        """The mode's bit in a bitmap of modes."""
        return 1 << (self - 1)


class Purpose(IntEnum):
    """用途. Public governance, public welfare and competitions are free, and still metered."""

    PUBLIC_GOVERNANCE = 1
    PUBLIC_WELFARE = 2
    INDUSTRY = 3
    SECTOR = 4
    COMPETITION = 5

    @property
    def is_chargeable(self) -> bool:
        """Whether use for this purpose may be charged (发改价格〔2025〕65号)."""
        return self in (Purpose.INDUSTRY, Purpose.SECTOR)


class ChargeBasis(IntEnum):
    """计费方式: what one unit is (发改价格〔2025〕65号)."""

    PRODUCTS = 1
    SERVICE_CALLS = 2
    SERVICE_TIME = 3
    DATA_RECORDS = 4


class ClaimantKind(IntEnum):
    """What shares a product's income: a dataset, or an organisation such as its operator."""

    DATASET = 1
    ORGANISATION = 2


class ProductState(IntEnum):
    """State of a product in the catalogue of products."""

    LISTED = 1
    SUSPENDED = 2
    WITHDRAWN = 3


class LicenceState(IntEnum):
    """State of a licence; expiry follows from its dates, not from its state."""

    ACTIVE = 1
    SUSPENDED = 2
    TERMINATED = 3


class InvoiceState(IntEnum):
    """State of an invoice and of the money paid on it."""

    ISSUED = 1
    HELD = 2
    RELEASED = 3
    SPLIT = 4
    REFUNDED = 5


class SchemeState(IntEnum):
    """State of a pricing scheme's year."""

    OPEN = 1
    YEAR_CLOSED = 2
    ANSWERED = 3
    CYCLE_CLOSED = 4
    MARKET = 5


class CloseOutcome(IntEnum):
    """What a year's deviation asks the price authority to do; either needs a recorded response."""

    ADJUST_PRICE = 1  # 指导调整具体收费标准
    ADJUST_CAP = 2  # 调整上限收费标准


class RemittanceState(IntEnum):
    """State of a remittance batch."""

    OPEN = 1
    CLOSED = 2


class ReceiptStatus(IntEnum):
    """What a receipt records: delivery, or why it was refused or failed (units are then 0)."""

    DELIVERED = 0
    QUOTA_EXCEEDED = 1
    MODE_NOT_GRANTED = 2
    PURPOSE_NOT_GRANTED = 3
    NOT_YET_VALID = 4
    EXPIRED = 5
    LICENCE_SUSPENDED = 6
    PRODUCT_SUSPENDED = 7
    LICENCE_TERMINATED = 8
    FAILED = 100


class ModeSet(IntFlag):
    """A set of delivery modes as the bitmap that the chain stores."""

    NONE = 0
    DOWNLOAD = 1
    INTERFACE = 2
    SANDBOX = 4
    ENCRYPTED_COMPUTATION = 8
    DATA_SAFE_HOUSE = 16
    VERIFICATION = 32
    MODEL = 64

    @classmethod
    def of(cls, modes: list[DeliveryMode]) -> ModeSet:
        """Return the bitmap of a list of modes."""
        result = cls.NONE
        for mode in modes:
            result |= cls(mode.bit)
        return result

    def modes(self) -> list[DeliveryMode]:
        """Return the modes in the bitmap, in their order."""
        return [mode for mode in DeliveryMode if self & mode.bit]


Code = TypeVar("Code", bound=IntEnum)


def parse_code(kind: type[Code], value: object, name: str) -> Code:
    """Return the member of a code list given by its number or its name (any case, - or _).

    Raises:
        UnknownCodeError: with the names that the list has.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if value in kind._value2member_map_:
            return kind(value)
    elif isinstance(value, str):
        key = value.strip().upper().replace("-", "_")
        if key in kind.__members__:
            return kind[key]
    names = [member.name.lower() for member in kind]
    raise UnknownCodeError(
        f"{name} must be one of {', '.join(names)}, got {value!r}",
        field=name,
        got=value,
        expected=names,
    )
