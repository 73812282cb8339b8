// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JointAct, OrganisationStatus, PayeeRule, Role} from "../libraries/Codes.sol";
import {Ppm} from "../libraries/Units.sol";

/// @title IDirectory
/// @notice The organisations of the market, the accounts that sign for them, and what each may do
/// in which city. No name, number or person is kept: a profile is known by its salted digest.
interface IDirectory {
    /// @notice What a kind of organisation may be, and where its income goes.
    struct KindRule {
        /// @dev Bitmap of the roles it may hold: `1 << uint8(role)`.
        uint32 roles;
        /// @dev True for authorities, treasuries, platforms, regulators: only governance admits them.
        bool isInstitution;
        /// @dev Where its income goes: to itself, to the treasury of its city (国库集中收缴), or to
        /// both as that treasury has ruled (事业单位).
        PayeeRule payeeRule;
    }

    /// @notice Who is paid for what an organisation earns.
    struct Payees {
        /// @dev The treasury of its city; zero where the organisation alone is paid.
        bytes16 treasuryId;
        /// @dev The treasury's part, ppm; the rest is for the organisation's own account.
        Ppm treasuryPpm;
        /// @dev Number of the city's rule that says so; zero where there is no such rule.
        uint32 ruleNo;
    }

    struct Organisation {
        /// @dev Number of the kind; its rule is `kindRule(kind)`.
        uint8 kind;
        OrganisationStatus status;
        /// @dev Six-digit administrative division code, e.g. 320100.
        uint32 cityCode;
        /// @dev Unix seconds.
        uint64 joinedAt;
        /// @dev SHA-256(salt ‖ canonical JSON) of the profile, which stays off chain.
        bytes32 profileDigest;
    }

    event CityOpened(uint64 eventNo, uint32 indexed cityCode);
    event KindDefined(uint64 eventNo, uint8 indexed kind, KindRule rule);
    event OrganisationAdmitted(
        uint64 eventNo, bytes16 indexed organisationId, Organisation organisation, address signer
    );
    event OrganisationStatusSet(
        uint64 eventNo, bytes16 indexed organisationId, OrganisationStatus status, bytes32 decisionDigest
    );
    /// @dev `roles`: bitmap of the roles that the account may use, and of administration.
    event SignerAdded(
        uint64 eventNo, bytes16 indexed organisationId, address indexed signer, uint32 roles
    );
    event SignerRolesSet(
        uint64 eventNo, bytes16 indexed organisationId, address indexed signer, uint32 roles
    );
    event SignerRemoved(uint64 eventNo, bytes16 indexed organisationId, address indexed signer);
    event JointActsSet(uint64 eventNo, bytes16 indexed organisationId, uint32 jointActs);
    event WorkPrepared(
        uint64 eventNo, bytes16 indexed organisationId, bytes32 indexed workDigest, address indexed signer
    );
    event RoleGranted(uint64 eventNo, bytes16 indexed organisationId, Role indexed role, uint32 indexed cityCode);
    event RoleRevoked(uint64 eventNo, bytes16 indexed organisationId, Role indexed role, uint32 indexed cityCode);
    event TreasuryRuleSet(
        uint64 eventNo,
        uint32 indexed cityCode,
        uint32 ruleNo,
        Ppm treasuryPpm,
        bytes16 treasuryId,
        bytes32 decisionDigest
    );
    event DeskAppointed(uint64 eventNo, address indexed desk);

    /// @notice Two organisations are affiliates (关联方), the lower id first; who declared it.
    event AffiliatesDeclared(uint64 eventNo, bytes16 indexed oneId, bytes16 indexed otherId, bytes16 actorId);
    /// @notice Two organisations are affiliates no longer; the registrar who found so.
    event AffiliationEnded(
        uint64 eventNo, bytes16 indexed oneId, bytes16 indexed otherId, bytes16 actorId, bytes32 decisionDigest
    );

    /// @notice A year's working days (工作日) are set; both words zero mean Monday to Friday again.
    event WorkingDaysSet(uint64 eventNo, uint16 indexed year, uint256 low, uint256 high);
    /// @notice The length of public notice (公示) in working days; `isTrial` is the deployment's mark.
    event NoticeDaysSet(uint64 eventNo, uint16 workingDays, bool isTrial);

