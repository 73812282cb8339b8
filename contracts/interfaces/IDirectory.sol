// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {OrganisationStatus, Role} from "../libraries/Codes.sol";

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
        /// @dev True where income goes to the treasury of the organisation's city (国库集中收缴).
        bool isPaidToTreasury;
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
    event SignerAdded(uint64 eventNo, bytes16 indexed organisationId, address indexed signer);
    event SignerRemoved(uint64 eventNo, bytes16 indexed organisationId, address indexed signer);
    event RoleGranted(uint64 eventNo, bytes16 indexed organisationId, Role indexed role, uint32 indexed cityCode);
    event RoleRevoked(uint64 eventNo, bytes16 indexed organisationId, Role indexed role, uint32 indexed cityCode);
    event DeskAppointed(uint64 eventNo, address indexed desk);

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
    /// @notice Thrown when the market has its objection desk already, or none is named.
    error Directory_DeskTaken(address current);
    /// @notice Thrown when only the objection desk may do this.
    error Directory_NotDesk(address caller);

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
    function addSigner(address signer) external;

    /// @notice Ends an account's right to sign for the caller's organisation. Emits {SignerRemoved}.
    function removeSigner(address signer) external;

    /// @notice Suspends or restores an organisation. Who may admit it may do so. Emits {OrganisationStatusSet}.
    function setStatus(bytes16 organisationId, OrganisationStatus status, bytes32 decisionDigest) external;

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

    /// @notice One organisation; reverts when unknown.
    function organisation(bytes16 organisationId) external view returns (Organisation memory);

    /// @notice Who is paid for what an organisation earns: itself, or the treasury of its city.
    function payeeOf(bytes16 organisationId) external view returns (bytes16 payeeId);

    /// @return The rule of a kind.
    function kindRule(uint8 kind) external view returns (KindRule memory);

    /// @return The contract that decides on objections; zero before it is named.
    function objectionDesk() external view returns (address);
}
