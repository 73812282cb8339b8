// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {Clock} from "./libraries/Clock.sol";
import {
    NoticeObjectionState,
    OpenClass,
    OpeningTier,
    Purpose,
    QualityGrade,
    RegistrationState,
    RegistrationType,
    Role,
    Sensitivity,
    SubjectKind,
    UpdateFrequency
} from "./libraries/Codes.sol";
import {Member} from "./libraries/Member.sol";
import {Opening} from "./libraries/Opening.sol";
import {Procedures} from "./libraries/Procedures.sol";
import {Quality} from "./libraries/Quality.sol";
import {PeriodId} from "./libraries/Units.sol";
import {WorkingDays} from "./libraries/WorkingDays.sol";

/// @title DatasetRegistry
contract DatasetRegistry is IDatasetRegistry, Member {
    using Opening for Opening.Tables;

    uint256 private constant PARENTS_MAX = 16;
    /// @dev 发改数据规〔2025〕26号.
    uint256 private constant VALIDITY_YEARS_MAX = 3;
    uint64 private constant RENEWAL_WINDOW_SECONDS = 60 days;
    uint8 private constant SCORE_MAX = 100;

    mapping(bytes16 datasetId => Dataset) private _datasets;
    mapping(bytes32 sha256Digest => VersionRef) private _versions;
    mapping(bytes16 datasetId => Procedure) private _procedures;
    mapping(bytes32 registrationCode => bytes16 datasetId) private _datasetOfCode;
    mapping(bytes16 objectionId => NoticeObjection) private _objections;
    mapping(uint32 cityCode => uint32 quarterId) private _anchoredQuarter;
    Opening.Tables private _opening;

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
            hasMaskingReport: false,
            isSharedIn: registration.isSharedIn,
            hasSourceConsent: registration.sourceConsentDigest != 0,
            isSuspended: false,
            latestVersionNo: 0,
            evidencedAt: Clock.nowSeconds(),
            validUntil: 0
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
    function applyFor(bytes16 datasetId, RegistrationType kind, bytes32 applicationDigest) external {
        Dataset storage subject = _known(datasetId);
        bytes16 actorId = _requireProvider(datasetId, subject);
        Procedure storage procedure = _procedures[datasetId];
        if (procedure.kind != RegistrationType.NONE) {
            revert DatasetRegistry_ProcedureOpen(datasetId, procedure.kind);
        }
        RegistrationState from = _requireApplicable(datasetId, subject, kind);
        procedure.kind = kind;
        procedure.state = RegistrationState.APPLIED;
        procedure.since = Clock.nowSeconds();
        procedure.procedureNo += 1;
        procedure.openObjections = 0;
        procedure.applicationDigest = applicationDigest;
        if (kind == RegistrationType.FIRST) subject.state = RegistrationState.APPLIED;
        emit RegistrationAdvanced(
            _nextEventNo(), datasetId, kind, from, RegistrationState.APPLIED, actorId, applicationDigest
        );
    }

    /// @inheritdoc IDatasetRegistry
    function advance(bytes16 datasetId, RegistrationState to, bytes32 decisionDigest) external {
        Dataset storage subject = _known(datasetId);
        RegistrationType kind = _procedures[datasetId].kind;
        RegistrationState from = _stateOf(datasetId, subject);
        if (!Procedures.isStep(kind, from, to)) revert DatasetRegistry_IllegalStep(datasetId, from, to);
        if (to == RegistrationState.EXPIRED && !_isOver(subject)) {
            revert DatasetRegistry_IllegalStep(datasetId, from, to);
        }
        bytes16 actorId = _requireRegistrar(datasetId, subject);
        _enter(datasetId, subject, to);
        emit RegistrationAdvanced(_nextEventNo(), datasetId, kind, from, to, actorId, decisionDigest);
    }

    /// @inheritdoc IDatasetRegistry
    function code(bytes16 datasetId, bytes32 registrationCode, uint64 validUntil, bytes32 decisionDigest) external {
        Dataset storage subject = _known(datasetId);
        Procedure storage procedure = _procedures[datasetId];
        RegistrationType kind = procedure.kind;
        RegistrationState from = _stateOf(datasetId, subject);
        if (!Procedures.isCodable(kind, from)) {
            revert DatasetRegistry_IllegalStep(datasetId, from, RegistrationState.CODED);
        }
        bytes16 actorId = _requireRegistrar(datasetId, subject);
        _requireNoticeOver(datasetId, procedure);
        _requireValidity(datasetId, subject, kind, validUntil);
        _takeCode(datasetId, registrationCode);
        subject.state = RegistrationState.CODED;
        subject.validUntil = validUntil;
        procedure.kind = RegistrationType.NONE;
        procedure.since = Clock.nowSeconds();
        emit RegistrationAdvanced(
            _nextEventNo(), datasetId, kind, from, RegistrationState.CODED, actorId, decisionDigest
        );
        emit RegistrationCoded(
            _nextEventNo(), datasetId, kind, registrationCode, validUntil, procedure.applicationDigest
        );
    }

    /// @inheritdoc IDatasetRegistry
    function objectToNotice(
        bytes16 objectionId,
        bytes16 datasetId,
        bytes32 statementDigest,
        bytes32 evidenceDigest
    ) external {
        Dataset storage subject = _known(datasetId);
        bytes16 objectorId = _actorUsingAny();
        if (objectorId == subject.providerId) revert DatasetRegistry_PartyToObjection(datasetId, objectorId);
        if (objectionId == 0) revert DatasetRegistry_FieldMissing(datasetId, "objection_id");
        if (statementDigest == 0) revert DatasetRegistry_FieldMissing(datasetId, "statement");
        if (evidenceDigest == 0) revert DatasetRegistry_FieldMissing(datasetId, "evidence");
        if (_objections[objectionId].state != NoticeObjectionState.NONE) {
            revert DatasetRegistry_ObjectionExists(objectionId);
        }
        Procedure storage procedure = _procedures[datasetId];
        if (procedure.kind == RegistrationType.NONE || procedure.state != RegistrationState.PUBLIC_NOTICE) {
            revert DatasetRegistry_NotInNotice(datasetId, _stateOf(datasetId, subject));
        }
        procedure.openObjections += 1;
        _objections[objectionId] = NoticeObjection({
            datasetId: datasetId,
            procedureNo: procedure.procedureNo,
            state: NoticeObjectionState.OPEN,
            objectorId: objectorId
        });
        emit NoticeObjected(_nextEventNo(), datasetId, objectionId, objectorId, statementDigest, evidenceDigest);
    }

    /// @inheritdoc IDatasetRegistry
    function decideNoticeObjection(bytes16 objectionId, bool isUpheld, bytes32 decisionDigest) external {
        NoticeObjection storage objection = _objections[objectionId];
        bytes16 datasetId = objection.datasetId;
        Procedure storage procedure = _procedures[datasetId];
        bool isRunning = procedure.kind != RegistrationType.NONE && procedure.procedureNo == objection.procedureNo;
        if (objection.state != NoticeObjectionState.OPEN || !isRunning) {
            revert DatasetRegistry_NoOpenObjection(objectionId, objection.state);
        }
        Dataset storage subject = _known(datasetId);
        bytes16 registrarId = _requireRegistrar(datasetId, subject);
        if (registrarId == objection.objectorId) revert DatasetRegistry_PartyToObjection(datasetId, registrarId);
        objection.state = isUpheld ? NoticeObjectionState.UPHELD : NoticeObjectionState.DISMISSED;
        procedure.openObjections -= 1;
        emit NoticeObjectionDecided(_nextEventNo(), datasetId, objectionId, isUpheld, registrarId, decisionDigest);
        if (!isUpheld) return;
        RegistrationType kind = procedure.kind;
        _enter(datasetId, subject, RegistrationState.EVIDENCED);
        emit RegistrationAdvanced(
            _nextEventNo(),
            datasetId,
            kind,
            RegistrationState.PUBLIC_NOTICE,
            RegistrationState.EVIDENCED,
            registrarId,
            decisionDigest
        );
    }

    /// @inheritdoc IDatasetRegistry
    function recordMasking(bytes16 datasetId, uint32 versionNo, bytes32 sourceDigest, bytes32 reportDigest) external {
        Dataset storage subject = _known(datasetId);
        _requireProvider(datasetId, subject);
        if (reportDigest == 0) revert DatasetRegistry_FieldMissing(datasetId, "masking_report");
        VersionRef storage source = _versions[sourceDigest];
        if (source.versionNo == 0) revert DatasetRegistry_UnknownParent(sourceDigest);
        bool isItself = source.datasetId == datasetId && source.versionNo == versionNo;
        if (versionNo != subject.latestVersionNo || isItself) {
            revert DatasetRegistry_MaskingMalformed(datasetId, versionNo, subject.latestVersionNo);
        }
        subject.hasMaskingReport = true;
        emit VersionMasked(_nextEventNo(), datasetId, versionNo, sourceDigest, reportDigest);
    }

    /// @inheritdoc IDatasetRegistry
    function publishPolicy(
        uint32 cityCode,
        uint256 unconditional,
        uint256 conditional,
        uint64 effectiveAt,
        bytes32 documentDigest
    ) external returns (uint32 policyNo) {
        if (cityCode != 0) _actorWith(Role.REGISTRAR, cityCode);
        else if (!DIRECTORY.isGovernance(_msgSender())) revert DatasetRegistry_NotGovernance(_msgSender());
        if (documentDigest == 0) revert DatasetRegistry_FieldMissing(0, "document");
        Opening.Policy memory policy = Opening.Policy({unconditional: unconditional, conditional: conditional});
        if (effectiveAt == 0) effectiveAt = Clock.nowSeconds();
        policyNo = _opening.publish(cityCode, policy, effectiveAt, Clock.nowSeconds());
        emit OpeningPolicyPublished(
            _nextEventNo(), policyNo, cityCode, effectiveAt, unconditional, conditional, documentDigest
        );
    }

    /// @inheritdoc IDatasetRegistry
    function anchorDuties(
        uint32 cityCode,
        uint32 quarterId,
        uint32 dutyCount,
        uint32 overdueCount,
        bytes32 listDigest
    ) external {
        bytes16 registrarId = _actorWith(Role.REGISTRAR, cityCode);
        uint32 period = PeriodId.unwrap(Clock.periodOf(Clock.nowSeconds()));
        uint32 current = (period / 100) * 10 + (period % 100 + 2) / 3;
        uint32 anchored = _anchoredQuarter[cityCode];
        bool isQuarter = quarterId % 10 >= 1 && quarterId % 10 <= 4;
        if (!isQuarter || quarterId <= anchored || quarterId > current) {
            revert DatasetRegistry_QuarterRefused(cityCode, quarterId, anchored, current);
        }
        if (listDigest == 0) revert DatasetRegistry_FieldMissing(0, "list");
        _anchoredQuarter[cityCode] = quarterId;
        emit DutiesAnchored(
            _nextEventNo(), cityCode, quarterId, dutyCount, overdueCount, registrarId, listDigest
        );
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
    function inspect(bytes16 datasetId, bytes6 scores, bytes32 reportDigest) external {
        Dataset storage subject = _known(datasetId);
        bytes16 inspectorId = _requireRegistrar(datasetId, subject);
        (QualityGrade grade, uint8 wrong) = Quality.gradeOf(scores);
        if (wrong != 0) revert DatasetRegistry_ScoreTooLarge(datasetId, wrong, SCORE_MAX);
        subject.grade = grade;
        emit QualityInspected(_nextEventNo(), datasetId, grade, scores, inspectorId, reportDigest);
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
    function requireOpen(bytes16[] calldata datasetIds, uint8 modes, Purpose purpose)
        external
        view
        returns (OpeningTier tier, uint32[] memory policyNos)
    {
        policyNos = new uint32[](datasetIds.length);
        for (uint256 i = 0; i < policyNos.length; ++i) {
            _requireSellable(datasetIds[i], modes);
            Dataset storage subject = _datasets[datasetIds[i]];
            policyNos[i] = _opening.numberIn(subject.cityCode, Clock.nowSeconds());
            OpeningTier strictest = _requireCells(datasetIds[i], policyNos[i], modes, purpose);
            if (strictest > tier) tier = strictest;
        }
    }

    /// @inheritdoc IDatasetRegistry
    function tierOf(
        uint32 cityCode,
        OpenClass openClass,
        Sensitivity sensitivity,
        bool containsPersonalInformation,
        uint8 mode,
        Purpose purpose
    ) external view returns (OpeningTier tier, uint32 policyNo) {
        policyNo = _opening.numberIn(cityCode, Clock.nowSeconds());
        tier = _opening.tierIn(policyNo, openClass, sensitivity, containsPersonalInformation, mode, purpose);
    }

    /// @inheritdoc IDatasetRegistry
    function procedureOf(bytes16 datasetId) external view returns (Procedure memory) {
        return _procedures[datasetId];
    }

    /// @inheritdoc IDatasetRegistry
    function noticeObjection(bytes16 objectionId) external view returns (NoticeObjection memory) {
        return _objections[objectionId];
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
        if (_datasets[datasetId].hasMaskingReport) _datasets[datasetId].hasMaskingReport = false;
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
        actorId = _actorUsing(Role.PROVIDER);
        if (actorId != subject.providerId) {
            revert DatasetRegistry_NotProvider(datasetId, actorId, subject.providerId);
        }
    }

    function _requireRegistrar(bytes16 datasetId, Dataset storage subject)
        private
        view
        returns (bytes16 actorId)
    {
        actorId = _actor();
        uint32 ownCityCode = DIRECTORY.organisation(actorId).cityCode;
        if (ownCityCode != subject.cityCode && DIRECTORY.hasRole(actorId, Role.REGISTRAR, ownCityCode)) {
            revert DatasetRegistry_OtherCity(datasetId, actorId, ownCityCode, subject.cityCode);
        }
        _actorWith(Role.REGISTRAR, subject.cityCode);
        if (actorId == subject.providerId) revert DatasetRegistry_RegistrarIsApplicant(datasetId, actorId);
    }

    /// @dev The state of what is applied for, or of the dataset when nothing is.
    function _stateOf(bytes16 datasetId, Dataset storage subject) private view returns (RegistrationState) {
        Procedure storage procedure = _procedures[datasetId];
        return procedure.kind == RegistrationType.NONE ? subject.state : procedure.state;
    }

    function _isOver(Dataset storage subject) private view returns (bool) {
        return Clock.nowSeconds() > subject.validUntil;
    }

    /// @dev The state from which a type may be applied for; the other types need a code in force.
    function _requireApplicable(bytes16 datasetId, Dataset storage subject, RegistrationType kind)
        private
        view
        returns (RegistrationState from)
    {
        from = subject.state;
        bool isCoded = from == RegistrationState.CODED && !_isOver(subject);
        bool isFresh = from == RegistrationState.EVIDENCED || from == RegistrationState.EXPIRED
            || (from == RegistrationState.CODED && !isCoded);
        bool isFirst = kind == RegistrationType.FIRST;
        if (kind == RegistrationType.NONE || (isFirst ? !isFresh : !isCoded)) {
            revert DatasetRegistry_NotApplicable(datasetId, kind, from);
        }
        if (kind != RegistrationType.RENEWAL) return from;
        uint64 opensAt = subject.validUntil - RENEWAL_WINDOW_SECONDS;
        if (Clock.nowSeconds() < opensAt) {
            revert DatasetRegistry_OutsideRenewalWindow(datasetId, Clock.nowSeconds(), opensAt, subject.validUntil);
        }
    }

    /// @dev A return and an end close the procedure; only a first registration takes the dataset along.
    function _enter(bytes16 datasetId, Dataset storage subject, RegistrationState to) private {
        Procedure storage procedure = _procedures[datasetId];
        bool isEnd = to >= RegistrationState.CANCELLED;
        if (isEnd || procedure.kind == RegistrationType.FIRST) subject.state = to;
        if (isEnd || to == RegistrationState.EVIDENCED) procedure.kind = RegistrationType.NONE;
        procedure.state = to;
        procedure.since = Clock.nowSeconds();
    }

    function _requireNoticeOver(bytes16 datasetId, Procedure storage procedure) private view {
        if (!Procedures.isNoticed(procedure.kind)) return;
        if (procedure.openObjections != 0) {
            revert DatasetRegistry_ObjectionOpen(datasetId, procedure.openObjections);
        }
        uint64 until = DIRECTORY.noticeUntil(procedure.since);
        if (Clock.nowSeconds() <= until) {
            revert DatasetRegistry_NoticeRunning(datasetId, Clock.nowSeconds(), until);
        }
    }

    function _requireValidity(
        bytes16 datasetId,
        Dataset storage subject,
        RegistrationType kind,
        uint64 validUntil
    ) private view {
        uint64 former = subject.validUntil;
        uint64 above = kind == RegistrationType.FIRST ? Clock.nowSeconds() : former;
        uint64 limit = WorkingDays.endOfYearsAfter(above, VALIDITY_YEARS_MAX);
        if (kind == RegistrationType.CHANGE || kind == RegistrationType.CORRECTION) (above, limit) = (former - 1, former);
        if (validUntil <= above || validUntil > limit) {
            revert DatasetRegistry_ValidityOutOfRange(datasetId, validUntil, above, limit);
        }
    }

    function _takeCode(bytes16 datasetId, bytes32 registrationCode) private {
        if (registrationCode == 0) revert DatasetRegistry_FieldMissing(datasetId, "registration_code");
        bytes16 holderId = _datasetOfCode[registrationCode];
        if (holderId == datasetId) return;
        if (holderId != 0) revert DatasetRegistry_CodeTaken(registrationCode, holderId);
        _datasetOfCode[registrationCode] = datasetId;
    }

    function _requireCells(bytes16 datasetId, uint32 policyNo, uint8 modes, Purpose purpose)
        private
        view
        returns (OpeningTier strictest)
    {
        Dataset storage subject = _datasets[datasetId];
        (OpenClass openClass, bool isPersonal) = (subject.openClass, subject.containsPersonalInformation);
        for (uint8 mode = 1; modes >> (mode - 1) != 0; ++mode) {
            if (modes >> (mode - 1) & 1 == 0) continue;
            OpeningTier tier =
                _opening.tierIn(policyNo, openClass, subject.sensitivity, isPersonal, mode, purpose);
            if (tier == OpeningTier.FORBIDDEN) {
                revert DatasetRegistry_CellForbidden(datasetId, policyNo, openClass, isPersonal, mode, purpose);
            }
            if (tier == OpeningTier.MASKED && !subject.hasMaskingReport) revert DatasetRegistry_NotMasked(datasetId);
            if (tier > strictest) strictest = tier;
        }
    }

    /// @dev In one read: all but the end date lies in a dataset's first slot, in the order of `Dataset` from
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
        if (_isOver(subject)) revert DatasetRegistry_Expired(datasetId, subject.validUntil);
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
}
