// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {Clock} from "./Clock.sol";
import {ClaimantKind, LicenceState, ProductState, Role} from "./Codes.sol";
import {Lineages} from "./Lineages.sol";
import {PPM_WHOLE, Ppm} from "./Units.sol";

/// @dev What the registry keeps for derived products alone.
struct Outcomes {
    /// @dev Written only where a share is agreed.
    mapping(uint64 licenceNo => Ppm) agreedPpm;
    mapping(bytes16 productId => bytes16[]) operators;
}

/// @title Deriving
/// @notice Flattens the outcome shares of a derived product and refuses sellers who operate upstream
/// (domain.md 4.3 step 13).
/// @dev Linked, not inlined: one contract has no room for all.
library Deriving {
    uint256 private constant ANCESTORS_MAX = 16;
    uint256 private constant SOURCES_MAX = 64;
    uint256 private constant OPERATORS_MAX = 64;

    /// @dev What the walk over the sources gathers; both lists are shortened at its end.
    struct Walk {
        bytes16 developerId;
        IDirectory directory;
        ILicenceRegistry.LineageEntry[] ancestors;
        uint256 ancestorCount;
        bytes16[] operators;
        uint256 operatorCount;
        uint256 sharedPpm;
    }

    /// @notice Keeps the outcome share that a licence agreed.
    /// @dev Inlined: most licences agree none, and a call into a library costs more than that.
    function agree(Outcomes storage outcomes, uint64 licenceNo, Ppm outcomePpm) internal {
        if (Ppm.unwrap(outcomePpm) == 0) return;
        _requireWhole(Ppm.unwrap(outcomePpm));
        outcomes.agreedPpm[licenceNo] = outcomePpm;
    }

    /// @notice Lists a derived product and says so; the registry knows that its developer calls.
    function list(
        mapping(bytes16 => ILicenceRegistry.Product) storage products,
        mapping(uint64 => ILicenceRegistry.Licence) storage licences,
        Outcomes storage outcomes,
        bytes16 developerId,
        ILicenceRegistry.Derivation calldata terms,
        ILicenceRegistry.Source[] calldata sources,
        IDirectory directory,
        IDatasetRegistry datasets,
        uint64 eventNo
    ) external {
        ILicenceRegistry.Product storage subject = products[terms.productId];
        if (subject.state != ProductState.NONE) {
            revert ILicenceRegistry.LicenceRegistry_ProductExists(terms.productId);
        }
        if (terms.modes == 0) {
            revert ILicenceRegistry.LicenceRegistry_ModeNotOffered(terms.productId, terms.modes, 0);
        }
        bytes memory listing = _derive(products, licences, outcomes, developerId, terms, sources, directory);
        bytes16[] memory datasetIds = Lineages.datasetsOf(listing);
        if (datasetIds.length == 0) {
            revert ILicenceRegistry.LicenceRegistry_LineageWithoutDataset(terms.productId);
        }
        datasets.requireSellable(datasetIds, terms.modes);
        subject.operatorId = developerId;
        subject.cityCode = terms.cityCode;
        subject.state = ProductState.LISTED;
        subject.modes = terms.modes;
        subject.lineage = Lineages.write(listing);
        subject.isDerived = true;
        _announce(eventNo, developerId, terms, sources, listing);
    }

    /// @dev Checks the sources of a derived product and keeps the operators upstream.
    /// @return listing Its lineage: ancestors by ascending id, then the platform, then the developer.
    function _derive(
        mapping(bytes16 => ILicenceRegistry.Product) storage products,
        mapping(uint64 => ILicenceRegistry.Licence) storage licences,
        Outcomes storage outcomes,
        bytes16 developerId,
        ILicenceRegistry.Derivation calldata terms,
        ILicenceRegistry.Source[] calldata sources,
        IDirectory directory
    ) private returns (bytes memory listing) {
        if (!directory.hasRoleAtHome(terms.platformId, Role.PLATFORM)) {
            revert ILicenceRegistry.LicenceRegistry_NotPlatform(terms.platformId);
        }
        Walk memory walk;
        (walk.developerId, walk.directory) = (developerId, directory);
        walk.ancestors = new ILicenceRegistry.LineageEntry[](ANCESTORS_MAX + 2);
        walk.operators = new bytes16[](OPERATORS_MAX);
        _walk(products, licences, outcomes, sources, walk);
        uint256 takenPpm = walk.sharedPpm + Ppm.unwrap(terms.feePpm);
        _requireWhole(takenPpm);
        // The cast is safe: the line above bounds what is taken.
        Ppm restPpm = Ppm.wrap(uint32(PPM_WHOLE - takenPpm));
        uint256 count = walk.ancestorCount;
        walk.ancestors[count] = _organisation(terms.platformId, terms.feePpm);
        walk.ancestors[count + 1] = _organisation(developerId, restPpm);
        for (uint256 i = 0; i < walk.operatorCount; ++i) {
            outcomes.operators[terms.productId].push(walk.operators[i]);
        }
        ILicenceRegistry.LineageEntry[] memory lineage = walk.ancestors;
        // Shorter than it was made, which frees nothing and shows only what was written.
        assembly ("memory-safe") {
            mstore(lineage, add(count, 2))
        }
        return Lineages.pack(lineage);
    }

    function _announce(
        uint64 eventNo,
        bytes16 developerId,
        ILicenceRegistry.Derivation calldata terms,
        ILicenceRegistry.Source[] calldata sources,
        bytes memory listing
    ) private {
        emit ILicenceRegistry.ProductDerived(
            eventNo,
            terms.productId,
            developerId,
            terms.cityCode,
            terms.modes,
            terms.metadataDigest,
            sources,
            Lineages.entriesOf(listing)
        );
    }

    /// @dev Sources of one licence stand together; their shares sum to what it agreed.
    function _walk(
        mapping(bytes16 => ILicenceRegistry.Product) storage products,
        mapping(uint64 => ILicenceRegistry.Licence) storage licences,
        Outcomes storage outcomes,
        ILicenceRegistry.Source[] calldata sources,
        Walk memory walk
    ) private view {
        uint256 count = sources.length;
        if (count == 0 || count > SOURCES_MAX) {
            revert ILicenceRegistry.LicenceRegistry_SourceOrder(count, SOURCES_MAX);
        }
        uint256 i = 0;
        uint64 previousNo = 0;
        while (i < count) {
            uint64 licenceNo = sources[i].licenceNo;
            if (licenceNo <= previousNo) revert ILicenceRegistry.LicenceRegistry_SourceOrder(i, SOURCES_MAX);
            bytes16 productId = _requireOwn(licences[licenceNo], licenceNo, walk.developerId);
            ILicenceRegistry.Product storage parent = products[productId];
            _addOperators(outcomes, productId, parent.operatorId, walk);
            bytes memory listing = Lineages.read(parent.lineage);
            uint256 sumPpm = 0;
            bytes16 previousId = 0;
            for (; i < count && sources[i].licenceNo == licenceNo; ++i) {
                ILicenceRegistry.Source calldata source = sources[i];
                if (source.ancestorId <= previousId) {
                    revert ILicenceRegistry.LicenceRegistry_SourceOrder(i, SOURCES_MAX);
                }
                previousId = source.ancestorId;
                sumPpm += Ppm.unwrap(source.sharePpm);
                if (parent.isDerived) _passOn(source, productId, parent.operatorId, listing, walk);
                else _addDataset(source, listing, walk);
            }
            uint256 agreedPpm = Ppm.unwrap(outcomes.agreedPpm[licenceNo]);
            if (sumPpm != agreedPpm) {
                revert ILicenceRegistry.LicenceRegistry_OutcomeDiffers(licenceNo, sumPpm, agreedPpm);
            }
            walk.sharedPpm += sumPpm;
            previousNo = licenceNo;
        }
    }

    function _requireOwn(ILicenceRegistry.Licence storage licence, uint64 licenceNo, bytes16 developerId)
        private
        view
        returns (bytes16 productId)
    {
        uint64 nowSeconds = Clock.nowSeconds();
        bool isInUse = licence.state == LicenceState.ACTIVE && licence.validFrom <= nowSeconds
            && nowSeconds < licence.validUntil;
        if (!isInUse || licence.buyerId != developerId) {
            revert ILicenceRegistry.LicenceRegistry_SourceLicence(licenceNo, licence.buyerId, licence.state);
        }
        // Free purposes have no tariff (发改价格〔2025〕65号): who had data for nothing may not sell it on.
        if (licence.tariffNo == 0) {
            revert ILicenceRegistry.LicenceRegistry_SourcePurpose(licenceNo, licence.purpose);
        }
        return licence.productId;
    }

    function _addDataset(ILicenceRegistry.Source calldata source, bytes memory listing, Walk memory walk)
        private
        pure
    {
        bytes16[] memory datasetIds = Lineages.datasetsOf(listing);
        for (uint256 i = 0; i < datasetIds.length; ++i) {
            if (datasetIds[i] == source.ancestorId) {
                return _add(walk, source.ancestorId, ClaimantKind.DATASET, Ppm.unwrap(source.sharePpm));
            }
        }
        revert ILicenceRegistry.LicenceRegistry_SourceUnknown(source.licenceNo, source.ancestorId);
    }

    /// @dev A share goes through a derived product to its ancestors; its developer keeps what they leave.
    function _passOn(
        ILicenceRegistry.Source calldata source,
        bytes16 productId,
        bytes16 parentDeveloperId,
        bytes memory listing,
        Walk memory walk
    ) private pure {
        if (source.ancestorId != productId) {
            revert ILicenceRegistry.LicenceRegistry_SourceUnknown(source.licenceNo, source.ancestorId);
        }
        uint256 sharePpm = Ppm.unwrap(source.sharePpm);
        uint256 keptPpm = sharePpm;
        ILicenceRegistry.LineageEntry[] memory lineage = Lineages.entriesOf(listing);
        // The last two are the platform and the developer, who is paid below.
        for (uint256 i = 0; i + 2 < lineage.length; ++i) {
            uint256 passedPpm = sharePpm * Ppm.unwrap(lineage[i].weightPpm) / PPM_WHOLE;
            keptPpm -= passedPpm;
            _add(walk, lineage[i].claimantId, lineage[i].kind, passedPpm);
        }
        _add(walk, parentDeveloperId, ClaimantKind.ORGANISATION, keptPpm);
    }

    /// @dev Adds to an ancestor's share, which is what pays a diamond once; keeps the list ascending.
    function _add(Walk memory walk, bytes16 claimantId, ClaimantKind kind, uint256 sharePpm) private pure {
        ILicenceRegistry.LineageEntry[] memory ancestors = walk.ancestors;
        uint256 count = walk.ancestorCount;
        uint256 place = count;
        while (place != 0 && ancestors[place - 1].claimantId >= claimantId) --place;
        if (place < count && ancestors[place].claimantId == claimantId) {
            // The casts are safe: the shares of all sources are bounded before anything is written.
            ancestors[place].weightPpm = Ppm.wrap(uint32(Ppm.unwrap(ancestors[place].weightPpm) + sharePpm));
            return;
        }
        if (count == ANCESTORS_MAX) {
            revert ILicenceRegistry.LicenceRegistry_AncestorCount(count + 1, ANCESTORS_MAX);
        }
        for (uint256 i = count; i > place; --i) {
            ancestors[i] = ancestors[i - 1];
        }
        ancestors[place] = ILicenceRegistry.LineageEntry({
            claimantId: claimantId,
            kind: kind,
            weightPpm: Ppm.wrap(uint32(sharePpm))
        });
        walk.ancestorCount = count + 1;
    }

    /// @dev Adds a parent's operator and those above it; none may be the seller or its affiliate.
    function _addOperators(Outcomes storage outcomes, bytes16 productId, bytes16 operatorId, Walk memory walk)
        private
        view
    {
        _addOperator(operatorId, walk);
        bytes16[] memory above = outcomes.operators[productId];
        for (uint256 i = 0; i < above.length; ++i) {
            _addOperator(above[i], walk);
        }
    }

    function _addOperator(bytes16 operatorId, Walk memory walk) private view {
        for (uint256 i = 0; i < walk.operatorCount; ++i) {
            if (walk.operators[i] == operatorId) return;
        }
        if (operatorId == walk.developerId || walk.directory.isAffiliate(operatorId, walk.developerId)) {
            revert ILicenceRegistry.LicenceRegistry_OperatorResells(walk.developerId, operatorId);
        }
        if (walk.operatorCount == OPERATORS_MAX) {
            revert ILicenceRegistry.LicenceRegistry_AncestorCount(OPERATORS_MAX + 1, OPERATORS_MAX);
        }
        walk.operators[walk.operatorCount++] = operatorId;
    }

    function _organisation(bytes16 organisationId, Ppm weightPpm)
        private
        pure
        returns (ILicenceRegistry.LineageEntry memory)
    {
        return ILicenceRegistry.LineageEntry({
            claimantId: organisationId,
            kind: ClaimantKind.ORGANISATION,
            weightPpm: weightPpm
        });
    }

    function _requireWhole(uint256 gotPpm) private pure {
        if (gotPpm > PPM_WHOLE) revert ILicenceRegistry.LicenceRegistry_OutcomeTooLarge(gotPpm, PPM_WHOLE);
    }
}