    /// @notice Thrown when an organisation would be its own affiliate.
    error Directory_AffiliateOfItself(bytes16 organisationId);
    /// @notice Thrown when a pair is declared twice, or ended without being declared.
    error Directory_AffiliationUnchanged(bytes16 oneId, bytes16 otherId, bool isAffiliate);
    /// @notice Thrown when the caller may not declare or end the affiliation of two others.
    error Directory_MayNotAffiliate(bytes16 actorId, bytes16 oneId, bytes16 otherId);
    /// @notice Thrown when a city code was never opened.
    error Directory_UnknownCity(uint32 cityCode);
    /// @notice Thrown when a kind number has no rule.
    error Directory_UnknownKind(uint8 kind);
    /// @notice Thrown when no organisation has this id.
    error Directory_UnknownOrganisation(bytes16 organisationId);
    /// @notice Thrown when an account signs for no organisation.
    error Directory_UnknownSigner(address signer);
    /// @notice Thrown when the organisation id is already taken.
    error Directory_OrganisationExists(bytes16 organisationId);
    /// @notice Thrown when the account already signs for an organisation.
    error Directory_SignerTaken(address signer, bytes16 organisationId);
    /// @notice Thrown when an account is removed that does not sign for the organisation.
    error Directory_SignerNotOfOrganisation(address signer, bytes16 organisationId);
    /// @notice Thrown when an account signs with a role that its organisation did not let it use.
    error Directory_SignerRoleMissing(address signer, Role role);
    /// @notice Thrown when an account signs that may use no role of its organisation.
    error Directory_SignerWithoutRole(address signer);
    /// @notice Thrown when an account is given no role at all, or bits that are no role.
    error Directory_SignerRolesInvalid(address signer, uint32 got, uint32 limit);
    /// @notice Thrown when an account changes signers without being an administrator.
    error Directory_NotAdministrator(address signer, bytes16 organisationId);
    /// @notice Thrown when an account changes or removes itself: so the last administrator stays.
    error Directory_OwnSigner(address signer);
    /// @notice Thrown when an act that takes two would be left to fewer accounts.
    error Directory_TooFewSigners(bytes16 organisationId, uint32 count);
    /// @notice Thrown when a bit names no act that can take two.
    error Directory_JointActsUnknown(bytes16 organisationId, uint32 got, uint32 limit);
    /// @notice Thrown when an act takes two and no other account of the organisation prepared it.
    error Directory_SecondSignerMissing(bytes16 organisationId, JointAct act, bytes32 workDigest);
    /// @notice Thrown when the organisation is suspended.
    error Directory_OrganisationSuspended(bytes16 organisationId);
    /// @notice Thrown when the organisation lacks the role in the city.
    error Directory_RoleMissing(bytes16 organisationId, Role role, uint32 cityCode);
    /// @notice Thrown when a role is granted outside the organisation's own city.
    error Directory_RoleOutsideCity(bytes16 organisationId, Role role, uint32 cityCode, uint32 ownCityCode);
    /// @notice Thrown when the kind may not hold the role.
    error Directory_RoleNotForKind(bytes16 organisationId, Role role, uint8 kind);
    /// @notice Thrown when two roles may not be in one hand.
    error Directory_ForbiddenPair(bytes16 organisationId, Role held, Role asked);
    /// @notice Thrown when the caller may neither govern nor register in the city.
    error Directory_MayNotAdmit(address caller, uint8 kind, uint32 cityCode);
    /// @notice Thrown when an organisation tries to decide on itself.
    error Directory_OwnCase(bytes16 organisationId);
    /// @notice Thrown when a city has no treasury to receive its income.
    error Directory_NoTreasury(uint32 cityCode);
    /// @notice Thrown when a treasury's part is more than the whole.
    error Directory_TreasuryPartTooLarge(Ppm got, uint32 limitPpm);
    /// @notice Thrown when the market has its objection desk already, or none is named.
    error Directory_DeskTaken(address current);
    /// @notice Thrown when only the objection desk may do this.
    error Directory_NotDesk(address caller);

    /// @notice Thrown when a table names days that the year does not have.
    error Directory_CalendarMalformed(uint16 year, uint256 high);
    /// @notice Thrown when more working days are asked for than are counted.
    error Directory_TooManyDays(uint16 count, uint16 limit);
    /// @notice Thrown when public notice would be shorter than the law's and the chain is no trial.
    error Directory_NoticeTooShort(uint16 got, uint16 limit);

