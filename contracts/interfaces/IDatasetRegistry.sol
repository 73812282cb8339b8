// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    NoticeObjectionState,
    OpenClass,
    OpeningTier,
    Purpose,
    QualityGrade,
    RegistrationState,
    RegistrationType,
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

    /// @dev All but the last three fields fill the first storage slot, which `requireSellable` reads as one.
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
        /// @dev Last Unix second of the registration; zero before the first code.
        uint64 validUntil;
    }

    /// @notice What a dataset's provider applied for, and how far it is.
    struct Procedure {
        RegistrationType kind;
        RegistrationState state;
        /// @dev Unix seconds at which the state began.
        uint64 since;
        /// @dev Counts the dataset's applications.
        uint32 procedureNo;
        uint32 openObjections;
        /// @dev Salted digest of the application; of the changed record where a record is changed.
        bytes32 applicationDigest;
    }

    /// @notice An objection (异议) during public notice.
    struct NoticeObjection {
        bytes16 datasetId;
        uint32 procedureNo;
        NoticeObjectionState state;
        bytes16 objectorId;
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
        RegistrationType kind,
        RegistrationState from,
        RegistrationState to,
        bytes16 actorId,
        bytes32 decisionDigest
    );
    /// @notice A registration has its code (赋码), first or again; the record is the one applied with.
    event RegistrationCoded(
        uint64 eventNo,
        bytes16 indexed datasetId,
        RegistrationType kind,
        bytes32 registrationCode,
        uint64 validUntil,
        bytes32 applicationDigest
    );
    event NoticeObjected(
        uint64 eventNo,
        bytes16 indexed datasetId,
        bytes16 indexed objectionId,
        bytes16 objectorId,
        bytes32 statementDigest,
        bytes32 evidenceDigest
    );
    event NoticeObjectionDecided(
        uint64 eventNo,
        bytes16 indexed datasetId,
        bytes16 indexed objectionId,
        bool isUpheld,
        bytes16 registrarId,
        bytes32 decisionDigest
    );
    /// @notice A version is a masked (脱敏) one, made from the named source.
    event VersionMasked(
        uint64 eventNo,
        bytes16 indexed datasetId,
        uint32 versionNo,
        bytes32 sourceDigest,
        bytes32 reportDigest
    );
    /// @notice A table of graded opening is signed by its authority; city zero is the whole region.
    event OpeningPolicyPublished(
        uint64 eventNo,
        uint32 indexed policyNo,
        uint32 indexed cityCode,
        uint64 effectiveAt,
        uint256 unconditional,
        uint256 conditional,
        bytes32 documentDigest
    );
    /// @notice A city's responsibility list (开放责任清单) of a quarter.
    event DutiesAnchored(
        uint64 eventNo,
        uint32 indexed cityCode,
        uint32 quarterId,
        uint32 dutyCount,
        uint32 overdueCount,
        bytes16 registrarId,
        bytes32 listDigest
    );
    event DatasetClassified(
        uint64 eventNo,
        bytes16 indexed datasetId,
        OpenClass openClass,
        Sensitivity sensitivity,
        bytes32 decisionDigest
    );
    event QualityInspected(
        uint64 eventNo,
        bytes16 indexed datasetId,
        QualityGrade grade,
        bytes6 scores,
        bytes16 inspectorId,
        bytes32 reportDigest
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

    /// @notice Thrown when a registrar decides outside its city; names both.
    error DatasetRegistry_OtherCity(bytes16 datasetId, bytes16 actorId, uint32 gotCityCode, uint32 expectedCityCode);
    /// @notice Thrown when the registration is over by its date.
    error DatasetRegistry_Expired(bytes16 datasetId, uint64 validUntil);
    /// @notice Thrown when something else is being applied for already.
    error DatasetRegistry_ProcedureOpen(bytes16 datasetId, RegistrationType kind);
    /// @notice Thrown when a type of registration cannot be applied for in a state.
    error DatasetRegistry_NotApplicable(bytes16 datasetId, RegistrationType kind, RegistrationState state);
    /// @notice Thrown when renewal is applied for before its window opens or after the end.
    error DatasetRegistry_OutsideRenewalWindow(bytes16 datasetId, uint64 now_, uint64 from, uint64 until);
    /// @notice Thrown when a code is given before public notice is over.
    error DatasetRegistry_NoticeRunning(bytes16 datasetId, uint64 now_, uint64 noticeUntil);
    /// @notice Thrown when a code is given while an objection is open.
    error DatasetRegistry_ObjectionOpen(bytes16 datasetId, uint32 count);
    /// @notice Thrown when an objection comes outside public notice.
    error DatasetRegistry_NotInNotice(bytes16 datasetId, RegistrationState state);
    /// @notice Thrown when the objection id is already taken.
    error DatasetRegistry_ObjectionExists(bytes16 objectionId);
    /// @notice Thrown when no open objection of the running procedure has this id.
    error DatasetRegistry_NoOpenObjection(bytes16 objectionId, NoticeObjectionState state);
    /// @notice Thrown when a party to an objection decides it, or objects to its own registration.
    error DatasetRegistry_PartyToObjection(bytes16 datasetId, bytes16 organisationId);
    /// @notice Thrown when a registration would be valid for longer than the law allows, or not at all.
    error DatasetRegistry_ValidityOutOfRange(bytes16 datasetId, uint64 got, uint64 above, uint64 limit);
    /// @notice Thrown when another dataset has the code.
    error DatasetRegistry_CodeTaken(bytes32 registrationCode, bytes16 datasetId);
    /// @notice Thrown when the masked version is not the latest, or its own source.
    error DatasetRegistry_MaskingMalformed(bytes16 datasetId, uint32 got, uint32 expected);
    /// @notice Thrown when a table of graded opening has a cell without a tier, or one that no rule allows.
    error DatasetRegistry_PolicyMalformed(uint256 cell, uint8 got);
    /// @notice Thrown when a table would be in force before it is published, or another one waits.
    error DatasetRegistry_PolicyDate(uint64 got, uint64 notBefore);
    /// @notice Thrown when whoever publishes may not govern the region.
    error DatasetRegistry_NotGovernance(address caller);
    /// @notice Thrown when neither city nor region has a table of graded opening in force.
    error DatasetRegistry_NoPolicy(uint32 cityCode);
    /// @notice Thrown when the table in force forbids a cell; names it.
    error DatasetRegistry_CellForbidden(
        bytes16 datasetId,
        uint32 policyNo,
        OpenClass openClass,
        bool containsPersonalInformation,
        uint8 mode,
        Purpose purpose
    );
    /// @notice Thrown when a score is above 100.
    error DatasetRegistry_ScoreTooLarge(bytes16 datasetId, uint8 got, uint8 limit);
    /// @notice Thrown when the quarter's list is anchored, not begun, or no quarter.
    error DatasetRegistry_QuarterRefused(uint32 cityCode, uint32 got, uint32 anchored, uint32 current);

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

    /// @notice Applies for a registration of one's own dataset. Emits {RegistrationAdvanced}.
    /// @dev First registration from EVIDENCED or after expiry; all others while coded, one at a time;
    /// renewal within 60 calendar days before expiry (发改数据规〔2025〕26号).
    /// @param applicationDigest Salted digest of the application, or of the changed record.
    function applyFor(bytes16 datasetId, RegistrationType kind, bytes32 applicationDigest) external;

    /// @notice Takes the procedure one step on; registrar of the city. Emits {RegistrationAdvanced}.
    /// @dev ACCEPTED, REVIEWED and PUBLIC_NOTICE in their order; EVIDENCED returns or rejects;
    /// CANCELLED ends on application, REVOKED without one, EXPIRED records what the date says.
    /// @param decisionDigest Salted digest of the decision's document.
    function advance(bytes16 datasetId, RegistrationState to, bytes32 decisionDigest) external;

    /// @notice Gives the code and ends the procedure; registrar of the city.
    /// @dev Emits {RegistrationAdvanced} and {RegistrationCoded}. First registration and change need ten
    /// working days of public notice and no open objection. Change and correction keep the end date.
    /// @param registrationCode The code's UTF-8 bytes, zeros behind (登记结果查询码, an opaque text).
    /// @param validUntil Last Unix second; at most three years, from now or from the former end.
    function code(bytes16 datasetId, bytes32 registrationCode, uint64 validUntil, bytes32 decisionDigest) external;

    /// @notice Objects during public notice, under one's real name. Emits {NoticeObjected}.
    /// @param objectionId UUIDv7 chosen by the caller.
    /// @param statementDigest Salted digest of the statement with the objector's real name.
    /// @param evidenceDigest Salted digest of the evidence.
    function objectToNotice(
        bytes16 objectionId,
        bytes16 datasetId,
        bytes32 statementDigest,
        bytes32 evidenceDigest
    ) external;

    /// @notice Decides an objection; registrar of the city, no party to it. Emits {NoticeObjectionDecided}.
    /// @dev Upheld ends the procedure (and emits {RegistrationAdvanced}); dismissed lets it go on.
    function decideNoticeObjection(bytes16 objectionId, bool isUpheld, bytes32 decisionDigest) external;

    /// @notice Says that the latest version of one's dataset is masked. Emits {VersionMasked}.
    /// @dev Personal information is sold only in a masked version; a later version needs a report of its own.
    /// @param sourceDigest SHA-256 digest of the registered version from which it was made.
    /// @param reportDigest Salted digest of the report: method, tool, reviewer's role, residual risk.
    function recordMasking(bytes16 datasetId, uint32 versionNo, bytes32 sourceDigest, bytes32 reportDigest) external;

    /// @notice Publishes a table of graded opening. Emits {OpeningPolicyPublished}.
    /// @dev A city's is its registrar's, the region's (city zero) governance's. Three bits a cell:
    /// cell = ((personal information ? 7 : 0) + mode − 1) · 5 + purpose − 1, from the lowest bit on.
    /// 不予开放 and all but general sensitivity are forbidden whatever a table says.
    /// @param unconditional Tiers of class 无条件开放.
    /// @param conditional Tiers of class 有条件开放.
    /// @param effectiveAt Unix seconds, not before the block; zero means at once.
    function publishPolicy(
        uint32 cityCode,
        uint256 unconditional,
        uint256 conditional,
        uint64 effectiveAt,
        bytes32 documentDigest
    ) external returns (uint32 policyNo);

    /// @notice Anchors a city's responsibility list of a quarter; its registrar. Emits {DutiesAnchored}.
    /// @param quarterId Year and quarter as yyyyq; begun, and later than the last one anchored.
    function anchorDuties(
        uint32 cityCode,
        uint32 quarterId,
        uint32 dutyCount,
        uint32 overdueCount,
        bytes32 listDigest
    ) external;

    /// @notice Changes open class and sensitivity; registrar of the city. Emits {DatasetClassified}.
    function classify(
        bytes16 datasetId,
        OpenClass openClass,
        Sensitivity sensitivity,
        bytes32 decisionDigest
    ) external;

    /// @notice Records an inspection; registrar of the city. Emits {QualityInspected}.
    /// @dev Grade by the mean: A from 90, B from 80, C from 70, D from 60, else E; one score below 60
    /// makes it D at best, one below 40 makes it E.
    /// @param scores 规范性, 完整性, 准确性, 一致性, 时效性, 可访问性, a byte each, 0 to 100.
    function inspect(bytes16 datasetId, bytes6 scores, bytes32 reportDigest) external;

    /// @notice Suspends or restores a dataset: registrar of the city, or the objection desk. Emits
    /// {DatasetSuspensionSet}.
    /// @dev What the desk suspended, only the desk restores.
    function setSuspended(bytes16 datasetId, bool isSuspended, bytes32 decisionDigest) external;

    /// @notice Reverts with the first reason why one of the datasets may not be sold in these modes.
    function requireSellable(bytes16[] calldata datasetIds, uint8 modes) external view;

    /// @notice Reverts as `requireSellable`, or when a table in force forbids one of the modes for the purpose.
    /// @return tier The strictest tier of all datasets and modes.
    /// @return policyNos The table that was asked, by dataset.
    function requireOpen(bytes16[] calldata datasetIds, uint8 modes, Purpose purpose)
        external
        view
        returns (OpeningTier tier, uint32[] memory policyNos);

    /// @notice The tier of one cell now.
    function tierOf(
        uint32 cityCode,
        OpenClass openClass,
        Sensitivity sensitivity,
        bool containsPersonalInformation,
        uint8 mode,
        Purpose purpose
    ) external view returns (OpeningTier tier, uint32 policyNo);

    /// @return The running procedure of a dataset, or what is left of the last.
    function procedureOf(bytes16 datasetId) external view returns (Procedure memory);

    /// @return An objection during public notice.
    function noticeObjection(bytes16 objectionId) external view returns (NoticeObjection memory);

    /// @notice One dataset; reverts when unknown.
    function dataset(bytes16 datasetId) external view returns (Dataset memory);

    /// @return The provider of a dataset; zero when no dataset has this id.
    function providerOf(bytes16 datasetId) external view returns (bytes16);

    /// @return Grade of each dataset's last inspection; NONE where there was none, or no dataset has the id.
    function gradesOf(bytes16[] calldata datasetIds) external view returns (QualityGrade[] memory);

    /// @return Where a content digest was registered; zero when it was not.
    function versionOf(bytes32 sha256Digest) external view returns (VersionRef memory);
}
