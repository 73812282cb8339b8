// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ApplicationState, OpenClass, Purpose} from "../libraries/Codes.sol";

/// @title IApplications
/// @notice Conditional use: whose datasets need an application, what was applied for, and what the
/// provider decided. Forms and reasons stay off chain, by salted digest.
interface IApplications {
    struct Application {
        bytes16 applicantId;
        bytes16 datasetId;
        /// @dev Unix seconds, exclusive; 0 until it is approved.
        uint64 validUntil;
        Purpose purpose;
        /// @dev Bitmap of delivery modes.
        uint8 modes;
        ApplicationState state;
    }

    event ApplicationRequirementSet(
        uint64 eventNo,
        bytes16 indexed datasetId,
        bytes16 providerId,
        bool isRequired,
        bytes32 decisionDigest
    );
    event ApplicationSubmitted(
        uint64 eventNo,
        bytes16 indexed applicationId,
        bytes16 indexed datasetId,
        bytes16 indexed applicantId,
        Purpose purpose,
        uint8 modes,
        bytes32 formDigest
    );
    event ApplicationDecided(
        uint64 eventNo,
        bytes16 indexed applicationId,
        bytes16 providerId,
        bool isApproved,
        uint64 validUntil,
        bytes32 decisionDigest
    );
    event ApplicationWithdrawn(uint64 eventNo, bytes16 indexed applicationId);

    /// @notice Thrown when no dataset has this id.
    error Applications_UnknownDataset(bytes16 datasetId);
    /// @notice Thrown when no application has this id.
    error Applications_UnknownApplication(bytes16 applicationId);
    /// @notice Thrown when the application id is already taken.
    error Applications_ApplicationExists(bytes16 applicationId);
    /// @notice Thrown when the caller does not provide the dataset.
    error Applications_NotProvider(bytes16 datasetId, bytes16 actorId, bytes16 providerId);
    /// @notice Thrown when the caller did not apply.
    error Applications_NotApplicant(bytes16 applicationId, bytes16 actorId, bytes16 applicantId);
    /// @notice Thrown when a provider applies for its own dataset.
    error Applications_OwnCase(bytes16 datasetId, bytes16 organisationId);
    /// @notice Thrown when an application is required for a dataset that is not opened conditionally.
    error Applications_NotConditional(bytes16 datasetId, OpenClass openClass);
    /// @notice Thrown when the purpose is not given.
    error Applications_PurposeMissing(bytes16 applicationId);
    /// @notice Thrown when modes are empty or beyond what the dataset offers.
    error Applications_ModeNotOffered(bytes16 datasetId, uint8 asked, uint8 offered);
    /// @notice Thrown when a state cannot follow the present one.
    error Applications_IllegalStep(bytes16 applicationId, ApplicationState from, ApplicationState to);
    /// @notice Thrown when an approval would be over before it begins, or a refusal names a term.
    error Applications_TermMalformed(bytes16 applicationId, uint64 validUntil, uint64 nowSeconds);
    /// @notice Thrown when a dataset needs an application and none is approved for this use.
    error Applications_NotApproved(bytes16 datasetId, bytes16 applicantId, Purpose purpose, uint8 modes);
    /// @notice Thrown when a use would last longer than its approval.
    error Applications_Expired(bytes16 datasetId, bytes16 applicationId, uint64 asked, uint64 validUntil);

    /// @notice Sets whether a dataset may be licensed only on an approved application; its provider.
    /// Emits {ApplicationRequirementSet}.
    function setRequired(bytes16 datasetId, bool isRequired, bytes32 decisionDigest) external;

    /// @notice Applies for the use of a dataset; a buyer. Emits {ApplicationSubmitted}.
    /// @param applicationId UUIDv7 chosen by the applicant.
    /// @param modes Bitmap of delivery modes, each offered by the dataset.
    /// @param formDigest Salted digest of the form: purpose, scenario, mode, security commitment.
    function submit(
        bytes16 applicationId,
        bytes16 datasetId,
        Purpose purpose,
        uint8 modes,
        bytes32 formDigest
    ) external;

    /// @notice Approves an application until a time, or refuses it; the dataset's provider.
    /// Emits {ApplicationDecided}.
    /// @param validUntil Unix seconds, exclusive; 0 for a refusal.
    /// @param decisionDigest Salted digest of the decision with its reasons.
    function decide(bytes16 applicationId, bool isApproved, uint64 validUntil, bytes32 decisionDigest) external;

    /// @notice Withdraws an application before it is decided; its applicant. Emits {ApplicationWithdrawn}.
    function withdraw(bytes16 applicationId) external;

    /// @notice Reverts unless each dataset that needs an application has one that is approved for the
    /// applicant, purpose and modes, for the whole time.
    /// @param validUntil Unix seconds, exclusive: when the use would end.
    function requireApproved(
        bytes16[] calldata datasetIds,
        bytes16 applicantId,
        Purpose purpose,
        uint8 modes,
        uint64 validUntil
    ) external view;

    /// @return Whether a dataset may be licensed only on an approved application.
    function isRequired(bytes16 datasetId) external view returns (bool);

    /// @notice One application; reverts when unknown.
    function application(bytes16 applicationId) external view returns (Application memory);
}
