// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {LicenceState, ProductState, Role, SubjectKind} from "./Codes.sol";
import {Member} from "./Member.sol";

/// @title Subjects
/// @notice What objections are about: datasets, products, licences, invoices. Who is a party to one,
/// and how cases put it out of service and back.
abstract contract Subjects is Member {
    /// @dev How many cases keep a subject out of service, and whether it was in service before the first.
    struct Hold {
        uint32 caseCount;
        bool wasInService;
    }

    IDatasetRegistry internal immutable DATASETS;
    ILicenceRegistry internal immutable LICENCES;
    IRevenueLedger internal immutable LEDGER;

    mapping(SubjectKind kind => mapping(bytes16 subjectId => Hold)) internal _holds;

    constructor(
        address forwarder,
        IDirectory directory_,
        IDatasetRegistry datasets,
        ILicenceRegistry licences,
        IRevenueLedger ledger
    ) Member(forwarder, directory_) {
        DATASETS = datasets;
        LICENCES = licences;
        LEDGER = ledger;
    }

    /// @dev One case more; the first puts the subject out of service.
    function _hold(SubjectKind kind, bytes16 subjectId, bytes32 documentDigest) internal {
        Hold storage held = _holds[kind][subjectId];
        if (held.caseCount++ != 0) return;
        held.wasInService = _isInService(kind, subjectId);
        if (held.wasInService) _setService(kind, subjectId, false, documentDigest);
    }

    /// @dev One case less; the last puts the subject back into service where it was before.
    function _lift(SubjectKind kind, bytes16 subjectId, bytes32 documentDigest) internal {
        Hold storage held = _holds[kind][subjectId];
        if (--held.caseCount == 0 && held.wasInService) _setService(kind, subjectId, true, documentDigest);
    }

    /// @dev Takes a product or licence away for good. A dataset has no such state: its hold stays.
    function _end(SubjectKind kind, bytes16 subjectId, bytes32 documentDigest) internal {
        if (kind == SubjectKind.PRODUCT && LICENCES.product(subjectId).state != ProductState.WITHDRAWN) {
            LICENCES.setProductState(subjectId, ProductState.WITHDRAWN, documentDigest);
        }
        if (kind == SubjectKind.LICENCE && LICENCES.licence(_licenceNo(subjectId)).state != LicenceState.TERMINATED) {
            LICENCES.setLicenceState(_licenceNo(subjectId), LicenceState.TERMINATED, documentDigest);
        }
    }

    /// @dev A subject's city, and who supplies or sells it and who bought it. Reverts when it is unknown.
    function _parties(SubjectKind kind, bytes16 subjectId)
        internal
        view
        returns (uint32 cityCode, bytes16 firstId, bytes16 secondId)
    {
        if (kind == SubjectKind.DATASET) {
            IDatasetRegistry.Dataset memory dataset = DATASETS.dataset(subjectId);
            return (dataset.cityCode, dataset.providerId, 0);
        }
        if (kind == SubjectKind.PRODUCT) {
            (firstId, cityCode) = LICENCES.sellerOf(subjectId);
        } else {
            (firstId, secondId, cityCode) = LICENCES.partiesOf(
                kind == SubjectKind.INVOICE ? LEDGER.licenceOf(subjectId) : _licenceNo(subjectId)
            );
        }
    }

    /// @dev Whether an organisation is a platform in its own city.
    function _isPlatform(bytes16 organisationId) internal view returns (bool) {
        return DIRECTORY.hasRoleAtHome(organisationId, Role.PLATFORM);
    }

    /// @dev A licence's number fills the last eight bytes of the id; the largest number is nobody's.
    function _licenceNo(bytes16 subjectId) private pure returns (uint64) {
        uint128 number = uint128(subjectId);
        return number > type(uint64).max ? type(uint64).max : uint64(number);
    }

    function _isInService(SubjectKind kind, bytes16 subjectId) private view returns (bool) {
        if (kind == SubjectKind.DATASET) return !DATASETS.dataset(subjectId).isSuspended;
        if (kind == SubjectKind.PRODUCT) return LICENCES.product(subjectId).state == ProductState.LISTED;
        if (kind == SubjectKind.LICENCE) return LICENCES.licence(_licenceNo(subjectId)).state == LicenceState.ACTIVE;
        return true;
    }

    function _setService(SubjectKind kind, bytes16 subjectId, bool isInService, bytes32 documentDigest) private {
        if (kind == SubjectKind.DATASET) {
            DATASETS.setSuspended(subjectId, !isInService, documentDigest);
        } else if (kind == SubjectKind.PRODUCT) {
            ProductState state = isInService ? ProductState.LISTED : ProductState.SUSPENDED;
            LICENCES.setProductState(subjectId, state, documentDigest);
        } else if (kind == SubjectKind.LICENCE) {
            LicenceState state = isInService ? LicenceState.ACTIVE : LicenceState.SUSPENDED;
            LICENCES.setLicenceState(_licenceNo(subjectId), state, documentDigest);
        } else {
            LEDGER.setFrozen(subjectId, !isInService, documentDigest);
        }
    }
}