    /// @notice Opens a jurisdiction. Governance only. Emits {CityOpened}; a second time does nothing.
    /// @param cityCode Administrative division code.
    function openCity(uint32 cityCode) external;

    /// @notice Says what a kind of organisation may do. Governance only. Emits {KindDefined}.
    function defineKind(uint8 kind, KindRule calldata rule) external;

    /// @notice Names the contract that decides on objections, once and for all. Governance only. Emits {DeskAppointed}.
    function appointDesk(address desk) external;

    /// @notice Admits an organisation with its first signing account. Emits {OrganisationAdmitted}.
    /// @dev Institutions are admitted by governance, all others by a registrar of their city.
    /// @param organisationId UUIDv7 chosen by the caller; zero is no organisation.
    /// @param profileDigest Salted digest of the profile (name, unified social credit code, contact).
    /// @param signer Its first account; zero is no account.
    function admit(
        bytes16 organisationId,
        uint8 kind,
        uint32 cityCode,
        bytes32 profileDigest,
        address signer
    ) external;

    /// @notice Grants a role in a city. Emits {RoleGranted}; a second time does nothing.
    /// @dev Local roles (provider, registrar, price authority, treasury, handler) are possible only in
    /// the organisation's own city. Forbidden pairs are refused. Who admits may grant.
    function grantRole(bytes16 organisationId, Role role, uint32 cityCode) external;

    /// @notice Takes a role away. Emits {RoleRevoked}. Who may grant may revoke.
    function revokeRole(bytes16 organisationId, Role role, uint32 cityCode) external;

    /// @notice Lets another account sign for the caller's organisation. Emits {SignerAdded}.
    /// @dev Administrators only, as the three below. The first account of an organisation may use all.
    /// @param roles Bitmap of the roles that it may use, `1 << uint8(role)`, and of administration, bit
    /// 31; never none. It grants nothing that the organisation does not hold.
    function addSigner(address signer, uint32 roles) external;

    /// @notice Changes what another account of the caller's organisation may use. Emits {SignerRolesSet}.
    function setSignerRoles(address signer, uint32 roles) external;

    /// @notice Ends another account's right to sign for the caller's organisation. Emits {SignerRemoved}.
    function removeSigner(address signer) external;

    /// @notice Says which acts take two accounts of the caller's organisation. Emits {JointActsSet}.
    /// @dev With any of them, administration is one too, this call included.
    /// @param acts Bitmap, `1 << uint8(act)`.
    function setJointActs(uint32 acts) external;

    /// @notice Notes that the caller prepared a call for another of its organisation. Emits {WorkPrepared}.
    /// @param workDigest SHA-256 of the contract's address (20 bytes) and the calldata.
    function prepareWork(bytes32 workDigest) external;

    /// @notice Reverts when the organisation of `signer` wants two for an act and no other prepared this
    /// call of the asking contract.
    function requireSecond(address signer, JointAct act, bytes calldata data) external view;

    /// @notice The active organisation of an account that may use `role` for it, whether or not the
    /// organisation holds the role; reverts otherwise.
    function requireMayUse(address signer, Role role) external view returns (bytes16 organisationId);

    /// @notice The active organisation of an account that may use at least one role for it; reverts otherwise.
    function requireAnyRole(address signer) external view returns (bytes16 organisationId);

    /// @notice The active organisation of an account that may use the role of operator or, for a
    /// platform, that of platform; reverts otherwise.
    /// @param operatorId Organisation for which it would act; zero for none.
    /// @return organisationId The account's.
    /// @return mayAct Whether it signs for that operator, or for a platform.
    function requireOperating(address signer, bytes16 operatorId)
        external
        view
        returns (bytes16 organisationId, bool mayAct);

    /// @notice Whom an account signs for and what it may use; zeros for nobody.
    function signerRoles(address signer) external view returns (bytes16 organisationId, uint32 roles);

    /// @notice Suspends or restores an organisation. Who may admit it may do so. Emits {OrganisationStatusSet}.
    function setStatus(bytes16 organisationId, OrganisationStatus status, bytes32 decisionDigest) external;

