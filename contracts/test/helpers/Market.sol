// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {ERC2771Forwarder} from "@openzeppelin/contracts/metatx/ERC2771Forwarder.sol";
import {Applications} from "../../Applications.sol";
import {DatasetRegistry} from "../../DatasetRegistry.sol";
import {Directory} from "../../Directory.sol";
import {LicenceRegistry} from "../../LicenceRegistry.sol";
import {Negotiations} from "../../Negotiations.sol";
import {ObjectionDesk} from "../../ObjectionDesk.sol";
import {RevenueLedger} from "../../RevenueLedger.sol";
import {UsageLog} from "../../UsageLog.sol";
import {IBilled} from "../../interfaces/IBilled.sol";
import {IDatasetRegistry} from "../../interfaces/IDatasetRegistry.sol";
import {IDirectory} from "../../interfaces/IDirectory.sol";
import {ILicenceRegistry} from "../../interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "../../interfaces/IRevenueLedger.sol";
import {
    ChargeBasis,
    ClaimantKind,
    OpenClass,
    OpeningTier,
    PayeeRule,
    Purpose,
    QualityGrade,
    RegistrationState,
    RegistrationType,
    Role,
    Sensitivity,
    UpdateFrequency
} from "../../libraries/Codes.sol";
import {Fen, MicroFen, MicroYuan, Ppm} from "../../libraries/Units.sol";
import {Check} from "./Check.sol";
import {ReferenceTree} from "./ReferenceTree.sol";
import {Split} from "./Splits.sol";

