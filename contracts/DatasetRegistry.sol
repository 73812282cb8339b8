// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {Clock} from "./libraries/Clock.sol";
import {
    OpenClass,
    QualityGrade,
    RegistrationState,
    Role,
    Sensitivity,
    SubjectKind,
    UpdateFrequency
} from "./libraries/Codes.sol";
import {Member} from "./libraries/Member.sol";

/// @title DatasetRegistry
contract DatasetRegistry is IDatasetRegistry, Member {
    uint256 private constant PARENTS_MAX = 16;

    mapping(bytes16 datasetId => Dataset) private _datasets;
    mapping(bytes32 sha256Digest => VersionRef) private _versions;

    constructor(address forwarder, IDirectory directory_) Member(forwarder, directory_) {}

    /// @inheritdoc IDatasetRegistry
    function register(
        Registration calldata registration,
        Version calldata version,
        bytes32[] calldata parents
    ) external {
        (bytes16 providerId, uint32 cityCode) = DIRECTORY.requireRoleAtHome(_msgSender(), Role.PROVIDER);
        bytes16 datasetId = registration.datasetId;
        if (_datasets[datasetId].state != RegistrationState.NONE) revert DatasetRegistry_DatasetExists(datasetId);
        _requireComplete(registration);
        _datasets[datasetId] = Dataset({
            providerId: providerId,
            cityCode: cityCode,
            state: RegistrationState.EVIDENCED,
            openClass: registration.openClass,
            sensitivity: registration.sensitivity,
            updateFrequency: registration.updateFrequency,
            grade: QualityGrade.NONE,
            deliveryModes: registration.deliveryModes,
            containsPersonalInformation: registration.containsPersonalInformation,
            hasMaskingReport: registration.maskingReportDigest != 0,
            isSharedIn: registration.isSharedIn,
            hasSourceConsent: registration.sourceConsentDigest != 0,
            isSuspended: false,
            latestVersionNo: 0,
            evidencedAt: Clock.nowSeconds()
        });
        emit DatasetEvidenced(_nextEventNo(), datasetId, providerId, cityCode, registration);
        _addVersion(datasetId, version, parents);
    }

    /// @inheritdoc IDatasetRegistry
    function addVersion(bytes16 datasetId, Version calldata version, bytes32[] calldata parents) external {
        Dataset storage subject = _known(datasetId);
        bytes16 actorId = _actorWith(Role.PROVIDER, subject.cityCode);
        if (actorId != subject.providerId) {
            revert DatasetRegistry_NotProvider(datasetId, actorId, subject.providerId);
        }
        if (subject.state >= RegistrationState.CANCELLED) {
            revert DatasetRegistry_IllegalStep(datasetId, subject.state, subject.state);
        }
        _addVersion(datasetId, version, parents);
    }

    /// @inheritdoc IDatasetRegistry
    function advance(bytes16 datasetId, RegistrationState to, bytes32 decisionDigest) external {
        Dataset storage subject = _known(datasetId);
        RegistrationState from = subject.state;
        if (!_isStep(from, to)) revert DatasetRegistry_IllegalStep(datasetId, from, to);
        bytes16 actorId = to == RegistrationState.APPLIED || to == RegistrationState.CANCELLED
            ? _requireProvider(datasetId, subject)
            : _requireRegistrar(datasetId, subject);
        subject.state = to;
        emit RegistrationAdvanced(_nextEventNo(), datasetId, from, to, actorId, decisionDigest);
    }

    /// @inheritdoc IDatasetRegistry
    function classify(
        bytes16 datasetId,
        OpenClass openClass,
        Sensitivity sensitivity,
        bytes32 decisionDigest
    ) external {
        Dataset storage subject = _known(datasetId);
        _requireRegistrar(datasetId, subject);
        if (openClass == OpenClass.NONE) revert DatasetRegistry_FieldMissing(datasetId, "open_class");
        if (sensitivity == Sensitivity.NONE) revert DatasetRegistry_FieldMissing(datasetId, "sensitivity");
        subject.openClass = openClass;
        subject.sensitivity = sensitivity;
        emit DatasetClassified(_nextEventNo(), datasetId, openClass, sensitivity, decisionDigest);
    }

    /// @inheritdoc IDatasetRegistry
    function inspect(bytes16 datasetId, QualityGrade grade, bytes32 reportDigest) external {
        Dataset storage subject = _known(datasetId);
        bytes16 inspectorId = _requireRegistrar(datasetId, subject);
        if (grade == QualityGrade.NONE) revert DatasetRegistry_FieldMissing(datasetId, "grade");
        subject.grade = grade;
        emit QualityInspected(_nextEventNo(), datasetId, grade, inspectorId, reportDigest);
    }

    /// @inheritdoc IDatasetRegistry
    function setSuspended(bytes16 datasetId, bool isSuspended, bytes32 decisionDigest) external {
        Dataset storage subject = _known(datasetId);
        if (!_isByDesk(SubjectKind.DATASET, datasetId)) _requireRegistrar(datasetId, subject);
        subject.isSuspended = isSuspended;
        emit DatasetSuspensionSet(_nextEventNo(), datasetId, isSuspended, decisionDigest);
    }

    /// @inheritdoc IDatasetRegistry
    function requireSellable(bytes16[] calldata datasetIds, uint8 modes) external view {
        for (uint256 i = 0; i < datasetIds.length; ++i) {
            _requireSellable(datasetIds[i], modes);
        }
    }

    /// @inheritdoc IDatasetRegistry
    function dataset(bytes16 datasetId) external view returns (Dataset memory) {
        return _known(datasetId);
    }

    /// @inheritdoc IDatasetRegistry
    function providerOf(bytes16 datasetId) external view returns (bytes16) {
        return _datasets[datasetId].providerId;
    }

    /// @inheritdoc IDatasetRegistry
    function gradesOf(bytes16[] calldata datasetIds) external view returns (QualityGrade[] memory grades) {
        grades = new QualityGrade[](datasetIds.length);
        for (uint256 i = 0; i < grades.length; ++i) {
            grades[i] = _datasets[datasetIds[i]].grade;
        }
    }

    /// @inheritdoc IDatasetRegistry
    function versionOf(bytes32 sha256Digest) external view returns (VersionRef memory) {
        return _versions[sha256Digest];
    }

    function _addVersion(bytes16 datasetId, Version calldata version, bytes32[] calldata parents) private {
        if (version.sha256Digest == 0) revert DatasetRegistry_FieldMissing(datasetId, "digest_sha256");
        if (version.sm3Digest == 0) revert DatasetRegistry_FieldMissing(datasetId, "digest_sm3");
        if (version.schemaDigest == 0) revert DatasetRegistry_FieldMissing(datasetId, "schema_digest");
        if (parents.length > PARENTS_MAX) revert DatasetRegistry_TooManyParents(parents.length, PARENTS_MAX);
        VersionRef storage content = _versions[version.sha256Digest];
        if (content.versionNo != 0) {
            revert DatasetRegistry_ContentExists(version.sha256Digest, content.datasetId, content.versionNo);
        }
        for (uint256 i = 0; i < parents.length; ++i) {
            if (_versions[parents[i]].versionNo == 0) revert DatasetRegistry_UnknownParent(parents[i]);
        }
        uint32 versionNo = ++_datasets[datasetId].latestVersionNo;
        _versions[version.sha256Digest] =
            VersionRef({datasetId: datasetId, versionNo: versionNo, registeredAt: Clock.nowSeconds()});
        emit VersionAdded(_nextEventNo(), datasetId, versionNo, version, parents);
    }

    function _known(bytes16 datasetId) private view returns (Dataset storage subject) {
        subject = _datasets[datasetId];
        if (subject.state == RegistrationState.NONE) revert DatasetRegistry_UnknownDataset(datasetId);
    }

    function _requireProvider(bytes16 datasetId, Dataset storage subject)
        private
        view
        returns (bytes16 actorId)
    {
        actorId = _actor();
        if (actorId != subject.providerId) {
            revert DatasetRegistry_NotProvider(datasetId, actorId, subject.providerId);
        }
    }

    function _requireRegistrar(bytes16 datasetId, Dataset storage subject)
        private
        view
        returns (bytes16 actorId)
    {
        actorId = _actorWith(Role.REGISTRAR, subject.cityCode);
        if (actorId == subject.providerId) revert DatasetRegistry_RegistrarIsApplicant(datasetId, actorId);
    }

    /// @dev In one read: all that counts lies in a dataset's first slot, in the order of `Dataset` from
    /// the right, a byte each from bit 160 on. Licences over many datasets call this for each.
    function _requireSellable(bytes16 datasetId, uint8 modes) private view {
        Dataset storage subject = _datasets[datasetId];
        uint256 word;
        assembly ("memory-safe") {
            word := sload(subject.slot)
        }
        RegistrationState state = RegistrationState(_byteAt(word, 160));
        if (state == RegistrationState.NONE) revert DatasetRegistry_UnknownDataset(datasetId);
        if (_byteAt(word, 168) == uint8(OpenClass.NOT_OPEN)) revert DatasetRegistry_NotOpen(datasetId);
        Sensitivity sensitivity = Sensitivity(_byteAt(word, 176));
        if (sensitivity != Sensitivity.GENERAL) revert DatasetRegistry_TooSensitive(datasetId, sensitivity);
        if (state != RegistrationState.CODED) revert DatasetRegistry_NotCoded(datasetId, state);
        // Personal information without a masking report; shared-in data without its source's consent.
        if (_byteAt(word, 208) != 0 && _byteAt(word, 216) == 0) revert DatasetRegistry_NotMasked(datasetId);
        if (_byteAt(word, 224) != 0 && _byteAt(word, 232) == 0) revert DatasetRegistry_NoSourceConsent(datasetId);
        if (_byteAt(word, 192) == uint8(QualityGrade.E)) revert DatasetRegistry_GradeTooLow(datasetId);
        if (_byteAt(word, 240) != 0) revert DatasetRegistry_Suspended(datasetId);
        uint8 offered = _byteAt(word, 200);
        if (modes & ~offered != 0) revert DatasetRegistry_ModeNotOffered(datasetId, modes, offered);
    }

    /// @dev The cast keeps the lowest byte.
    function _byteAt(uint256 word, uint256 bit) private pure returns (uint8) {
        return uint8(word >> bit);
    }

    function _requireComplete(Registration calldata registration) private pure {
        bytes16 datasetId = registration.datasetId;
        if (datasetId == 0) revert DatasetRegistry_FieldMissing(datasetId, "dataset_id");
        if (registration.openClass == OpenClass.NONE) revert DatasetRegistry_FieldMissing(datasetId, "open_class");
        if (registration.sensitivity == Sensitivity.NONE) {
            revert DatasetRegistry_FieldMissing(datasetId, "sensitivity");
        }
        if (registration.updateFrequency == UpdateFrequency.NONE) {
            revert DatasetRegistry_FieldMissing(datasetId, "update_frequency");
        }
        if (registration.deliveryModes == 0) revert DatasetRegistry_FieldMissing(datasetId, "delivery_modes");
        if (registration.metadataDigest == 0) revert DatasetRegistry_FieldMissing(datasetId, "metadata_digest");
    }

    /// @dev The states of 发改数据规〔2025〕26号, drawn in domain.md 1.2.
    function _isStep(RegistrationState from, RegistrationState to) private pure returns (bool) {
        if (to == RegistrationState.APPLIED) return from == RegistrationState.EVIDENCED;
        if (to == RegistrationState.ACCEPTED) return from == RegistrationState.APPLIED;
        if (to == RegistrationState.REVIEWED) return from == RegistrationState.ACCEPTED;
        if (to == RegistrationState.PUBLIC_NOTICE) return from == RegistrationState.REVIEWED;
        if (to == RegistrationState.CODED) return from == RegistrationState.PUBLIC_NOTICE;
        if (to == RegistrationState.REVOKED) {
            return from >= RegistrationState.APPLIED && from <= RegistrationState.CODED;
        }
        return (to == RegistrationState.CANCELLED || to == RegistrationState.EXPIRED)
            && from == RegistrationState.CODED;
    }
}