    /// @notice Says which part of its public institutions' income a city's treasury is paid; the whole
    /// while nothing was said. Only the treasury of that city. Emits {TreasuryRuleSet}.
    /// @dev In force at once for what is not remitted yet; what is remitted stays as it was paid.
    /// @param treasuryPpm The treasury's part, ppm; the rest goes to each institution's own account.
    /// @param decisionDigest Salted digest of the decision.
    function setTreasuryRule(uint32 cityCode, Ppm treasuryPpm, bytes32 decisionDigest) external;

    /// @notice The active organisation for which an account signs; reverts when there is none.
    function organisationOf(address signer) external view returns (bytes16 organisationId);

    /// @notice The active organisation of an account that holds `role` in `cityCode`; reverts otherwise.
    function requireRole(address signer, Role role, uint32 cityCode) external view returns (bytes16 organisationId);

    /// @notice The active organisation of an account that holds `role` in its own city; reverts otherwise.
    function requireRoleAtHome(address signer, Role role)
        external
        view
        returns (bytes16 organisationId, uint32 cityCode);

    /// @return Whether the organisation is active and holds the role in the city.
    function hasRole(bytes16 organisationId, Role role, uint32 cityCode) external view returns (bool);

    /// @return Whether the organisation is active and holds the role in its own city; reverts when unknown.
    function hasRoleAtHome(bytes16 organisationId, Role role) external view returns (bool);

    /// @notice One organisation; reverts when unknown.
    function organisation(bytes16 organisationId) external view returns (Organisation memory);

    /// @notice Who is paid for what an organisation earns: itself, the treasury of its city, or both.
    /// @dev Reverts when it needs a treasury that its city does not have.
    function payeesOf(bytes16 organisationId) external view returns (Payees memory payees);

    /// @return The rule of a kind.
    function kindRule(uint8 kind) external view returns (KindRule memory);

    /// @notice Sets a year's working days. Governance only. Emits {WorkingDaysSet}.
    /// @param low Bit i is day i of the year, counted from zero.
    /// @param high Bit i is day 256 + i of the year.
    function setWorkingDays(uint16 year, uint256 low, uint256 high) external;

    /// @notice Sets the length of public notice. Governance only. Emits {NoticeDaysSet}.
    /// @dev Ten working days or more (发改数据规〔2025〕26号); less only on a chain that was deployed as a trial.
    function setNoticeDays(uint16 workingDays) external;

    /// @return low Days 0 to 255 of a year as bits.
    /// @return high The days from 256 on; both are zero for a year without a table.
    function workingDaysOf(uint16 year) external view returns (uint256 low, uint256 high);

    /// @notice The end of the n-th working day in China after an instant.
    /// @dev A year without a table has Monday to Friday. Source: 民法典 arts. 201 to 203.
    /// @param fromSeconds Unix seconds; its own day does not count.
    /// @param count Number of working days, at most 366; zero gives the end of the day itself.
    /// @return Unix seconds of the last second of that day.
    function workingDaysAfter(uint64 fromSeconds, uint16 count) external view returns (uint64);

    /// @return The last second of a public notice that began at an instant; zero where notice has no length.
    function noticeUntil(uint64 fromSeconds) external view returns (uint64);

    /// @return Whether an account governs the directory.
    function isGovernance(address account) external view returns (bool);

    /// @return Working days of public notice.
    function noticeDays() external view returns (uint16);

    /// @return Whether this chain was deployed as a trial (试运行), where notice may be shorter than the law's.
    function isTrial() external view returns (bool);

    /// @notice Declares two organisations affiliates: either of them, or a registrar of the city of one.
    /// Emits {AffiliatesDeclared}.
    function declareAffiliates(bytes16 oneId, bytes16 otherId) external;

    /// @notice Ends an affiliation: a registrar of the city of one of the two, who is neither.
    /// Emits {AffiliationEnded}.
    function endAffiliation(bytes16 oneId, bytes16 otherId, bytes32 decisionDigest) external;

    /// @return Whether two organisations are declared affiliates, in either order.
    function isAffiliate(bytes16 oneId, bytes16 otherId) external view returns (bool);

    /// @return The contract that decides on objections; zero before it is named.
    function objectionDesk() external view returns (address);
}
