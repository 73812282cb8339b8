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
    REGULATOR,
    DEVELOPER
}

/// @dev The bit of a signing account that may add, change and remove its organisation's others.
uint32 constant ADMINISTRATION = uint32(1) << 31;

/// @dev What an organisation may let take two of its accounts: one prepares, another acts. As a bit:
/// `1 << uint8(act)`.
enum JointAct {
    ADMINISTRATION,
    PRICE_APPROVAL,
    REMITTANCE_CLOSING
}

enum OrganisationStatus {
    NONE,
    ACTIVE,
    SUSPENDED
}

/// @dev Who is paid for an organisation: itself, its city's treasury, or both by the city's rule.
enum PayeeRule {
    ITSELF,
    TREASURY,
    CITY_RULE
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

/// @dev What is applied for: 首次, 变更, 更正, 注销, 续展.
enum RegistrationType {
    NONE,
    FIRST,
    CHANGE,
    CORRECTION,
    CANCELLATION,
    RENEWAL
}

enum NoticeObjectionState {
    NONE,
    OPEN,
    UPHELD,
    DISMISSED
}

/// @dev How far data is opened for a purpose in a mode, from the widest to none.
enum OpeningTier {
    NONE,
    OPEN,
    MASKED,
    CONDITIONAL,
    PRIVACY_ONLY,
    FORBIDDEN
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

enum ApplicationState {
    NONE,
    SUBMITTED,
    APPROVED,
    REFUSED,
    WITHDRAWN
}

/// @dev The states of a contract negotiation in the Dataspace Protocol, in its order; VERIFIED is the
/// buyer's signature of the agreement and is not a step of its own.
enum NegotiationState {
    NONE,
    REQUESTED,
    OFFERED,
    ACCEPTED,
    AGREED,
    FINALIZED,
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
    CYCLE_CLOSED,
    MARKET
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
