// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    OpenClass,
    QualityGrade,
    RegistrationState,
    Sensitivity,
    UpdateFrequency
} from "../libraries/Codes.sol";

/// @title IDatasetRegistry
/// @notice What is held, by digest: datasets, their versions and parents, their classes, the state
/// of their registration (登记) and their quality. Data is never uploaded.
interface IDatasetRegistry {
    /// @notice What a provider states about a dataset.
    struct Registration {
        /// @dev UUIDv7 chosen by the provider.
        bytes16 datasetId;
        OpenClass openClass;
        Sensitivity sensitivity;
        bool containsPersonalInformation;
        /// @dev Whether the data came to the provider by sharing; its source must then consent.
        bool isSharedIn;
        /// @dev Bitmap of delivery modes: `1 << (mode - 1)`.
        uint8 deliveryModes;
        UpdateFrequency updateFrequency;
        /// @dev Salted digest of the catalogue record.
        bytes32 metadataDigest;
        /// @dev Salted digest of the masking report and impact assessment, or zero.
        bytes32 maskingReportDigest;
        /// @dev Salted digest of the source unit's consent, or zero.
        bytes32 sourceConsentDigest;
    }

    /// @notice One version of a dataset's content.
    struct Version {
        bytes32 sha256Digest;
        bytes32 sm3Digest;
        /// @dev Digest of the field list.
        bytes32 schemaDigest;
        uint64 rowCount;
        uint64 byteSize;
    }

    /// @dev All but the last two fields fill the first storage slot, which `requireSellable` reads as one.
    struct Dataset {
        bytes16 providerId;
        uint32 cityCode;
        RegistrationState state;
        OpenClass openClass;
        Sensitivity sensitivity;
        UpdateFrequency updateFrequency;
        QualityGrade grade;
        uint8 deliveryModes;
        bool containsPersonalInformation;
        bool hasMaskingReport;
        bool isSharedIn;
        bool hasSourceConsent;
        bool isSuspended;
        uint32 latestVersionNo;
        /// @dev Unix seconds of the evidence deposit (存证).
        uint64 evidencedAt;
    }

    /// @notice Where a content digest was registered.
    struct VersionRef {
        bytes16 datasetId;
        uint32 versionNo;
        /// @dev Unix seconds.
        uint64 registeredAt;
    }

    event DatasetEvidenced(
        uint64 eventNo, bytes16 indexed datasetId, bytes16 indexed providerId, uint32 cityCode, Registration registration
    );
    event VersionAdded(
        uint64 eventNo, bytes16 indexed datasetId, uint32 versionNo, Version version, bytes32[] parents
    );
    event RegistrationAdvanced(
        uint64 eventNo,
        bytes16 indexed datasetId,
        RegistrationState from,
        RegistrationState to,
        bytes16 actorId,
        bytes32 decisionDigest
    );
    event DatasetClassified(
        uint64 eventNo,
        bytes16 indexed datasetId,
        OpenClass openClass,
        Sensitivity sensitivity,
        bytes32 decisionDigest
    );
    event QualityInspected(
        uint64 eventNo, bytes16 indexed datasetId, QualityGrade grade, bytes16 inspectorId, bytes32 reportDigest
    );
    event DatasetSuspensionSet(uint64 eventNo, bytes16 indexed datasetId, bool isSuspended, bytes32 decisionDigest);

