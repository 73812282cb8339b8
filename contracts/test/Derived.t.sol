// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {ClaimantKind, InvoiceState, LicenceState, PayeeRule, Purpose, Role, SchemeState} from "../libraries/Codes.sol";
import {Fen, MicroFen, Ppm} from "../libraries/Units.sol";
import {Market} from "./helpers/Market.sol";

/// @notice Derived products: affiliates, sources, flattening, and the sharing of outcomes.
contract DerivedTest is Market {
    uint128 private constant DEVELOPER = 31;
    uint128 private constant SECOND = 32;
    uint128 private constant DERIVED = 211;
    uint128 private constant UPPER = 212;
    uint128 private constant MARKET = 311;
    uint128 private constant BILL = 511;
    bytes32 private constant REFUND = bytes32(uint256(0x4ef));

    function setUp() public override {
        super.setUp();
        directory.defineKind(ENTERPRISE, IDirectory.KindRule(type(uint32).max, false, PayeeRule.ITSELF));
        _publishPolicy();
        _code(DATASET_1, BUREAU, REGISTRAR);
        _code(DATASET_2, COMPANY, REGISTRAR);
        _code(DATASET_3, FAR_BUREAU, FAR_REGISTRAR);
        _list(PRODUCT);
        _price(PRODUCT);
        _joinDeveloper(DEVELOPER);
        _joinDeveloper(SECOND);
    }

    // ---- affiliates ----

    function test_affiliates__declared_by_one__ended_by_a_registrar_alone() public {
        vm.expectEmit();
        emit IDirectory.AffiliatesDeclared(
            directory.eventCount() + 1, _id(OPERATOR), _id(DEVELOPER), _id(DEVELOPER)
        );
        _as(DEVELOPER);
        directory.declareAffiliates(_id(DEVELOPER), _id(OPERATOR));
        _true(directory.isAffiliate(_id(OPERATOR), _id(DEVELOPER)), "either order");
        vm.expectRevert(abi.encodeWithSelector(IDirectory.Directory_OwnCase.selector, _id(DEVELOPER)));
        _as(DEVELOPER);
        directory.endAffiliation(_id(DEVELOPER), _id(OPERATOR), DOCUMENT);
        _as(REGISTRAR);
        directory.endAffiliation(_id(DEVELOPER), _id(OPERATOR), DOCUMENT);
        _true(!directory.isAffiliate(_id(OPERATOR), _id(DEVELOPER)), "ended");
    }

    function test_affiliates__strangers_itself_or_twice__refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IDirectory.Directory_MayNotAffiliate.selector, _id(COMPANY), _id(DEVELOPER), _id(OPERATOR)
            )
        );
        _as(COMPANY);
        directory.declareAffiliates(_id(DEVELOPER), _id(OPERATOR));
        vm.expectRevert(abi.encodeWithSelector(IDirectory.Directory_AffiliateOfItself.selector, _id(DEVELOPER)));
        _as(DEVELOPER);
        directory.declareAffiliates(_id(DEVELOPER), _id(DEVELOPER));
        _as(REGISTRAR);
        directory.declareAffiliates(_id(DEVELOPER), _id(OPERATOR));
        vm.expectRevert(
            abi.encodeWithSelector(
                IDirectory.Directory_AffiliationUnchanged.selector, _id(OPERATOR), _id(DEVELOPER), true
            )
        );
        _as(OPERATOR);
        directory.declareAffiliates(_id(OPERATOR), _id(DEVELOPER));
        vm.expectRevert(
            abi.encodeWithSelector(
                IDirectory.Directory_MayNotAffiliate.selector, _id(FAR_REGISTRAR), _id(OPERATOR), _id(DEVELOPER)
            )
        );
        _as(FAR_REGISTRAR);
        directory.endAffiliation(_id(OPERATOR), _id(DEVELOPER), DOCUMENT);
    }

    // ---- listDerived ----

    function test_derive__from_three_datasets__lineage_sums_to_the_whole() public {
        _derive();
        ILicenceRegistry.LineageEntry[] memory lineage = licences.lineageOf(_id(DERIVED));
        _equal(lineage.length, 5, "count");
        _requireEntry(lineage[0], DATASET_1, 60_000);
        _requireEntry(lineage[1], DATASET_2, 30_000);
        _requireEntry(lineage[2], DATASET_3, 10_000);
        _requireEntry(lineage[3], PLATFORM, 50_000);
        _requireEntry(lineage[4], DEVELOPER, 850_000);
        _true(licences.product(_id(DERIVED)).isDerived, "derived");
        _equal(licences.upstreamOf(_id(DERIVED))[0], _id(OPERATOR), "upstream");
    }

    function test_derive__a_diamond__paid_once_by_its_path_sum() public {
        _derive();
        _priceDerived();
        uint64 direct = _license(PRODUCT, OPERATOR, SECOND, 200_000, 421);
        uint64 through = _license(DERIVED, DEVELOPER, SECOND, 100_001, 422);
        ILicenceRegistry.Source[] memory sources = new ILicenceRegistry.Source[](2);
        sources[0] = _source(direct, DATASET_1, 200_000);
        sources[1] = _source(through, DERIVED, 100_001);
        _as(SECOND);
        licences.listDerived(_derivation(UPPER, 0), sources);
        ILicenceRegistry.LineageEntry[] memory lineage = licences.lineageOf(_id(UPPER));
        _equal(lineage.length, 6, "count");
        // 6,000.06, 3,000.03 and 1,000.01 are floored; what they leave of 100,001 stays with DEVELOPER.
        _requireEntry(lineage[0], DEVELOPER, 90_001);
        _requireEntry(lineage[1], DATASET_1, 206_000);
        _requireEntry(lineage[2], DATASET_2, 3_000);
        _requireEntry(lineage[3], DATASET_3, 1_000);
        _requireEntry(lineage[4], PLATFORM, 0);
        _requireEntry(lineage[5], SECOND, 699_999);
        _equal(licences.upstreamOf(_id(UPPER)).length, 2, "upstream");
    }

    function test_derive__operator_upstream_or_affiliate__refused() public {
        uint64 licenceNo = _license(PRODUCT, OPERATOR, DEVELOPER, 0, 411);
        _as(REGISTRAR);
        directory.declareAffiliates(_id(DEVELOPER), _id(OPERATOR));
        vm.expectRevert(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_OperatorResells.selector, _id(DEVELOPER), _id(OPERATOR)
            )
        );
        _as(DEVELOPER);
        licences.listDerived(_derivation(DERIVED, 0), _one(licenceNo, DATASET_1, 0));
    }

    function test_derive__operator_further_up__refused() public {
        _derive();
        _priceDerived();
        directory.grantRole(_id(OPERATOR), Role.BUYER, NANJING);
        directory.grantRole(_id(OPERATOR), Role.DEVELOPER, NANJING);
        uint64 licenceNo = _license(DERIVED, DEVELOPER, OPERATOR, 0, 423);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_OperatorResells.selector, _id(OPERATOR), _id(OPERATOR)
            )
        );
        _as(OPERATOR);
        licences.listDerived(_derivation(UPPER, 0), _one(licenceNo, DERIVED, 0));
    }

    function test_derive__licence_of_somebody_else_or_not_in_use__refused() public {
        uint64 licenceNo = _license(PRODUCT, OPERATOR, SECOND, 0, 411);
        _expectSourceLicence(licenceNo, SECOND, LicenceState.ACTIVE);
        uint64 ended = _license(PRODUCT, OPERATOR, DEVELOPER, 0, 412);
        _as(DEVELOPER);
        licences.setLicenceState(ended, LicenceState.TERMINATED, DOCUMENT);
        _expectSourceLicence(ended, DEVELOPER, LicenceState.TERMINATED);
        uint64 over = _license(PRODUCT, OPERATOR, DEVELOPER, 0, 413);
        vm.warp(NOON + 365 days);
        _expectSourceLicence(over, DEVELOPER, LicenceState.ACTIVE);
    }

    function test_derive__licence_for_free_use__refused() public {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 0, 414);
        agreement.buyerId = _id(DEVELOPER);
        bytes32 digest = licences.agreementDigest(agreement);
        uint64 licenceNo = licences.grantLicence(agreement, _sign(OPERATOR, digest), _sign(DEVELOPER, digest));
        vm.expectRevert(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_SourcePurpose.selector, licenceNo, Purpose.PUBLIC_WELFARE
            )
        );
        _as(DEVELOPER);
        licences.listDerived(_derivation(DERIVED, 0), _one(licenceNo, DATASET_1, 0));
    }

    function test_derive__shares_not_as_agreed_or_above_the_whole__refused() public {
        uint64 licenceNo = _license(PRODUCT, OPERATOR, DEVELOPER, 100_000, 411);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_OutcomeDiffers.selector, licenceNo, 99_999, 100_000
            )
        );
        _as(DEVELOPER);
        licences.listDerived(_derivation(DERIVED, 0), _one(licenceNo, DATASET_1, 99_999));
        vm.expectRevert(
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_OutcomeTooLarge.selector, 1_000_001, 1_000_000)
        );
        _as(DEVELOPER);
        licences.listDerived(_derivation(DERIVED, 900_001), _one(licenceNo, DATASET_1, 100_000));
    }

    function test_derive__ancestor_not_of_the_product__refused() public {
        uint64 licenceNo = _license(PRODUCT, OPERATOR, DEVELOPER, 0, 411);
        uint128[3] memory wrong = [uint128(999), OPERATOR, PRODUCT];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    ILicenceRegistry.LicenceRegistry_SourceUnknown.selector, licenceNo, _id(wrong[i])
                )
            );
            _as(DEVELOPER);
            licences.listDerived(_derivation(DERIVED, 0), _one(licenceNo, wrong[i], 0));
        }
    }

    function test_derive__no_developer_no_platform_or_suspended_data__refused() public {
        uint64 licenceNo = _license(PRODUCT, OPERATOR, DEVELOPER, 0, 411);
        ILicenceRegistry.Source[] memory sources = _one(licenceNo, DATASET_1, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDirectory.Directory_RoleMissing.selector, _id(COMPANY), Role.DEVELOPER, NANJING
            )
        );
        _as(COMPANY);
        licences.listDerived(_derivation(DERIVED, 0), sources);
        ILicenceRegistry.Derivation memory terms = _derivation(DERIVED, 0);
        terms.platformId = _id(COMPANY);
        vm.expectRevert(abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_NotPlatform.selector, _id(COMPANY)));
        _as(DEVELOPER);
        licences.listDerived(terms, sources);
        _as(REGISTRAR);
        datasets.setSuspended(_id(DATASET_1), true, DOCUMENT);
        vm.expectRevert();
        _as(DEVELOPER);
        licences.listDerived(_derivation(DERIVED, 0), sources);
    }

    function test_price__derived__no_caps() public {
        _derive();
        vm.expectRevert(
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_DerivedProduct.selector, _id(DERIVED), true)
        );
        _as(PRICER);
        licences.approveCaps(_id(DERIVED), _bands(1), DOCUMENT);
        _priceDerived();
        _equal(licences.product(_id(DERIVED)).tariffNo, 1, "tariff");
    }

    // ---- money ----

    function test_share__net_times_ppm__exact_to_the_micro_fen() public {
        _earnOutcome(106_000);
        vm.expectEmit();
        emit IRevenueLedger.OutcomeShared(
            ledger.eventCount() + 1, _id(BILL), _id(MARKET), 1, Fen.wrap(100_000), Fen.wrap(6_000)
        );
        _as(DEVELOPER);
        ledger.shareOutcome(_id(BILL));
        _requireEntitled(DATASET_1, 6_000_000_000);
        _requireEntitled(DATASET_2, 3_000_000_000);
        _requireEntitled(DATASET_3, 1_000_000_000);
        _requireEntitled(PLATFORM, 5_000_000_000);
        _requireEntitled(DEVELOPER, 85_000_000_000);
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.SPLIT, "state");
    }

    function test_share__gas_of_three_ancestors__below_200_000() public {
        _earnOutcome(106_000);
        _as(DEVELOPER);
        uint256 before = gasleft();
        ledger.shareOutcome(_id(BILL));
        _true(before - gasleft() < 175_000, "gas without the transaction's own");
    }

    function test_share__other_split_or_correction__refused() public {
        _earnOutcome(106_000);
        bytes memory refused =
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_DerivedProduct.selector, _id(DERIVED), true);
        vm.expectRevert(refused);
        _as(DEVELOPER);
        ledger.split(_id(BILL), new bytes(30));
        _as(DEVELOPER);
        ledger.shareOutcome(_id(BILL));
        vm.expectRevert(refused);
        _as(DEVELOPER);
        ledger.correct(_id(BILL), Fen.wrap(0), new bytes(30), 0, DOCUMENT);
    }

    function test_market__closed_changed_or_taxed_too_high__refused() public {
        _openMarket();
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_SchemeState.selector, _id(MARKET), SchemeState.MARKET, SchemeState.OPEN
            )
        );
        _as(DEVELOPER);
        ledger.closeYear(_id(MARKET), DOCUMENT);
        vm.expectRevert(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_SchemeExists.selector, _id(MARKET)));
        _openMarket();
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_RateTooLarge.selector, _id(312), Ppm.wrap(130_001), 130_000
            )
        );
        _as(DEVELOPER);
        ledger.openMarket(_id(312), NANJING, 2026, Ppm.wrap(130_001), 0);
        vm.expectRevert(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_HoldTooLong.selector, _id(312), 61, 60));
        _as(DEVELOPER);
        ledger.openMarket(_id(312), NANJING, 2026, Ppm.wrap(0), 61);
    }

    function testFuzz_correct__in_two_steps__what_is_left_is_what_a_smaller_bill_gives(uint64 gross, uint64 off)
        public
    {
        gross = uint64(_bound(gross, 2, 10_000_000_000));
        off = uint64(_bound(off, 1, gross - 1));
        _earnOutcome(gross);
        _as(DEVELOPER);
        ledger.shareOutcome(_id(BILL));
        _correctOutcome(off, REFUND);
        uint256 net = uint256(gross - off) * 1_000_000 / 1_060_000;
        _requireEntitled(DATASET_1, net * 60_000);
        _requireEntitled(PLATFORM, net * 50_000);
        _requireEntitled(DEVELOPER, net * 850_000);
        _correctOutcome(gross - off, DOCUMENT);
        _requireEntitled(DATASET_1, 0);
        _requireEntitled(DEVELOPER, 0);
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.REFUNDED, "refunded");
    }

    function test_correct__after_remittance__becomes_a_receivable() public {
        _earnOutcome(106_000);
        _as(DEVELOPER);
        ledger.shareOutcome(_id(BILL));
        _remit(601, COMPANY, DATASET_2, 3_000);
        _correctOutcome(106_000, REFUND);
        _equal(Fen.unwrap(ledger.receivableFen(_id(COMPANY))), 3_000, "receivable");
    }

    /// @dev Institutions whose city has a rule have two payees each: more debts than claimants.
    function test_correct__institutions_with_two_payees__each_owes_its_part() public {
        directory.defineKind(ENTERPRISE, IDirectory.KindRule(type(uint32).max, false, PayeeRule.CITY_RULE));
        _as(TREASURY);
        directory.setTreasuryRule(NANJING, Ppm.wrap(500_000), DOCUMENT);
        _earnOutcome(106_000);
        _as(DEVELOPER);
        ledger.shareOutcome(_id(BILL));
        _remit(601, COMPANY, DATASET_2, 1_500);
        _remit(602, TREASURY, DATASET_2, 1_500);
        _remit(603, DEVELOPER, DEVELOPER, 42_500);
        _remit(604, TREASURY, DEVELOPER, 42_500);
        _remit(605, TREASURY, DATASET_1, 6_000);
        _remit(606, PLATFORM, PLATFORM, 5_000);
        _correctOutcome(106_000, REFUND);
        _equal(Fen.unwrap(ledger.receivableFen(_id(COMPANY))), 1_500, "institution");
        _equal(Fen.unwrap(ledger.receivableFen(_id(DEVELOPER))), 42_500, "developer");
        _equal(Fen.unwrap(ledger.receivableFen(_id(PLATFORM))), 5_000, "platform");
        _equal(Fen.unwrap(ledger.receivableFen(_id(TREASURY))), 50_000, "treasury");
    }

    function test_correct__stranger_or_too_much__refused() public {
        _earnOutcome(106_000);
        _as(DEVELOPER);
        ledger.shareOutcome(_id(BILL));
        vm.expectRevert(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_NotOperator.selector, _id(MARKET), _id(COMPANY))
        );
        _as(COMPANY);
        ledger.correctOutcome(_id(BILL), Fen.wrap(1), REFUND, DOCUMENT);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_ReductionTooLarge.selector,
                _id(BILL),
                Fen.wrap(106_001),
                Fen.wrap(106_000)
            )
        );
        _correctOutcome(106_001, REFUND);
    }

    function test_issue__plain_product_in_a_market_scheme__refused() public {
        directory.grantRole(_id(OPERATOR), Role.DEVELOPER, NANJING);
        _as(OPERATOR);
        ledger.openMarket(_id(SCHEME), NANJING, 2026, Ppm.wrap(0), 0);
        uint64 licenceNo = _license(PRODUCT, OPERATOR, DEVELOPER, 0, 411);
        bytes memory receipt = _receipt(licenceNo, 5, NOON_MS);
        uint32 logNo = _logOf(receipt);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_SchemeState.selector, _id(SCHEME), SchemeState.MARKET, SchemeState.OPEN
            )
        );
        _as(OPERATOR);
        ledger.issueInvoice(_claim(BILL, logNo, receipt, 5));
    }

    // ---- helpers ----

    function _joinDeveloper(uint128 number) private {
        _join(number, ENTERPRISE, NANJING, Role.DEVELOPER);
        directory.grantRole(_id(number), Role.BUYER, NANJING);
    }

    function _license(uint128 productId, uint128 seller, uint128 buyer, uint32 outcomePpm, uint128 agreementId)
        private
        returns (uint64)
    {
        ILicenceRegistry.Agreement memory agreement = _agreement(productId, 1, agreementId);
        agreement.operatorId = _id(seller);
        agreement.buyerId = _id(buyer);
        agreement.outcomePpm = Ppm.wrap(outcomePpm);
        bytes32 digest = licences.agreementDigest(agreement);
        return licences.grantLicence(agreement, _sign(seller, digest), _sign(buyer, digest));
    }

    function _source(uint64 licenceNo, uint128 ancestorId, uint32 sharePpm)
        private
        pure
        returns (ILicenceRegistry.Source memory)
    {
        return ILicenceRegistry.Source(licenceNo, _id(ancestorId), Ppm.wrap(sharePpm));
    }

    function _one(uint64 licenceNo, uint128 ancestorId, uint32 sharePpm)
        private
        pure
        returns (ILicenceRegistry.Source[] memory sources)
    {
        sources = new ILicenceRegistry.Source[](1);
        sources[0] = _source(licenceNo, ancestorId, sharePpm);
    }

    function _derivation(uint128 productId, uint32 feePpm)
        private
        pure
        returns (ILicenceRegistry.Derivation memory)
    {
        return ILicenceRegistry.Derivation({
            productId: _id(productId),
            cityCode: NANJING,
            modes: MODES,
            metadataDigest: DOCUMENT,
            platformId: _id(PLATFORM),
            feePpm: Ppm.wrap(feePpm)
        });
    }

    /// @dev Three ancestors with a tenth of the income, a platform with a twentieth.
    function _derive() private {
        uint64 licenceNo = _license(PRODUCT, OPERATOR, DEVELOPER, 100_000, 410);
        ILicenceRegistry.Source[] memory sources = new ILicenceRegistry.Source[](3);
        sources[0] = _source(licenceNo, DATASET_1, 60_000);
        sources[1] = _source(licenceNo, DATASET_2, 30_000);
        sources[2] = _source(licenceNo, DATASET_3, 10_000);
        _as(DEVELOPER);
        licences.listDerived(_derivation(DERIVED, 50_000), sources);
    }

    function _priceDerived() private {
        _as(DEVELOPER);
        licences.publishTariff(_id(DERIVED), _tariff(), new ILicenceRegistry.Band[](0));
    }

    function _openMarket() private {
        _as(DEVELOPER);
        ledger.openMarket(_id(MARKET), NANJING, 2026, Ppm.wrap(60_000), 5);
    }

    /// @dev An income of the derived product, ready to be shared.
    function _earnOutcome(uint64 grossFen) private {
        _derive();
        _priceDerived();
        _openMarket();
        uint64 licenceNo = _license(DERIVED, DEVELOPER, BUYER, 0, 420);
        bytes memory receipt = _receipt(licenceNo, grossFen, NOON_MS);
        uint32 logNo = _logOf(receipt);
        IRevenueLedger.InvoiceClaim memory claim = _claim(BILL, logNo, receipt, grossFen);
        claim.schemeId = _id(MARKET);
        _as(DEVELOPER);
        ledger.issueInvoice(claim);
        _as(DEVELOPER);
        ledger.recordPayment(_id(BILL), Fen.wrap(grossFen), bytes32(uint256(BILL)));
        _accept(BILL);
    }

    function _remit(uint128 batchId, uint128 payee, uint128 claimant, uint64 amountFen) private {
        IRevenueLedger.RemittanceLine[] memory lines = new IRevenueLedger.RemittanceLine[](1);
        lines[0] = IRevenueLedger.RemittanceLine(_id(MARKET), _id(claimant), Fen.wrap(amountFen));
        _as(DEVELOPER);
        ledger.openRemittance(_id(batchId), _id(payee), lines, DOCUMENT);
    }

    function _correctOutcome(uint64 reductionFen, bytes32 receiptDigest) private {
        _as(DEVELOPER);
        ledger.correctOutcome(_id(BILL), Fen.wrap(reductionFen), receiptDigest, DOCUMENT);
    }

    function _expectSourceLicence(uint64 licenceNo, uint128 buyer, LicenceState state) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_SourceLicence.selector, licenceNo, _id(buyer), state
            )
        );
        _as(DEVELOPER);
        licences.listDerived(_derivation(DERIVED, 0), _one(licenceNo, DATASET_1, 0));
    }

    function _requireEntry(ILicenceRegistry.LineageEntry memory entry, uint128 claimant, uint32 weightPpm)
        private
        pure
    {
        _equal(entry.claimantId, _id(claimant), "claimant");
        _equal(Ppm.unwrap(entry.weightPpm), weightPpm, "weight");
        bool isDataset = claimant >= DATASET_1;
        _true(entry.kind == (isDataset ? ClaimantKind.DATASET : ClaimantKind.ORGANISATION), "kind");
    }

    function _requireEntitled(uint128 claimant, uint256 microFen) private view {
        _equal(
            MicroFen.unwrap(ledger.account(_id(MARKET), _id(claimant)).entitledMicroFen), microFen, "entitled"
        );
    }
}