/// @notice A small market on real contracts. Organisation number n has the id n and signs with key n,
/// so that a test reads as who does what. The test contract itself is governance.
abstract contract Market is Check {
    uint32 internal constant NANJING = 320100;
    uint32 internal constant ZHENJIANG = 321100;
    uint8 internal constant ENTERPRISE = 1;
    uint8 internal constant ADMINISTRATIVE = 2;
    uint8 internal constant INSTITUTION = 3;

    uint128 internal constant REGISTRAR = 11;
    uint128 internal constant PRICER = 12;
    uint128 internal constant TREASURY = 13;
    uint128 internal constant PLATFORM = 14;
    uint128 internal constant OPERATOR = 15;
    uint128 internal constant BUREAU = 16;
    uint128 internal constant COMPANY = 17;
    uint128 internal constant BUYER = 18;
    uint128 internal constant OTHER_OPERATOR = 19;
    uint128 internal constant FAR_REGISTRAR = 21;
    uint128 internal constant FAR_BUREAU = 26;

    uint128 internal constant DATASET_1 = 101;
    uint128 internal constant DATASET_2 = 102;
    uint128 internal constant DATASET_3 = 103;
    uint128 internal constant PRODUCT = 201;
    uint128 internal constant FREE_PRODUCT = 202;
    uint128 internal constant PAIR_PRODUCT = 203;
    uint128 internal constant SCHEME = 301;
    uint128 internal constant CYCLE = 351;

    uint8 internal constant MODES = 3;
    /// @dev 2026-06-15 12:00 in China.
    uint64 internal constant NOON = 1781496000;
    uint64 internal constant NOON_MS = NOON * 1000;
    /// @dev NOON is a Monday's; five working days end with the Monday after it.
    uint64 internal constant HELD_UNTIL = NOON + 7 days + 12 hours - 1;
    /// @dev Within three years of every instant that the tests code at.
    uint64 internal constant VALID_UNTIL = NOON + 2 * 365 days;
    bytes32 internal constant DOCUMENT = bytes32(uint256(0xd0c));

    AccessManager internal governance;
    ERC2771Forwarder internal forwarder;
    Directory internal directory;
    DatasetRegistry internal datasets;
    Applications internal applications;
    LicenceRegistry internal licences;
    Negotiations internal negotiations;
    UsageLog internal usageLog;
    RevenueLedger internal ledger;
    ObjectionDesk internal desk;

    function setUp() public virtual {
        vm.warp(NOON);
        _deploy();
        _openCities();
        _admitEverybody();
    }

    // ---- who ----

    function _id(uint128 number) internal pure returns (bytes16) {
        return bytes16(number);
    }

    function _signer(uint128 number) internal pure returns (address) {
        return vm.addr(number);
    }

    /// @dev The next call is this organisation's.
    function _as(uint128 number) internal {
        vm.prank(_signer(number));
    }

    function _join(uint128 number, uint8 kind, uint32 cityCode) internal {
        directory.admit(_id(number), kind, cityCode, DOCUMENT, _signer(number));
    }

    function _join(uint128 number, uint8 kind, uint32 cityCode, Role role) internal {
        _join(number, kind, cityCode);
        directory.grantRole(_id(number), role, cityCode);
    }

    // ---- datasets ----

    function _registration(uint128 datasetId) internal pure returns (IDatasetRegistry.Registration memory) {
        return IDatasetRegistry.Registration({
            datasetId: _id(datasetId),
            openClass: OpenClass.CONDITIONAL,
            sensitivity: Sensitivity.GENERAL,
            containsPersonalInformation: false,
            isSharedIn: false,
            deliveryModes: 127,
            updateFrequency: UpdateFrequency.DAILY,
            metadataDigest: DOCUMENT,
            maskingReportDigest: 0,
            sourceConsentDigest: 0
        });
    }

    function _version(uint256 content) internal pure returns (IDatasetRegistry.Version memory) {
        return IDatasetRegistry.Version({
            sha256Digest: bytes32(content),
            sm3Digest: bytes32(content + 1),
            schemaDigest: bytes32(content + 2),
            rowCount: 10,
            byteSize: 1000
        });
    }

    function _deposit(uint128 datasetId, uint128 provider) internal {
        _as(provider);
        datasets.register(_registration(datasetId), _version(uint256(datasetId) << 8), new bytes32[](0));
    }

    function _advance(uint128 datasetId, uint128 actor, RegistrationState to) internal {
        if (to == RegistrationState.CODED) return _giveCode(datasetId, actor);
        _as(actor);
        if (to == RegistrationState.APPLIED) datasets.applyFor(_id(datasetId), RegistrationType.FIRST, DOCUMENT);
        else datasets.advance(_id(datasetId), to, DOCUMENT);
    }

    function _giveCode(uint128 datasetId, uint128 registrar) internal {
        _as(registrar);
        datasets.code(_id(datasetId), bytes32(uint256(datasetId)), VALID_UNTIL, DOCUMENT);
    }

    /// @dev The region's table: every cell conditional.
    function _publishPolicy() internal {
        uint256 word = _everyCell(OpeningTier.CONDITIONAL);
        datasets.publishPolicy(0, word, word, uint64(block.timestamp), DOCUMENT);
    }

    function _everyCell(OpeningTier tier) internal pure returns (uint256 word) {
        for (uint256 cell = 0; cell < 70; ++cell) {
            word |= uint256(uint8(tier)) << (3 * cell);
        }
    }

    /// @dev From nothing to a registration code.
    function _code(uint128 datasetId, uint128 provider, uint128 registrar) internal {
        _deposit(datasetId, provider);
        _advance(datasetId, provider, RegistrationState.APPLIED);
        _advance(datasetId, registrar, RegistrationState.ACCEPTED);
        _advance(datasetId, registrar, RegistrationState.REVIEWED);
        _advance(datasetId, registrar, RegistrationState.PUBLIC_NOTICE);
        _advance(datasetId, registrar, RegistrationState.CODED);
    }

    // ---- products and licences ----

    function _entry(uint128 claimant, ClaimantKind kind, uint32 weightPpm)
        internal
        pure
        returns (ILicenceRegistry.LineageEntry memory)
    {
        return ILicenceRegistry.LineageEntry({
            claimantId: _id(claimant),
            kind: kind,
            weightPpm: Ppm.wrap(weightPpm)
        });
    }

    /// @dev The weights of the vectors; organisations have lower ids than datasets here.
    function _lineage() internal pure returns (ILicenceRegistry.LineageEntry[] memory lineage) {
        lineage = new ILicenceRegistry.LineageEntry[](5);
        lineage[0] = _entry(PLATFORM, ClaimantKind.ORGANISATION, 120_000);
        lineage[1] = _entry(OPERATOR, ClaimantKind.ORGANISATION, 480_000);
        lineage[2] = _entry(DATASET_1, ClaimantKind.DATASET, 240_000);
        lineage[3] = _entry(DATASET_2, ClaimantKind.DATASET, 60_000);
        lineage[4] = _entry(DATASET_3, ClaimantKind.DATASET, 100_000);
    }

    /// @dev Half the operator's, half the first dataset's.
    function _pair() internal pure returns (ILicenceRegistry.LineageEntry[] memory lineage) {
        lineage = new ILicenceRegistry.LineageEntry[](2);
        lineage[0] = _entry(OPERATOR, ClaimantKind.ORGANISATION, 500_000);
        lineage[1] = _entry(DATASET_1, ClaimantKind.DATASET, 500_000);
    }

    function _bands(uint64 priceMicroYuan) internal pure returns (ILicenceRegistry.Band[] memory bands) {
        bands = new ILicenceRegistry.Band[](1);
        bands[0] = ILicenceRegistry.Band(type(uint64).max, MicroYuan.wrap(priceMicroYuan));
    }

    /// @dev One fen a unit: so that a test chooses amounts by units.
    function _tariff() internal pure returns (ILicenceRegistry.Tariff memory) {
        return ILicenceRegistry.Tariff({
            basis: ChargeBasis.SERVICE_CALLS,
            freeQuotaUnits: 0,
            discountPpm: Ppm.wrap(0),
            bands: _bands(10_000)
        });
    }

    function _noTariff() internal pure returns (ILicenceRegistry.Tariff memory tariff) {
        tariff.bands = new ILicenceRegistry.Band[](0);
    }

    function _list(uint128 productId) internal {
        _as(OPERATOR);
        licences.listProduct(_id(productId), NANJING, MODES, DOCUMENT, _lineage());
    }

    function _price(uint128 productId) internal {
        _as(PRICER);
        licences.approveCaps(_id(productId), _bands(10_000), DOCUMENT);
        _as(OPERATOR);
        licences.publishTariff(_id(productId), _tariff(), _bands(10_000));
    }

    function _agreement(uint128 productId, uint32 tariffNo, uint128 agreementId)
        internal
        pure
        returns (ILicenceRegistry.Agreement memory)
    {
        return ILicenceRegistry.Agreement({
            agreementId: _id(agreementId),
            productId: _id(productId),
            operatorId: _id(OPERATOR),
            buyerId: _id(BUYER),
            tariffNo: tariffNo,
            purpose: tariffNo == 0 ? Purpose.PUBLIC_WELFARE : Purpose.INDUSTRY,
            modes: 2,
            validFrom: NOON,
            validUntil: NOON + 365 days,
            quotaUnits: type(uint64).max,
            platformLiabilityPpm: Ppm.wrap(500_000),
            outcomePpm: Ppm.wrap(0),
            teamMax: 0,
            isAcceptedByUse: false,
            termsDigest: DOCUMENT,
            deadline: NOON + 1 days
        });
    }

    function _sign(uint128 number, bytes32 digest) internal pure returns (ILicenceRegistry.Signed memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(number, digest);
        return ILicenceRegistry.Signed({signer: _signer(number), signature: abi.encodePacked(r, s, v)});
    }

    function _grant(ILicenceRegistry.Agreement memory agreement) internal returns (uint64 licenceNo) {
        bytes32 digest = licences.agreementDigest(agreement);
        return licences.grantLicence(agreement, _sign(OPERATOR, digest), _sign(BUYER, digest));
    }

    /// @dev As much of a licence's latest digest as the chain keeps: what a supplement must follow.
    function _latest(uint128 agreementId) internal view returns (bytes32) {
        return licences.grantOf(_id(agreementId)).latestDigest;
    }

    /// @dev Three coded datasets, a priced product, a free one, and a licence on each (1 and 2).
    function _openShop() internal {
        _publishPolicy();
        _code(DATASET_1, BUREAU, REGISTRAR);
        _code(DATASET_2, COMPANY, REGISTRAR);
        _code(DATASET_3, FAR_BUREAU, FAR_REGISTRAR);
        _list(PRODUCT);
        _price(PRODUCT);
        _list(FREE_PRODUCT);
        _grant(_agreement(PRODUCT, 1, 401));
        _grant(_agreement(FREE_PRODUCT, 0, 402));
    }

    /// @dev A second product, and licence 3 on it.
    function _openPair() internal {
        _as(OPERATOR);
        licences.listProduct(_id(PAIR_PRODUCT), NANJING, MODES, DOCUMENT, _pair());
        _price(PAIR_PRODUCT);
        ILicenceRegistry.Agreement memory agreement = _agreement(PAIR_PRODUCT, 1, 403);
        bytes32 digest = licences.agreementDigest(agreement);
        licences.grantLicence(agreement, _sign(OPERATOR, digest), _sign(BUYER, digest));
    }

    /// @dev Six equal scores of a grade.
    function _scores(QualityGrade grade) internal pure returns (bytes6) {
        if (grade == QualityGrade.A) return hex"5f5f5f5f5f5f";
        if (grade == QualityGrade.B) return hex"555555555555";
        if (grade == QualityGrade.C) return hex"4b4b4b4b4b4b";
        if (grade == QualityGrade.D) return hex"414141414141";
        return hex"1e1e1e1e1e1e";
    }

    function _grade(uint128 datasetId, QualityGrade grade) internal {
        _as(datasetId == DATASET_3 ? FAR_REGISTRAR : REGISTRAR);
        datasets.inspect(_id(datasetId), _scores(grade), DOCUMENT);
    }

    // ---- use ----

    function _receipt(uint64 licenceNo, uint64 cumulativeUnits, uint64 usedAtMs)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(
            bytes1(0x01),
            uint8(2),
            uint16(3),
            uint32(1),
            licenceNo,
            uint64(1),
            usedAtMs,
            uint32(1),
            uint32(0),
            uint64(1),
            cumulativeUnits,
            uint64(5),
            bytes32(uint256(0xc0))
        );
    }

    /// @dev A new log that holds one receipt, anchored: proofs in it are empty.
    function _logOf(bytes memory receipt) internal returns (uint32 logNo) {
        // Hashed first: the precompile is a call, which would use up the sender of the next line.
        bytes32 root = ReferenceTree.leaf(receipt);
        _as(OPERATOR);
        logNo = usageLog.openLog(DOCUMENT);
        _as(OPERATOR);
        usageLog.anchor(logNo, 1, root, NOON_MS, new bytes32[](0));
    }

    // ---- money ----

    function _terms() internal pure virtual returns (IRevenueLedger.SchemeTerms memory) {
        return IRevenueLedger.SchemeTerms({
            schemeId: _id(SCHEME),
            operatorId: _id(OPERATOR),
            platformId: _id(PLATFORM),
            governanceId: _id(TREASURY),
            cycleId: _id(CYCLE),
            previousCycleId: 0,
            cityCode: NANJING,
            year: 2026,
            isTrial: false,
            bondPpm: Ppm.wrap(17_500),
            spreadPpm: Ppm.wrap(60_000),
            surchargePpm: Ppm.wrap(7200),
            vatPpm: Ppm.wrap(60_000),
            providersPpm: Ppm.wrap(400_000),
            operatorPpm: Ppm.wrap(400_000),
            platformPpm: Ppm.wrap(100_000),
            governancePpm: Ppm.wrap(100_000),
            taxFen: Fen.wrap(3_600_000),
            holdDays: 5,
            decisionDigest: DOCUMENT
        });
    }

    function _cost(uint128 claimant, uint64 costFen) internal pure returns (IRevenueLedger.ClaimantCost memory) {
        return IRevenueLedger.ClaimantCost({claimantId: _id(claimant), costFen: Fen.wrap(costFen)});
    }

    /// @dev The costs of the vectors.
    function _costs() internal pure returns (IRevenueLedger.ClaimantCost[] memory costs) {
        costs = new IRevenueLedger.ClaimantCost[](5);
        costs[0] = _cost(PLATFORM, 60_000_000);
        costs[1] = _cost(OPERATOR, 240_000_000);
        costs[2] = _cost(DATASET_1, 120_000_000);
        costs[3] = _cost(DATASET_2, 30_000_000);
        costs[4] = _cost(DATASET_3, 50_000_000);
    }

    function _approve() internal {
        _as(PRICER);
        ledger.approveScheme(_terms(), _costs());
    }

    function _claim(uint128 invoiceId, uint32 logNo, bytes memory receipt, uint64 grossFen)
        internal
        pure
        returns (IRevenueLedger.InvoiceClaim memory)
    {
        return IRevenueLedger.InvoiceClaim({
            invoiceId: _id(invoiceId),
            schemeId: _id(SCHEME),
            logNo: logNo,
            logSize: 1,
            receiptIndex: 0,
            receipt: receipt,
            inclusionProof: new bytes32[](0),
            tariff: _tariff(),
            grossFen: Fen.wrap(grossFen),
            documentDigest: DOCUMENT
        });
    }

    /// @dev A bill of `grossFen`, at one fen a unit, on a log of its own.
    function _issue(uint128 invoiceId, uint64 grossFen) internal {
        _issueOn(1, invoiceId, grossFen);
    }

    function _issueOn(uint64 licenceNo, uint128 invoiceId, uint64 grossFen) internal {
        bytes memory receipt = _receipt(licenceNo, grossFen, NOON_MS);
        uint32 logNo = _logOf(receipt);
        _as(OPERATOR);
        ledger.issueInvoice(_claim(invoiceId, logNo, receipt, grossFen));
    }

    function _pay(uint128 invoiceId, uint64 amountFen) internal {
        _as(OPERATOR);
        ledger.recordPayment(_id(invoiceId), Fen.wrap(amountFen), bytes32(uint256(invoiceId)));
    }

    function _accept(uint128 invoiceId) internal {
        _as(BUYER);
        ledger.accept(_id(invoiceId));
    }

    /// @dev Billed, paid and accepted: ready to be split.
    function _earn(uint128 invoiceId, uint64 grossFen) internal {
        _earnOn(1, invoiceId, grossFen);
    }

    function _earnOn(uint64 licenceNo, uint128 invoiceId, uint64 grossFen) internal {
        _issueOn(licenceNo, invoiceId, grossFen);
        _pay(invoiceId, grossFen);
        _accept(invoiceId);
    }

    function _proposal(uint64 tax, uint64[5] memory lines, uint64 reserve)
        internal
        pure
        returns (Split memory proposed)
    {
        proposed.taxMicroFen = MicroFen.wrap(tax);
        proposed.reserveMicroFen = MicroFen.wrap(reserve);
        proposed.lineageCostMicroFen = new MicroFen[](5);
        for (uint256 i = 0; i < 5; ++i) {
            proposed.lineageCostMicroFen[i] = MicroFen.wrap(lines[i]);
        }
    }

    /// @dev A trial: nothing is permitted above cost, so what cost leaves is reserve.
    function _trial(IRevenueLedger.SchemeTerms memory terms)
        internal
        pure
        returns (IRevenueLedger.SchemeTerms memory)
    {
        terms.isTrial = true;
        terms.providersPpm = terms.operatorPpm = terms.platformPpm = terms.governancePpm = Ppm.wrap(0);
        return terms;
    }

    // ---- set up ----

    function _deploy() private {
        governance = new AccessManager(address(this));
        forwarder = new ERC2771Forwarder("MetroDataLedger");
        directory = new Directory(address(governance), address(forwarder), _isTrial());
        datasets = new DatasetRegistry(address(forwarder), directory);
        applications = new Applications(address(forwarder), directory, datasets);
        licences = new LicenceRegistry(address(forwarder), directory, datasets, applications);
        negotiations = new Negotiations(address(forwarder), directory, licences);
        usageLog = new UsageLog(address(forwarder), directory);
        ledger = new RevenueLedger(address(forwarder), directory, datasets, licences, usageLog);
        licences.bindLedger(IBilled(address(ledger)));
        desk = new ObjectionDesk(address(forwarder), directory, datasets, licences, ledger);
        directory.appointDesk(address(desk));
    }

    /// @dev Most tests go from application to code in one instant, as a trial allows.
    function _isTrial() internal pure virtual returns (bool) {
        return true;
    }

    function _openCities() private {
        if (_isTrial()) directory.setNoticeDays(0);
        directory.openCity(NANJING);
        directory.openCity(ZHENJIANG);
        directory.defineKind(ENTERPRISE, IDirectory.KindRule(_bitmap(Role.PROVIDER, Role.OPERATOR, Role.BUYER), false, PayeeRule.ITSELF));
        directory.defineKind(ADMINISTRATIVE, IDirectory.KindRule(_bitmap(Role.PROVIDER, Role.BUYER, Role.BUYER), false, PayeeRule.TREASURY));
        directory.defineKind(INSTITUTION, IDirectory.KindRule(type(uint32).max, true, PayeeRule.ITSELF));
    }

    function _admitEverybody() private {
        _join(REGISTRAR, INSTITUTION, NANJING, Role.REGISTRAR);
        _join(PRICER, INSTITUTION, NANJING, Role.PRICE_AUTHORITY);
        _join(TREASURY, INSTITUTION, NANJING, Role.TREASURY);
        _join(PLATFORM, INSTITUTION, NANJING, Role.PLATFORM);
        _join(OPERATOR, ENTERPRISE, NANJING, Role.OPERATOR);
        _join(BUREAU, ADMINISTRATIVE, NANJING, Role.PROVIDER);
        _join(COMPANY, ENTERPRISE, NANJING, Role.PROVIDER);
        _join(BUYER, ENTERPRISE, NANJING, Role.BUYER);
        _join(OTHER_OPERATOR, ENTERPRISE, NANJING, Role.OPERATOR);
        _join(FAR_REGISTRAR, INSTITUTION, ZHENJIANG, Role.REGISTRAR);
        _join(FAR_BUREAU, ADMINISTRATIVE, ZHENJIANG, Role.PROVIDER);
    }

    function _bitmap(Role a, Role b, Role c) internal pure returns (uint32) {
        return uint32((1 << uint8(a)) | (1 << uint8(b)) | (1 << uint8(c)));
    }
}
