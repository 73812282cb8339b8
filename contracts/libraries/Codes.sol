// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// The numbers equal those of `ledger/domain/codes.py`. Zero is "not set" wherever it is not a value.

/// @dev The bit of a role in an organisation's bitmap for one city is `1 << uint8(role)`.
enum Role {
    PROVIDER,
    OPERATOR,
    BUYER,
    PLATFORM,
    REGISTRAR,
    PRICE_AUTHORITY,
    TREASURY,
    HANDLER,
    REGULATOR
}

enum OrganisationStatus {
    NONE,
    ACTIVE,
    SUSPENDED
}

enum OpenClass {
    NONE,
    UNCONDITIONAL,
    CONDITIONAL,
    NOT_OPEN
}

enum Sensitivity {
    NONE,
    GENERAL,
    IMPORTANT,
    CORE
}

enum RegistrationState {
    NONE,
    EVIDENCED,
    APPLIED,
    ACCEPTED,
    REVIEWED,
    PUBLIC_NOTICE,
    CODED,
    CANCELLED,
    REVOKED,
    EXPIRED
}

enum QualityGrade {
    NONE,
    A,
    B,
    C,
    D,
    E
}

enum UpdateFrequency {
    NONE,
    REAL_TIME,
    DAILY,
    WEEKLY,
    MONTHLY,
    QUARTERLY,
    HALF_YEARLY,
    YEARLY,
    IRREGULAR,
    STATIC
}

enum Purpose {
    NONE,
    PUBLIC_GOVERNANCE,
    PUBLIC_WELFARE,
    INDUSTRY,
    SECTOR,
    COMPETITION
}

enum ChargeBasis {
    NONE,
    PRODUCTS,
    SERVICE_CALLS,
    SERVICE_TIME,
    DATA_RECORDS
}

enum ProductState {
    NONE,
    LISTED,
    SUSPENDED,
    WITHDRAWN
}

enum LicenceState {
    NONE,
    ACTIVE,
    SUSPENDED,
    TERMINATED
}

enum InvoiceState {
    NONE,
    ISSUED,
    HELD,
    RELEASED,
    SPLIT,
    REFUNDED
}

enum SchemeState {
    NONE,
    OPEN,
    YEAR_CLOSED,
    ANSWERED,
    CYCLE_CLOSED
}

enum CloseOutcome {
    NONE,
    ADJUST_PRICE,
    ADJUST_CAP
}

enum RemittanceState {
    NONE,
    OPEN,
    CLOSED
}

enum ClaimantKind {
    NONE,
    DATASET,
    ORGANISATION
}

/// @dev What an objection is about.
enum SubjectKind {
    NONE,
    DATASET,
    PRODUCT,
    LICENCE,
    INVOICE
}

/// @dev 脱敏不足, 格式, 质量, 更新缓慢, 平台问题, 计费, 超范围使用, 个人信息或商业秘密侵权.
enum Ground {
    NONE,
    MASKING,
    FORMAT,
    QUALITY,
    SLOW_UPDATE,
    PLATFORM_FAULT,
    BILLING,
    OVER_SCOPE,
    INFRINGEMENT
}

enum ObjectionState {
    NONE,
    OPENED,
    ACCEPTED,
    RESPONDED,
    VERIFIED,
    DECIDED,
    NOTIFIED,
    EXECUTED,
    CLOSED,
    REFUSED,
    WITHDRAWN
}

enum Outcome {
    NONE,
    WITHDRAW,
    RESUME,
    REOPEN,
    REFUND,
    DISMISS
}

/// @dev 行政复议, 行政诉讼, or what the contract provides.
enum ReliefRoute {
    NONE,
    REVIEW,
    LITIGATION,
    CONTRACT
}
