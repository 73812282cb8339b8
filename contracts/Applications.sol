// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IApplications} from "./interfaces/IApplications.sol";
import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {Clock} from "./libraries/Clock.sol";
import {ApplicationState, OpenClass, Purpose, Role} from "./libraries/Codes.sol";
import {Member} from "./libraries/Member.sol";

/// @title Applications
contract Applications is IApplications, Member {
    IDatasetRegistry private immutable DATASETS;

    mapping(bytes16 datasetId => bool) private _isRequired;
    mapping(bytes16 applicationId => Application) private _applications;
    /// @dev The application approved last: what grants rest on.
    mapping(bytes16 datasetId => mapping(bytes16 applicantId => mapping(Purpose => bytes16))) private _approved;

    constructor(address forwarder, IDirectory directory_, IDatasetRegistry datasets)
        Member(forwarder, directory_)
    {
        DATASETS = datasets;
    }

    /// @inheritdoc IApplications
    function setRequired(bytes16 datasetId, bool required, bytes32 decisionDigest) external {
        bytes16 providerId = _requireProvider(datasetId);
        OpenClass openClass = DATASETS.dataset(datasetId).openClass;
        if (required && openClass != OpenClass.CONDITIONAL) {
            revert Applications_NotConditional(datasetId, openClass);
        }
        _isRequired[datasetId] = required;
        emit ApplicationRequirementSet(_nextEventNo(), datasetId, providerId, required, decisionDigest);
    }

    /// @inheritdoc IApplications
    function submit(
        bytes16 applicationId,
        bytes16 datasetId,
        Purpose purpose,
        uint8 modes,
        bytes32 formDigest
    ) external {
        (bytes16 applicantId,) = DIRECTORY.requireRoleAtHome(_msgSender(), Role.BUYER);
        if (_applications[applicationId].state != ApplicationState.NONE) {
            revert Applications_ApplicationExists(applicationId);
        }
        if (purpose == Purpose.NONE) revert Applications_PurposeMissing(applicationId);
        IDatasetRegistry.Dataset memory dataset = DATASETS.dataset(datasetId);
        if (dataset.providerId == applicantId) revert Applications_OwnCase(datasetId, applicantId);
        if (modes == 0 || modes & ~dataset.deliveryModes != 0) {
            revert Applications_ModeNotOffered(datasetId, modes, dataset.deliveryModes);
        }
        _applications[applicationId] = Application({
            applicantId: applicantId,
            datasetId: datasetId,
            validUntil: 0,
            purpose: purpose,
            modes: modes,
            state: ApplicationState.SUBMITTED
        });
        emit ApplicationSubmitted(
            _nextEventNo(), applicationId, datasetId, applicantId, purpose, modes, formDigest
        );
    }

    /// @inheritdoc IApplications
    function decide(bytes16 applicationId, bool isApproved, uint64 validUntil, bytes32 decisionDigest) external {
        Application storage subject = _known(applicationId);
        bytes16 providerId = _requireProvider(subject.datasetId);
        _step(applicationId, subject, isApproved ? ApplicationState.APPROVED : ApplicationState.REFUSED);
        uint64 nowSeconds = Clock.nowSeconds();
        if (isApproved ? validUntil <= nowSeconds : validUntil != 0) {
            revert Applications_TermMalformed(applicationId, validUntil, nowSeconds);
        }
        if (isApproved) {
            subject.validUntil = validUntil;
            _approved[subject.datasetId][subject.applicantId][subject.purpose] = applicationId;
        }
        emit ApplicationDecided(
            _nextEventNo(), applicationId, providerId, isApproved, validUntil, decisionDigest
        );
    }

    /// @inheritdoc IApplications
    function withdraw(bytes16 applicationId) external {
        Application storage subject = _known(applicationId);
        bytes16 actorId = _actorUsing(Role.BUYER);
        if (actorId != subject.applicantId) {
            revert Applications_NotApplicant(applicationId, actorId, subject.applicantId);
        }
        _step(applicationId, subject, ApplicationState.WITHDRAWN);
        emit ApplicationWithdrawn(_nextEventNo(), applicationId);
    }

    /// @inheritdoc IApplications
    function requireApproved(
        bytes16[] calldata datasetIds,
        bytes16 applicantId,
        Purpose purpose,
        uint8 modes,
        uint64 validUntil
    ) external view {
        for (uint256 i = 0; i < datasetIds.length; ++i) {
            bytes16 datasetId = datasetIds[i];
            if (!_isRequired[datasetId]) continue;
            bytes16 applicationId = _approved[datasetId][applicantId][purpose];
            Application storage subject = _applications[applicationId];
            if (applicationId == 0 || modes & ~subject.modes != 0) {
                revert Applications_NotApproved(datasetId, applicantId, purpose, modes);
            }
            if (validUntil > subject.validUntil) {
                revert Applications_Expired(datasetId, applicationId, validUntil, subject.validUntil);
            }
        }
    }

    /// @inheritdoc IApplications
    function isRequired(bytes16 datasetId) external view returns (bool) {
        return _isRequired[datasetId];
    }

    /// @inheritdoc IApplications
    function application(bytes16 applicationId) external view returns (Application memory) {
        return _known(applicationId);
    }

    /// @dev An application is decided or withdrawn once.
    function _step(bytes16 applicationId, Application storage subject, ApplicationState to) private {
        if (subject.state != ApplicationState.SUBMITTED) {
            revert Applications_IllegalStep(applicationId, subject.state, to);
        }
        subject.state = to;
    }

    function _known(bytes16 applicationId) private view returns (Application storage subject) {
        subject = _applications[applicationId];
        if (subject.state == ApplicationState.NONE) revert Applications_UnknownApplication(applicationId);
    }

    function _requireProvider(bytes16 datasetId) private view returns (bytes16 actorId) {
        actorId = _actorUsing(Role.PROVIDER);
        bytes16 providerId = DATASETS.providerOf(datasetId);
        if (providerId == 0) revert Applications_UnknownDataset(datasetId);
        if (actorId != providerId) revert Applications_NotProvider(datasetId, actorId, providerId);
    }
}
