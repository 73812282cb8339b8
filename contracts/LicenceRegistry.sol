// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IApplications} from "./interfaces/IApplications.sol";
import {IBilled} from "./interfaces/IBilled.sol";
import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {ILicenceRegistry} from "./interfaces/ILicenceRegistry.sol";
import {Clock} from "./libraries/Clock.sol";
import {
    ClaimantKind,
    JointAct,
    LicenceState,
    OpeningTier,
    ProductState,
    Purpose,
    Role,
    SubjectKind
} from "./libraries/Codes.sol";
import {Deriving, Outcomes} from "./libraries/Deriving.sol";
import {Lineages} from "./libraries/Lineages.sol";
import {Member} from "./libraries/Member.sol";
import {Tariffs} from "./libraries/Tariffs.sol";
import {PPM_WHOLE, Ppm} from "./libraries/Units.sol";

/// @title LicenceRegistry
/// @dev The base with the count of events stands last, so that it shares its slot with the count of licences.
contract LicenceRegistry is ILicenceRegistry, EIP712, Member {
    uint256 private constant LINEAGE_MAX = 64;
    /// @dev Statutory floor of the platform's share for its own faults (domain.md section 5).
    uint256 private constant PLATFORM_LIABILITY_FLOOR_PPM = 500_000;
    /// @dev How long a quote may hold (domain.md 4.3 step 1), and so how long a superseded tariff can be
    /// agreed on: who was quoted it in its last second has as much time as everybody.
    uint64 private constant QUOTE_SECONDS = 14 days;
    uint256 private constant COMPETITION_TEAM_MAX = 50;
    uint256 private constant COMPETITION_SECONDS_MAX = 366 days;
    uint8 private constant SANDBOX = 4;
    bytes32 private constant AGREEMENT_TYPEHASH = keccak256(
        "Agreement(bytes16 agreementId,bytes16 productId,bytes16 operatorId,bytes16 buyerId,uint32 tariffNo,uint8 purpose,uint8 modes,uint64 validFrom,uint64 validUntil,uint64 quotaUnits,uint32 platformLiabilityPpm,uint32 outcomePpm,uint8 teamMax,bool isAcceptedByUse,bytes32 termsDigest,uint64 deadline)"
    );
    bytes32 private constant SUPPLEMENT_TYPEHASH = keccak256(
        "Supplement(uint64 licenceNo,bytes32 previousDigest,bytes32 termsDigest,uint64 validUntil,uint64 quotaUnits,uint32 platformLiabilityPpm,uint64 deadline)"
    );

    IDatasetRegistry private immutable DATASETS;
    IApplications private immutable APPLICATIONS;
    address private immutable DEPLOYER;

    uint64 private _licenceCount;
    mapping(bytes16 productId => Product) private _products;
    mapping(bytes16 productId => mapping(uint32 tariffNo => bytes32 digest)) private _tariffs;
    mapping(bytes16 productId => mapping(uint32 tariffNo => uint64 unixSeconds)) private _supersededAt;
    mapping(uint64 licenceNo => Licence) private _licences;
    mapping(bytes16 agreementId => Grant) private _grants;
    IBilled private _ledger;
    Outcomes private _outcomes;

    constructor(address forwarder, IDirectory directory_, IDatasetRegistry datasets, IApplications applications)
        Member(forwarder, directory_)
        EIP712("MetroDataLedger", "1")
    {
        DATASETS = datasets;
        APPLICATIONS = applications;
        DEPLOYER = msg.sender;
    }

    /// @inheritdoc ILicenceRegistry
    function bindLedger(IBilled ledger) external {
        if (msg.sender != DEPLOYER || address(_ledger) != address(0)) {
            revert LicenceRegistry_LedgerBound(msg.sender, _ledger);
        }
        _ledger = ledger;
    }

    /// @inheritdoc ILicenceRegistry
    function listProduct(
        bytes16 productId,
        uint32 cityCode,
        uint8 modes,
        bytes32 metadataDigest,
        LineageEntry[] calldata lineage
    ) external {
        bytes16 operatorId = _actorWith(Role.OPERATOR, cityCode);
        if (_products[productId].state != ProductState.NONE) revert LicenceRegistry_ProductExists(productId);
        if (modes == 0) revert LicenceRegistry_ModeNotOffered(productId, modes, 0);
        _requireWeights(lineage);
        _requireOrganisations(lineage);
        bytes memory listing = Lineages.pack(lineage);
        DATASETS.requireSellable(_datasetsOf(productId, listing), modes);
        Product storage subject = _products[productId];
        subject.operatorId = operatorId;
        subject.cityCode = cityCode;
        subject.state = ProductState.LISTED;
        subject.modes = modes;
        subject.lineage = Lineages.write(listing);
        emit ProductListed(_nextEventNo(), productId, operatorId, cityCode, modes, metadataDigest, lineage);
    }

    /// @inheritdoc ILicenceRegistry
    function listDerived(Derivation calldata terms, Source[] calldata sources) external {
        bytes16 developerId = _actorWith(Role.DEVELOPER, terms.cityCode);
        Deriving.list(
            _products, _licences, _outcomes, developerId, terms, sources, DIRECTORY, DATASETS, _nextEventNo()
        );
    }

    /// @inheritdoc ILicenceRegistry
    function setProductState(bytes16 productId, ProductState state, bytes32 decisionDigest) external {
        Product storage subject = _knownProduct(productId);
        bytes16 actorId = 0;
        if (!_isByDesk(SubjectKind.PRODUCT, productId)) {
            actorId = _requireOperatorOrRegistrar(subject);
            subject.isHeld = _step(
                uint128(productId),
                LicenceState(uint8(subject.state)),
                LicenceState(uint8(state)),
                subject.isHeld,
                actorId != subject.operatorId
            );
        }
        subject.state = state;
        emit ProductStateSet(_nextEventNo(), productId, state, actorId, decisionDigest);
    }

    /// @inheritdoc ILicenceRegistry
    function approveCaps(bytes16 productId, Band[] calldata caps, bytes32 decisionDigest) external {
        Product storage subject = _knownProduct(productId);
        if (subject.isDerived) revert LicenceRegistry_DerivedProduct(productId, true);
        bytes16 authorityId = _actorWith(Role.PRICE_AUTHORITY, subject.cityCode);
        if (authorityId == subject.operatorId) {
            revert LicenceRegistry_ApproverIsOperator(productId, authorityId);
        }
        _requireSecond(JointAct.PRICE_APPROVAL);
        Tariffs.requireBands(caps);
        subject.capsDigest = sha256(abi.encode(caps));
        emit CapsApproved(_nextEventNo(), productId, authorityId, caps, decisionDigest);
    }

    /// @inheritdoc ILicenceRegistry
    function publishTariff(bytes16 productId, Tariff calldata tariff, Band[] calldata caps) external {
        Product storage subject = _knownProduct(productId);
        _requireOperator(productId, subject);
        if (subject.isDerived) {
            if (caps.length != 0) revert LicenceRegistry_DerivedProduct(productId, true);
            Tariffs.requireFormed(tariff);
        } else {
            bytes32 capsDigest = sha256(abi.encode(caps));
            if (capsDigest != subject.capsDigest) {
                revert LicenceRegistry_CapsDiffer(productId, capsDigest, subject.capsDigest);
            }
            Tariffs.requireWithin(tariff, caps);
        }
        if (subject.tariffNo != 0) _supersededAt[productId][subject.tariffNo] = Clock.nowSeconds();
        uint32 tariffNo = ++subject.tariffNo;
        _tariffs[productId][tariffNo] = sha256(abi.encode(tariff));
        emit TariffPublished(_nextEventNo(), productId, tariffNo, tariff);
    }

    /// @inheritdoc ILicenceRegistry
    function grantLicence(
        Agreement calldata agreement,
        Signed calldata operatorSigned,
        Signed calldata buyerSigned
    ) external returns (uint64 licenceNo) {
        _requireGrantable(agreement);
        bytes32 digest = agreementDigest(agreement);
        _requireSigned(digest, operatorSigned, agreement.operatorId, Role.OPERATOR);
        _requireSigned(digest, buyerSigned, agreement.buyerId, Role.BUYER);
        DIRECTORY.requireRoleAtHome(buyerSigned.signer, Role.BUYER);
        licenceNo = ++_licenceCount;
        _grants[agreement.agreementId] = Grant({licenceNo: licenceNo, latestDigest: bytes24(digest)});
        // The casts are safe: the end fits, and the beginning lies before it.
        Licence memory granted = Licence({
            productId: agreement.productId,
            buyerId: agreement.buyerId,
            validFrom: uint40(agreement.validFrom),
            validUntil: uint40(agreement.validUntil),
            quotaUnits: agreement.quotaUnits,
            tariffNo: agreement.tariffNo,
            purpose: agreement.purpose,
            modes: agreement.modes,
            state: LicenceState.ACTIVE,
            isHeld: false,
            teamMax: agreement.teamMax,
            isAcceptedByUse: agreement.isAcceptedByUse
        });
        _licences[licenceNo] = granted;
        Deriving.agree(_outcomes, licenceNo, agreement.outcomePpm);
        emit LicenceGranted(_nextEventNo(), licenceNo, agreement, digest);
        _decideOpening(licenceNo, granted);
    }

    /// @inheritdoc ILicenceRegistry
    function supplement(
        bytes16 agreementId,
        Supplement calldata change,
        Signed calldata operatorSigned,
        Signed calldata buyerSigned
    ) external {
        Licence storage subject = _knownLicence(change.licenceNo);
        if (subject.state == LicenceState.TERMINATED) {
            revert LicenceRegistry_IllegalStep(change.licenceNo, uint8(subject.state), uint8(subject.state));
        }
        _requireBefore(change.deadline);
        _requireLiability(change.platformLiabilityPpm);
        _requireLatest(agreementId, change);
        if (change.validUntil <= subject.validFrom || change.validUntil > type(uint40).max) {
            revert LicenceRegistry_ValidityEmpty(subject.validFrom, change.validUntil);
        }
        _requireQuota(change);
        bytes32 digest = supplementDigest(change);
        _requireSigned(digest, operatorSigned, _products[subject.productId].operatorId, Role.OPERATOR);
        _requireSigned(digest, buyerSigned, subject.buyerId, Role.BUYER);
        bool isMore = change.validUntil > subject.validUntil || change.quotaUnits > subject.quotaUnits;
        // The cast is safe: the end was checked.
        subject.validUntil = uint40(change.validUntil);
        subject.quotaUnits = change.quotaUnits;
        _grants[agreementId].latestDigest = bytes24(digest);
        emit LicenceSupplemented(_nextEventNo(), change.licenceNo, change, digest);
        if (isMore) _decideOpening(change.licenceNo, subject);
    }

    /// @inheritdoc ILicenceRegistry
    function setLicenceState(uint64 licenceNo, LicenceState state, bytes32 decisionDigest) external {
        Licence storage subject = _knownLicence(licenceNo);
        bytes16 actorId = 0;
        if (!_isByDesk(SubjectKind.LICENCE, bytes16(uint128(licenceNo)))) {
            bool isAuthority;
            (actorId, isAuthority) = _stepper(subject, state);
            subject.isHeld = _step(licenceNo, subject.state, state, subject.isHeld, isAuthority);
        }
        subject.state = state;
        emit LicenceStateSet(_nextEventNo(), licenceNo, state, actorId, decisionDigest);
    }

    /// @inheritdoc ILicenceRegistry
    function product(bytes16 productId) external view returns (Product memory) {
        return _knownProduct(productId);
    }

    /// @inheritdoc ILicenceRegistry
    function licence(uint64 licenceNo) external view returns (Licence memory) {
        return _knownLicence(licenceNo);
    }

    /// @inheritdoc ILicenceRegistry
    function grantOf(bytes16 agreementId) external view returns (Grant memory) {
        return _grants[agreementId];
    }

    /// @inheritdoc ILicenceRegistry
    function sellerOf(bytes16 productId) external view returns (bytes16 operatorId, uint32 cityCode) {
        Product storage subject = _knownProduct(productId);
        return (subject.operatorId, subject.cityCode);
    }

    /// @inheritdoc ILicenceRegistry
    function partiesOf(uint64 licenceNo)
        external
        view
        returns (bytes16 operatorId, bytes16 buyerId, uint32 cityCode)
    {
        Licence storage subject = _licences[licenceNo];
        buyerId = subject.buyerId;
        // One slot less to read than the state; every licence has a buyer.
        if (buyerId == 0) revert LicenceRegistry_UnknownLicence(licenceNo);
        Product storage sold = _products[subject.productId];
        return (sold.operatorId, buyerId, sold.cityCode);
    }

    /// @inheritdoc ILicenceRegistry
    function lineageOf(bytes16 productId) external view returns (LineageEntry[] memory) {
        return Lineages.entriesOf(Lineages.read(_products[productId].lineage));
    }

    /// @inheritdoc ILicenceRegistry
    function lineageAt(bytes16 productId) external view returns (address) {
        return _lineageAt(productId, false);
    }

    /// @inheritdoc ILicenceRegistry
    function outcomesAt(bytes16 productId) external view returns (address) {
        return _lineageAt(productId, true);
    }

    /// @inheritdoc ILicenceRegistry
    function upstreamOf(bytes16 productId) external view returns (bytes16[] memory) {
        return _outcomes.operators[productId];
    }

    /// @inheritdoc ILicenceRegistry
    function requireTariff(bytes16 productId, uint32 tariffNo, Tariff calldata tariff) external view {
        bytes32 got = sha256(abi.encode(tariff));
        bytes32 expected = _tariffs[productId][tariffNo];
        if (got != expected) revert LicenceRegistry_TariffDiffers(productId, tariffNo, got, expected);
    }

    /// @inheritdoc ILicenceRegistry
    function agreementDigest(Agreement calldata agreement) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(AGREEMENT_TYPEHASH, agreement)));
    }

    /// @inheritdoc ILicenceRegistry
    function supplementDigest(Supplement calldata change) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(SUPPLEMENT_TYPEHASH, change)));
    }

    /// @dev A product with caps is never shared as a derived one, and the other way round.
    function _lineageAt(bytes16 productId, bool isDerived) private view returns (address) {
        Product storage subject = _products[productId];
        if (subject.isDerived != isDerived) revert LicenceRegistry_DerivedProduct(productId, subject.isDerived);
        return subject.lineage;
    }

    function _requireGrantable(Agreement calldata agreement) private view {
        uint64 usedBy = _grants[agreement.agreementId].licenceNo;
        if (usedBy != 0) revert LicenceRegistry_AgreementUsed(agreement.agreementId, usedBy);
        _requireBefore(agreement.deadline);
        _requireLiability(agreement.platformLiabilityPpm);
        if (agreement.quotaUnits == 0) revert LicenceRegistry_QuotaEmpty(agreement.agreementId);
        bool isOver = agreement.validUntil <= Clock.nowSeconds();
        if (isOver || agreement.validFrom >= agreement.validUntil || agreement.validUntil > type(uint40).max) {
            revert LicenceRegistry_ValidityEmpty(agreement.validFrom, agreement.validUntil);
        }
        if (agreement.operatorId == agreement.buyerId) revert LicenceRegistry_SelfDealing(agreement.buyerId);
        Product storage subject = _knownProduct(agreement.productId);
        if (subject.operatorId != agreement.operatorId) {
            revert LicenceRegistry_NotOperator(agreement.productId, agreement.operatorId, subject.operatorId);
        }
        if (agreement.modes == 0 || agreement.modes & ~subject.modes != 0) {
            revert LicenceRegistry_ModeNotOffered(agreement.productId, agreement.modes, subject.modes);
        }
        _requirePrice(agreement, subject);
    }

    /// @dev What a licence and more of it need alike: a product for sale, and data that is approved and
    /// open for all of it.
    function _decideOpening(uint64 licenceNo, Licence memory licence_) private {
        bytes16 productId = licence_.productId;
        Product storage sold = _products[productId];
        if (sold.state != ProductState.LISTED) revert LicenceRegistry_ProductNotListed(productId, sold.state);
        _requireCompetition(licence_);
        bytes16[] memory datasetIds = _datasetsOf(productId, Lineages.read(sold.lineage));
        APPLICATIONS.requireApproved(
            datasetIds, licence_.buyerId, licence_.purpose, licence_.modes, licence_.validUntil
        );
        (OpeningTier tier, uint32[] memory policyNos) =
            DATASETS.requireOpen(datasetIds, licence_.modes, licence_.purpose);
        emit OpeningDecided(_nextEventNo(), licenceNo, tier, policyNos);
    }

    /// @dev Who changes a licence's state, and whether as the authority.
    function _stepper(Licence storage subject, LicenceState state)
        private
        view
        returns (bytes16 actorId, bool isAuthority)
    {
        Product storage sold = _products[subject.productId];
        actorId = _actor();
        if (state == LicenceState.TERMINATED && actorId == subject.buyerId) {
            _actorUsing(Role.BUYER);
            return (actorId, false);
        }
        _requireOperatorOrRegistrar(sold);
        isAuthority = actorId != sold.operatorId;
    }

    /// @dev A step of a licence, or of a product, whose states are the same ones under other names.
    /// @return isHold Whether a registrar suspends it, so that only a registrar restores it.
    function _step(uint256 id, LicenceState from, LicenceState to, bool isHeld, bool isAuthority)
        private
        pure
        returns (bool isHold)
    {
        isHold = isAuthority && to == LicenceState.SUSPENDED && !isHeld;
        bool isSame = from == to && !isHold;
        if (to == LicenceState.NONE || from == LicenceState.TERMINATED || isSame) {
            revert LicenceRegistry_IllegalStep(id, uint8(from), uint8(to));
        }
        if (isHeld && !isAuthority && to == LicenceState.ACTIVE) revert LicenceRegistry_SuspendedByAuthority(id);
    }

    /// @dev Free purposes have no tariff; chargeable ones have the tariff in force, or one that a quote
    /// may still hold (发改价格〔2025〕65号).
    function _requirePrice(Agreement calldata agreement, Product storage subject) private view {
        bool isChargeable = agreement.purpose == Purpose.INDUSTRY || agreement.purpose == Purpose.SECTOR;
        if (agreement.purpose == Purpose.NONE || isChargeable != (agreement.tariffNo != 0)) {
            revert LicenceRegistry_PurposeAndPrice(agreement.purpose, agreement.tariffNo);
        }
        if (!isChargeable || agreement.tariffNo == subject.tariffNo) return;
        uint64 supersededAt = _supersededAt[agreement.productId][agreement.tariffNo];
        if (supersededAt == 0 || Clock.nowSeconds() > supersededAt + QUOTE_SECONDS) {
            revert LicenceRegistry_TariffNotInForce(agreement.productId, agreement.tariffNo, subject.tariffNo);
        }
    }

    /// @dev Every dataset of a lineage, and at least one.
    function _datasetsOf(bytes16 productId, bytes memory listing)
        private
        pure
        returns (bytes16[] memory datasetIds)
    {
        datasetIds = Lineages.datasetsOf(listing);
        if (datasetIds.length == 0) revert LicenceRegistry_LineageWithoutDataset(productId);
    }

    /// @dev A competition (应用大赛) is free, in a sandbox, for a team, and ends by itself.
    function _requireCompetition(Licence memory licence_) private pure {
        if (licence_.purpose != Purpose.COMPETITION) return;
        uint64 validSeconds = licence_.validUntil - licence_.validFrom;
        if (
            licence_.modes != SANDBOX || licence_.teamMax == 0
                || licence_.teamMax > COMPETITION_TEAM_MAX || validSeconds > COMPETITION_SECONDS_MAX
        ) {
            revert LicenceRegistry_CompetitionTerms(
                licence_.productId, licence_.modes, licence_.teamMax, validSeconds
            );
        }
    }

    /// @dev The agreement is where the licence's latest digest is kept, so a caller names it; both sides
    /// signed the number and the digest that it must hold.
    function _requireLatest(bytes16 agreementId, Supplement calldata change) private view {
        Grant memory grant = _grants[agreementId];
        if (grant.licenceNo != change.licenceNo) {
            revert LicenceRegistry_SupplementOutOfOrder(change.licenceNo, change.previousDigest, 0);
        }
        if (bytes24(change.previousDigest) != grant.latestDigest) {
            revert LicenceRegistry_SupplementOutOfOrder(
                change.licenceNo, change.previousDigest, grant.latestDigest
            );
        }
    }

    function _requireQuota(Supplement calldata change) private view {
        if (change.quotaUnits == 0) revert LicenceRegistry_SupplementQuotaEmpty(change.licenceNo);
        if (address(_ledger) == address(0)) revert LicenceRegistry_LedgerMissing(change.licenceNo);
        uint64 billedUnits = _ledger.billedUnits(change.licenceNo, 0);
        if (change.quotaUnits < billedUnits) {
            revert LicenceRegistry_QuotaBelowBilled(change.licenceNo, change.quotaUnits, billedUnits);
        }
    }

    function _requireOrganisations(LineageEntry[] calldata lineage) private view {
        for (uint256 i = 0; i < lineage.length; ++i) {
            if (lineage[i].kind == ClaimantKind.ORGANISATION) DIRECTORY.organisation(lineage[i].claimantId);
        }
    }

    function _requireSigned(bytes32 digest, Signed calldata signed, bytes16 partyId, Role role) private view {
        if (!SignatureChecker.isValidSignatureNow(signed.signer, digest, signed.signature)) {
            revert LicenceRegistry_SignatureInvalid(signed.signer, digest);
        }
        bytes16 organisationId = DIRECTORY.requireMayUse(signed.signer, role);
        if (organisationId != partyId) {
            revert LicenceRegistry_SignerNotOfParty(signed.signer, organisationId, partyId);
        }
    }

    function _requireOperator(bytes16 productId, Product storage subject) private view {
        bytes16 actorId = _actorUsing(Role.OPERATOR);
        if (actorId != subject.operatorId) {
            revert LicenceRegistry_NotOperator(productId, actorId, subject.operatorId);
        }
    }

    function _requireOperatorOrRegistrar(Product storage subject) private view returns (bytes16 actorId) {
        actorId = _actor();
        if (actorId == subject.operatorId) _actorUsing(Role.OPERATOR);
        else _actorWith(Role.REGISTRAR, subject.cityCode);
    }

    function _knownProduct(bytes16 productId) private view returns (Product storage subject) {
        subject = _products[productId];
        if (subject.state == ProductState.NONE) revert LicenceRegistry_UnknownProduct(productId);
    }

    function _knownLicence(uint64 licenceNo) private view returns (Licence storage subject) {
        subject = _licences[licenceNo];
        if (subject.state == LicenceState.NONE) revert LicenceRegistry_UnknownLicence(licenceNo);
    }

    function _requireBefore(uint64 deadline) private view {
        uint64 nowSeconds = Clock.nowSeconds();
        if (deadline < nowSeconds) revert LicenceRegistry_DeadlinePassed(deadline, nowSeconds);
    }

    function _requireLiability(Ppm share) private pure {
        if (Ppm.unwrap(share) < PLATFORM_LIABILITY_FLOOR_PPM || Ppm.unwrap(share) > PPM_WHOLE) {
            revert LicenceRegistry_LiabilityBelowFloor(share, PLATFORM_LIABILITY_FLOOR_PPM);
        }
    }

    function _requireWeights(LineageEntry[] calldata lineage) private pure {
        if (lineage.length == 0 || lineage.length > LINEAGE_MAX) {
            revert LicenceRegistry_LineageLength(lineage.length, LINEAGE_MAX);
        }
        bytes16 previousId = 0;
        uint256 sumPpm = 0;
        for (uint256 i = 0; i < lineage.length; ++i) {
            LineageEntry calldata entry = lineage[i];
            if (entry.claimantId <= previousId) {
                revert LicenceRegistry_LineageOrder(previousId, entry.claimantId);
            }
            if (entry.kind == ClaimantKind.NONE || Ppm.unwrap(entry.weightPpm) == 0) {
                revert LicenceRegistry_LineageEntryEmpty(entry.claimantId);
            }
            previousId = entry.claimantId;
            sumPpm += Ppm.unwrap(entry.weightPpm);
        }
        if (sumPpm != PPM_WHOLE) revert LicenceRegistry_LineageSum(sumPpm, PPM_WHOLE);
    }
}