    /// @notice Thrown when no dataset has this id.
    error DatasetRegistry_UnknownDataset(bytes16 datasetId);
    /// @notice Thrown when the dataset id is already taken.
    error DatasetRegistry_DatasetExists(bytes16 datasetId);
    /// @notice Thrown when the same content is registered already; names where.
    error DatasetRegistry_ContentExists(bytes32 sha256Digest, bytes16 datasetId, uint32 versionNo);
    /// @notice Thrown when a parent's content digest was never registered.
    error DatasetRegistry_UnknownParent(bytes32 parentDigest);
    /// @notice Thrown when more parents are named than are allowed.
    error DatasetRegistry_TooManyParents(uint256 count, uint256 limit);
    /// @notice Thrown when a mandatory field is empty; names the field.
    error DatasetRegistry_FieldMissing(bytes16 datasetId, string field);
    /// @notice Thrown when the registration cannot go from one state to the other.
    error DatasetRegistry_IllegalStep(bytes16 datasetId, RegistrationState from, RegistrationState to);
    /// @notice Thrown when the caller's organisation is not the dataset's provider.
    error DatasetRegistry_NotProvider(bytes16 datasetId, bytes16 actorId, bytes16 providerId);
    /// @notice Thrown when a registrar decides on a dataset of its own organisation.
    error DatasetRegistry_RegistrarIsApplicant(bytes16 datasetId, bytes16 organisationId);
    /// @notice Thrown when a dataset of class 不予开放 would be listed or licensed.
    error DatasetRegistry_NotOpen(bytes16 datasetId);
    /// @notice Thrown when important or core data would be listed or licensed.
    error DatasetRegistry_TooSensitive(bytes16 datasetId, Sensitivity sensitivity);
    /// @notice Thrown when the dataset has no registration code yet.
    error DatasetRegistry_NotCoded(bytes16 datasetId, RegistrationState state);
    /// @notice Thrown when personal information has no masking report.
    error DatasetRegistry_NotMasked(bytes16 datasetId);
    /// @notice Thrown when shared-in data has no consent of its source.
    error DatasetRegistry_NoSourceConsent(bytes16 datasetId);
    /// @notice Thrown when the last inspection gave grade E.
    error DatasetRegistry_GradeTooLow(bytes16 datasetId);
    /// @notice Thrown when the dataset is suspended.
    error DatasetRegistry_Suspended(bytes16 datasetId);
    /// @notice Thrown when a delivery mode is asked for that the dataset does not offer.
    error DatasetRegistry_ModeNotOffered(bytes16 datasetId, uint8 asked, uint8 offered);

    /// @notice Deposits the evidence (存证) of a dataset and its first version.
    /// @dev Emits {DatasetEvidenced} and {VersionAdded}. The caller signs for a provider in its own city.
    /// @param registration Classes and digests.
    /// @param version Content digests and sizes (rows, bytes).
    /// @param parents SHA-256 digests of the versions that this one was made from; at most 16.
    function register(
        Registration calldata registration,
        Version calldata version,
        bytes32[] calldata parents
    ) external;

    /// @notice Adds a version to one's own dataset. Emits {VersionAdded}.
    function addVersion(
        bytes16 datasetId,
        Version calldata version,
        bytes32[] calldata parents
    ) external;

    /// @notice Takes the registration one step on. Emits {RegistrationAdvanced}.
    /// @dev The provider applies and may cancel; every other step is the registrar's of the city,
    /// who may not be the applicant.
    /// @param decisionDigest Salted digest of the decision's document.
    function advance(bytes16 datasetId, RegistrationState to, bytes32 decisionDigest) external;

    /// @notice Changes open class and sensitivity; registrar of the city. Emits {DatasetClassified}.
    function classify(
        bytes16 datasetId,
        OpenClass openClass,
        Sensitivity sensitivity,
        bytes32 decisionDigest
    ) external;

    /// @notice Records an inspection; registrar of the city. Emits {QualityInspected}.
    function inspect(bytes16 datasetId, QualityGrade grade, bytes32 reportDigest) external;

    /// @notice Suspends or restores a dataset: registrar of the city, or the objection desk. Emits
    /// {DatasetSuspensionSet}.
    /// @dev What the desk suspended, only the desk restores.
    function setSuspended(bytes16 datasetId, bool isSuspended, bytes32 decisionDigest) external;

    /// @notice Reverts with the first reason why one of the datasets may not be sold in these modes.
    function requireSellable(bytes16[] calldata datasetIds, uint8 modes) external view;

    /// @notice One dataset; reverts when unknown.
    function dataset(bytes16 datasetId) external view returns (Dataset memory);

    /// @return The provider of a dataset; zero when no dataset has this id.
    function providerOf(bytes16 datasetId) external view returns (bytes16);

    /// @return Grade of each dataset's last inspection; NONE where there was none, or no dataset has the id.
    function gradesOf(bytes16[] calldata datasetIds) external view returns (QualityGrade[] memory);

    /// @return Where a content digest was registered; zero when it was not.
    function versionOf(bytes32 sha256Digest) external view returns (VersionRef memory);
}
