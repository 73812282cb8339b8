// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBilled} from "../interfaces/IBilled.sol";
import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {
    ClaimantKind,
    LicenceState,
    OrganisationStatus,
    ProductState,
    Purpose,
    RegistrationState,
    RegistrationType,
    Role
} from "../libraries/Codes.sol";
import {MicroYuan, Ppm} from "../libraries/Units.sol";
import {Market} from "./helpers/Market.sol";

contract LicenceRegistryTest is Market {
    uint128 private constant NEW = 203;
    uint128 private constant DEAL = 404;

    function setUp() public override {
        super.setUp();
        _openShop();
    }

    // ---- listProduct ----

    function test_list__announced_with_its_lineage() public {
        vm.expectEmit();
        emit ILicenceRegistry.ProductListed(
            licences.eventCount() + 1, _id(NEW), _id(OPERATOR), NANJING, MODES, DOCUMENT, _lineage()
        );
        _list(NEW);
        ILicenceRegistry.Product memory product = licences.product(_id(NEW));
        _true(product.state == ProductState.LISTED, "state");
        _equal(bytes32(product.operatorId), bytes32(_id(OPERATOR)), "operator");
        _equal(product.cityCode, NANJING, "city");
        _equal(product.modes, MODES, "modes");
        _equal(product.tariffNo, 0, "no tariff");
        _equal(product.lineage, licences.lineageAt(_id(NEW)), "place");
        _equal(
            keccak256(abi.encode(licences.lineageOf(_id(NEW)))), keccak256(abi.encode(_lineage())), "lineage"
        );
    }

    /// @dev What anyone reads at the address, without this contract.
    function test_list__written_as_code_that_does_nothing() public {
        _list(NEW);
        address place = licences.lineageAt(_id(NEW));
        bytes memory expected = hex"00";
        ILicenceRegistry.LineageEntry[] memory lineage = _lineage();
        for (uint256 i = 0; i < lineage.length; ++i) {
            uint24 weight = uint24(Ppm.unwrap(lineage[i].weightPpm));
            expected = abi.encodePacked(expected, lineage[i].claimantId, uint8(lineage[i].kind), weight);
        }
        _equal(keccak256(place.code), keccak256(expected), "code");
        (bool isDone, bytes memory answer) = place.call(hex"12345678");
        _true(isDone && answer.length == 0, "does nothing");
    }

    function test_lineage__of_an_unknown_product__empty() public view {
        _equal(licences.lineageOf(_id(NEW)).length, 0, "entries");
        _equal(licences.lineageAt(_id(NEW)), address(0), "place");
    }

    function test_list__stranger_or_taken_or_no_mode__refused() public {
        _refuse(_roleMissing(BUYER, Role.OPERATOR));
        _as(BUYER);
        licences.listProduct(_id(NEW), NANJING, MODES, DOCUMENT, _lineage());
        _refuse(abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_ProductExists.selector, _id(PRODUCT)));
        _list(PRODUCT);
        _refuse(abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_ModeNotOffered.selector, _id(NEW), 0, 0));
        _as(OPERATOR);
        licences.listProduct(_id(NEW), NANJING, 0, DOCUMENT, _lineage());
    }

    function test_list__lineage_length__one_to_64() public {
        _refuseLineage(
            new ILicenceRegistry.LineageEntry[](0),
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_LineageLength.selector, 0, 64)
        );
        _refuseLineage(
            new ILicenceRegistry.LineageEntry[](65),
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_LineageLength.selector, 65, 64)
        );
    }

    function test_list__lineage_unordered_or_empty_or_wrong_sum__refused() public {
        ILicenceRegistry.LineageEntry[] memory lineage = _lineage();
        lineage[2].claimantId = lineage[1].claimantId;
        _refuseLineage(
            lineage,
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_LineageOrder.selector, _id(OPERATOR), _id(OPERATOR)
            )
        );
        lineage = _lineage();
        lineage[1].weightPpm = Ppm.wrap(0);
        _refuseLineage(lineage, _emptyEntry(OPERATOR));
        lineage = _lineage();
        lineage[3].kind = ClaimantKind.NONE;
        _refuseLineage(lineage, _emptyEntry(DATASET_2));
        lineage = _lineage();
        lineage[0].weightPpm = Ppm.wrap(120_001);
        _refuseLineage(
            lineage,
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_LineageSum.selector, 1_000_001, 1_000_000)
        );
    }

    function test_list__lineage_without_dataset_or_unknown_organisation__refused() public {
        ILicenceRegistry.LineageEntry[] memory lineage = new ILicenceRegistry.LineageEntry[](1);
        lineage[0] = _entry(OPERATOR, ClaimantKind.ORGANISATION, 1_000_000);
        _refuseLineage(
            lineage,
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_LineageWithoutDataset.selector, _id(NEW))
        );
        lineage[0] = _entry(99, ClaimantKind.ORGANISATION, 1_000_000);
        _refuseLineage(
            lineage, abi.encodeWithSelector(IDirectory.Directory_UnknownOrganisation.selector, _id(99))
        );
    }

    function test_list__unsellable_dataset__refused() public {
        _as(REGISTRAR);
        datasets.setSuspended(_id(DATASET_2), true, DOCUMENT);
        _refuseLineage(
            _lineage(),
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_Suspended.selector, _id(DATASET_2))
        );
    }

    // ---- setProductState ----

    function test_product_state__suspended_restored_withdrawn() public {
        vm.expectEmit();
        emit ILicenceRegistry.ProductStateSet(
            licences.eventCount() + 1, _id(PRODUCT), ProductState.SUSPENDED, _id(REGISTRAR), DOCUMENT
        );
        _setProduct(REGISTRAR, ProductState.SUSPENDED);
        _setProduct(REGISTRAR, ProductState.LISTED);
        _setProduct(OPERATOR, ProductState.SUSPENDED);
        _setProduct(OPERATOR, ProductState.LISTED);
        _setProduct(OPERATOR, ProductState.WITHDRAWN);
        _refuse(_illegal(PRODUCT, uint8(ProductState.WITHDRAWN), uint8(ProductState.LISTED)));
        _setProduct(OPERATOR, ProductState.LISTED);
    }

    function test_product_state__suspended_by_the_registrar__operator_may_only_withdraw() public {
        _setProduct(REGISTRAR, ProductState.SUSPENDED);
        _refuse(_byAuthority(PRODUCT));
        _setProduct(OPERATOR, ProductState.LISTED);
        _refuse(_illegal(PRODUCT, uint8(ProductState.SUSPENDED), uint8(ProductState.SUSPENDED)));
        _setProduct(OPERATOR, ProductState.SUSPENDED);
        _refuse(_byAuthority(PRODUCT));
        _setProduct(OPERATOR, ProductState.LISTED);
        _setProduct(OPERATOR, ProductState.WITHDRAWN);
        _true(licences.product(_id(PRODUCT)).state == ProductState.WITHDRAWN, "withdrawn");
    }

    /// @dev Suspending first does not spare the operator the registrar's suspension.
    function test_product_state__suspended_by_both__only_the_registrar_restores() public {
        _setProduct(OPERATOR, ProductState.SUSPENDED);
        _setProduct(REGISTRAR, ProductState.SUSPENDED);
        _refuse(_illegal(PRODUCT, uint8(ProductState.SUSPENDED), uint8(ProductState.SUSPENDED)));
        _setProduct(REGISTRAR, ProductState.SUSPENDED);
        _refuse(_byAuthority(PRODUCT));
        _setProduct(OPERATOR, ProductState.LISTED);
        _setProduct(REGISTRAR, ProductState.LISTED);
        _setProduct(OPERATOR, ProductState.SUSPENDED);
        _setProduct(OPERATOR, ProductState.LISTED);
        _true(licences.product(_id(PRODUCT)).state == ProductState.LISTED, "listed");
    }

    /// @dev One product's suspension is not another's.
    function test_product_state__another_suspended__own_restored() public {
        _setProduct(REGISTRAR, ProductState.SUSPENDED);
        _as(OPERATOR);
        licences.setProductState(_id(FREE_PRODUCT), ProductState.SUSPENDED, DOCUMENT);
        _as(OPERATOR);
        licences.setProductState(_id(FREE_PRODUCT), ProductState.LISTED, DOCUMENT);
        _true(licences.product(_id(FREE_PRODUCT)).state == ProductState.LISTED, "listed");
    }

    function test_product_state__same_or_none_or_stranger__refused() public {
        _refuse(_illegal(PRODUCT, uint8(ProductState.LISTED), uint8(ProductState.LISTED)));
        _setProduct(OPERATOR, ProductState.LISTED);
        _refuse(_illegal(PRODUCT, uint8(ProductState.LISTED), uint8(ProductState.NONE)));
        _setProduct(OPERATOR, ProductState.NONE);
        _refuse(_roleMissing(FAR_REGISTRAR, Role.REGISTRAR));
        _setProduct(FAR_REGISTRAR, ProductState.SUSPENDED);
    }

    // ---- approveCaps, publishTariff ----

    function test_caps__approved_and_announced() public {
        vm.expectEmit();
        emit ILicenceRegistry.CapsApproved(
            licences.eventCount() + 1, _id(PRODUCT), _id(PRICER), _bands(7), DOCUMENT
        );
        _as(PRICER);
        licences.approveCaps(_id(PRODUCT), _bands(7), DOCUMENT);
        _equal(licences.product(_id(PRODUCT)).capsDigest, sha256(abi.encode(_bands(7))), "digest");
    }

    function test_caps__by_the_operator__refused() public {
        _refuse(_roleMissing(OPERATOR, Role.PRICE_AUTHORITY));
        _as(OPERATOR);
        licences.approveCaps(_id(PRODUCT), _bands(7), DOCUMENT);
    }

    function test_caps__malformed__refused() public {
        _refuseBands(new ILicenceRegistry.Band[](0), 0);
        _refuseBands(new ILicenceRegistry.Band[](17), 17);
        ILicenceRegistry.Band[] memory caps = _bands(7);
        caps[0].upToUnits = 1000;
        _refuseBands(caps, 0);
        caps = new ILicenceRegistry.Band[](2);
        caps[0] = ILicenceRegistry.Band(type(uint64).max, MicroYuan.wrap(1));
        caps[1] = ILicenceRegistry.Band(type(uint64).max, MicroYuan.wrap(1));
        _refuseBands(caps, 0);
        caps[0].upToUnits = 0;
        _refuseBands(caps, 0);
    }

    function test_publish__within_caps__numbered() public {
        vm.expectEmit();
        emit ILicenceRegistry.TariffPublished(licences.eventCount() + 1, _id(PRODUCT), 2, _tariff());
        _publish(_tariff(), _bands(10_000));
        _equal(licences.product(_id(PRODUCT)).tariffNo, 2, "in force");
        licences.requireTariff(_id(PRODUCT), 1, _tariff());
        licences.requireTariff(_id(PRODUCT), 2, _tariff());
    }

    function test_publish__by_another_operator__refused() public {
        _refuse(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_NotOperator.selector,
                _id(PRODUCT),
                _id(OTHER_OPERATOR),
                _id(OPERATOR)
            )
        );
        _as(OTHER_OPERATOR);
        licences.publishTariff(_id(PRODUCT), _tariff(), _bands(10_000));
    }

    function test_publish__other_caps__refused() public {
        _refuse(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_CapsDiffer.selector,
                _id(PRODUCT),
                sha256(abi.encode(_bands(10_001))),
                sha256(abi.encode(_bands(10_000)))
            )
        );
        _publish(_tariff(), _bands(10_001));
    }

    function test_publish__price_above_the_cap__refused() public {
        ILicenceRegistry.Tariff memory tariff = _tariff();
        tariff.bands = _bands(10_001);
        _refuse(_aboveCap(0, 10_001, 10_000));
        _publish(tariff, _bands(10_000));
    }

    function test_publish__above_the_cap_of_an_overlapped_band__refused() public {
        ILicenceRegistry.Band[] memory caps = _twoBands(100, 30, 20);
        _as(PRICER);
        licences.approveCaps(_id(PRODUCT), caps, DOCUMENT);
        ILicenceRegistry.Tariff memory tariff = _tariff();
        tariff.bands = _twoBands(101, 30, 20);
        _refuse(_aboveCap(0, 30, 20));
        _publish(tariff, caps);
        tariff.bands = _twoBands(99, 30, 20);
        _publish(tariff, caps);
    }

    function test_publish__discount_beyond_the_whole__refused() public {
        ILicenceRegistry.Tariff memory tariff = _tariff();
        tariff.discountPpm = Ppm.wrap(1_000_001);
        _refuse(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_DiscountTooLarge.selector, 1_000_001, 1_000_000
            )
        );
        _publish(tariff, _bands(10_000));
    }

    /// @dev A price is within all caps exactly when it is within the cap of each single unit.
    function test_fuzz_publish__any_bands__as_unit_by_unit(uint256 seed) public {
        ILicenceRegistry.Band[] memory caps = _random(seed);
        ILicenceRegistry.Tariff memory tariff = _tariff();
        tariff.bands = _random(_next(seed));
        bool isWithin = true;
        for (uint64 unit = 1; unit < 70; ++unit) {
            isWithin = isWithin && _priceOf(tariff.bands, unit) <= _priceOf(caps, unit);
        }
        _as(PRICER);
        licences.approveCaps(_id(PRODUCT), caps, DOCUMENT);
        _as(OPERATOR);
        try licences.publishTariff(_id(PRODUCT), tariff, caps) {
            _true(isWithin, "taken although above");
        } catch {
            _true(!isWithin, "refused although within");
        }
    }

    function test_tariff__other_or_unknown__refused() public {
        ILicenceRegistry.Tariff memory tariff = _tariff();
        bytes32 expected = sha256(abi.encode(tariff));
        _refuse(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_TariffDiffers.selector, _id(PRODUCT), 9, expected, 0
            )
        );
        licences.requireTariff(_id(PRODUCT), 9, tariff);
    }

    // ---- grantLicence ----

    function test_grant__signed_by_both__numbered_and_announced() public {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, DEAL);
        bytes32 digest = licences.agreementDigest(agreement);
        vm.expectEmit();
        emit ILicenceRegistry.LicenceGranted(licences.eventCount() + 1, 3, agreement, digest);
        _equal(_grant(agreement), 3, "number");
        ILicenceRegistry.Licence memory licence = licences.licence(3);
        _equal(bytes32(licence.productId), bytes32(_id(PRODUCT)), "product");
        _equal(bytes32(licence.buyerId), bytes32(_id(BUYER)), "buyer");
        _equal(licence.validFrom, NOON, "from");
        _equal(licence.validUntil, NOON + 365 days, "until");
        _equal(licence.tariffNo, 1, "tariff");
        _equal(licence.modes, 2, "modes");
        ILicenceRegistry.Grant memory found = licences.grantOf(_id(DEAL));
        _true(found.licenceNo == 3 && found.latestDigest == bytes24(digest), "grant");
        _true(licence.state == LicenceState.ACTIVE && licence.purpose == Purpose.INDUSTRY, "state");
    }

    function test_grant__replayed__names_the_licence() public {
        _refuseGrant(
            _agreement(PRODUCT, 1, 401),
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_AgreementUsed.selector, _id(401), 1)
        );
    }

    function test_grant__after_the_deadline__refused() public {
        vm.warp(NOON + 1 days + 1);
        _refuseGrant(
            _agreement(PRODUCT, 1, DEAL),
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_DeadlinePassed.selector, NOON + 1 days, NOON + 1 days + 1
            )
        );
    }

    function test_grant__liability_below_the_floor__refused() public {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, DEAL);
        agreement.platformLiabilityPpm = Ppm.wrap(499_999);
        _refuseGrant(agreement, _liability(499_999));
        agreement.platformLiabilityPpm = Ppm.wrap(1_000_001);
        _refuseGrant(agreement, _liability(1_000_001));
    }

    function test_grant__no_quota_or_no_time__refused() public {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, DEAL);
        agreement.quotaUnits = 0;
        _refuseGrant(
            agreement, abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_QuotaEmpty.selector, _id(DEAL))
        );
        agreement = _agreement(PRODUCT, 1, DEAL);
        agreement.validUntil = NOON;
        _refuseGrant(
            agreement,
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_ValidityEmpty.selector, NOON, NOON)
        );
        agreement.validFrom = NOON - 10;
        _refuseGrant(
            agreement,
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_ValidityEmpty.selector, NOON - 10, NOON)
        );
    }

    function test_grant__to_oneself_or_a_non_buyer__refused() public {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, DEAL);
        agreement.buyerId = _id(OPERATOR);
        _refuseGrant(
            agreement,
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_SelfDealing.selector, _id(OPERATOR))
        );
        agreement.buyerId = _id(COMPANY);
        bytes32 digest = licences.agreementDigest(agreement);
        _refuse(_roleMissing(COMPANY, Role.BUYER));
        licences.grantLicence(agreement, _sign(OPERATOR, digest), _sign(COMPANY, digest));
    }

    /// @dev A buyer is one in its own city only.
    function test_grant__to_a_buyer_elsewhere_or_suspended__refused() public {
        directory.grantRole(_id(COMPANY), Role.BUYER, ZHENJIANG);
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, DEAL);
        agreement.buyerId = _id(COMPANY);
        bytes32 digest = licences.agreementDigest(agreement);
        _refuse(_roleMissing(COMPANY, Role.BUYER));
        licences.grantLicence(agreement, _sign(OPERATOR, digest), _sign(COMPANY, digest));
        directory.setStatus(_id(BUYER), OrganisationStatus.SUSPENDED, DOCUMENT);
        _refuseGrant(
            _agreement(PRODUCT, 1, DEAL),
            abi.encodeWithSelector(IDirectory.Directory_OrganisationSuspended.selector, _id(BUYER))
        );
    }

    function test_grant__product_unknown_or_suspended_or_of_another__refused() public {
        _refuseGrant(
            _agreement(NEW, 1, DEAL),
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_UnknownProduct.selector, _id(NEW))
        );
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, DEAL);
        agreement.operatorId = _id(OTHER_OPERATOR);
        _refuseGrant(
            agreement,
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_NotOperator.selector,
                _id(PRODUCT),
                _id(OTHER_OPERATOR),
                _id(OPERATOR)
            )
        );
        _setProduct(OPERATOR, ProductState.SUSPENDED);
        _refuseGrant(
            _agreement(PRODUCT, 1, DEAL),
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_ProductNotListed.selector, _id(PRODUCT), ProductState.SUSPENDED
            )
        );
    }

    function test_grant__mode_not_offered__refused() public {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, DEAL);
        agreement.modes = 4;
        _refuseGrant(agreement, _mode(4));
        agreement.modes = 0;
        _refuseGrant(agreement, _mode(0));
    }

    function test_grant__purpose_and_price__must_agree() public {
        _refusePurpose(Purpose.PUBLIC_GOVERNANCE, 1);
        _refusePurpose(Purpose.PUBLIC_WELFARE, 1);
        _refusePurpose(Purpose.COMPETITION, 1);
        _refusePurpose(Purpose.INDUSTRY, 0);
        _refusePurpose(Purpose.SECTOR, 0);
        _refusePurpose(Purpose.NONE, 0);
    }

    function test_grant__tariff_superseded_within_the_life_of_a_quote__as_it_was_quoted() public {
        _publish(_tariff(), _bands(10_000));
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, DEAL);
        agreement.deadline = NOON + 15 days;
        vm.warp(NOON + 14 days);
        _equal(licences.licence(_grant(agreement)).tariffNo, 1, "quoted");
    }

    function test_grant__tariff_superseded_before_any_quote_or_never_published__refused() public {
        _publish(_tariff(), _bands(10_000));
        vm.warp(NOON + 14 days + 1);
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 3, DEAL);
        agreement.deadline = NOON + 15 days;
        _refuseGrant(
            agreement,
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_TariffNotInForce.selector, _id(PRODUCT), 3, 2
            )
        );
        agreement.tariffNo = 1;
        _refuseGrant(
            agreement,
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_TariffNotInForce.selector, _id(PRODUCT), 1, 2
            )
        );
    }

    function test_grant__dataset_no_longer_sellable__refused() public {
        _as(BUREAU);
        datasets.applyFor(_id(DATASET_1), RegistrationType.CANCELLATION, DOCUMENT);
        _advance(DATASET_1, REGISTRAR, RegistrationState.CANCELLED);
        _refuseGrant(
            _agreement(PRODUCT, 1, DEAL),
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NotCoded.selector, _id(DATASET_1), RegistrationState.CANCELLED
            )
        );
    }

    function test_grant__signed_by_the_wrong_side__refused() public {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, DEAL);
        bytes32 digest = licences.agreementDigest(agreement);
        _refuse(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_SignerNotOfParty.selector,
                _signer(COMPANY),
                _id(COMPANY),
                _id(BUYER)
            )
        );
        licences.grantLicence(agreement, _sign(OPERATOR, digest), _sign(COMPANY, digest));
    }

    /// @dev The wrong key, another content, another contract, the mirrored s: none of them signs.
    function test_grant__signature_of_something_else__refused() public {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, DEAL);
        bytes32 digest = licences.agreementDigest(agreement);
        ILicenceRegistry.Signed memory forged = _sign(COMPANY, digest);
        forged.signer = _signer(BUYER);
        _refuseSignature(agreement, digest, forged);
        ILicenceRegistry.Agreement memory other = _agreement(PRODUCT, 1, DEAL);
        other.quotaUnits = 1;
        _refuseSignature(agreement, digest, _sign(BUYER, licences.agreementDigest(other)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(BUYER, digest);
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory mirrored = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? 28 : 27);
        _refuseSignature(agreement, digest, ILicenceRegistry.Signed(_signer(BUYER), mirrored));
    }

    function test_fuzz_digest__any_field_changed__differs(uint256 seed) public view {
        ILicenceRegistry.Agreement memory a = _agreement(PRODUCT, 1, DEAL);
        bytes32 digest = licences.agreementDigest(a);
        uint256 field = seed % 15;
        if (field == 0) a.agreementId = _id(1);
        else if (field == 1) a.productId = _id(1);
        else if (field == 2) a.operatorId = _id(1);
        else if (field == 3) a.buyerId = _id(1);
        else if (field == 4) a.tariffNo = 2;
        else if (field == 5) a.purpose = Purpose.SECTOR;
        else if (field == 6) a.modes = 1;
        else if (field == 7) a.validFrom += 1;
        else if (field == 8) a.validUntil += 1;
        else if (field == 9) a.quotaUnits -= 1;
        else if (field == 10) a.platformLiabilityPpm = Ppm.wrap(500_001);
        else if (field == 11) a.termsDigest = 0;
        else if (field == 12) a.teamMax = 1;
        else if (field == 13) a.isAcceptedByUse = true;
        else a.deadline += 1;
        _true(licences.agreementDigest(a) != digest, "digest");
    }

    // ---- supplement ----

    function test_supplement__signed_by_both__follows() public {
        ILicenceRegistry.Supplement memory change = _change();
        bytes32 digest = licences.supplementDigest(change);
        vm.expectEmit();
        emit ILicenceRegistry.LicenceSupplemented(licences.eventCount() + 1, 1, change, digest);
        _supplement(change);
        ILicenceRegistry.Licence memory licence = licences.licence(1);
        _equal(licence.quotaUnits, 77, "quota");
        _equal(licence.validUntil, NOON + 30 days, "until");
        _true(licences.grantOf(_id(401)).latestDigest == bytes24(digest), "digest");
    }

    function test_supplement__replayed__refused() public {
        ILicenceRegistry.Supplement memory change = _change();
        _supplement(change);
        _refuseSupplement(
            change,
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_SupplementOutOfOrder.selector,
                1,
                change.previousDigest,
                bytes24(licences.supplementDigest(change))
            )
        );
    }

    /// @dev Licence 2 has an agreement of its own; 499 granted nothing.
    function test_supplement__under_another_agreement__refused() public {
        bytes32[3] memory previous = [_latest(401), _latest(402), 0];
        for (uint256 i = 0; i < 6; ++i) {
            ILicenceRegistry.Supplement memory change = _change();
            change.previousDigest = previous[i / 2];
            bytes32 digest = licences.supplementDigest(change);
            _refuse(
                abi.encodeWithSelector(
                    ILicenceRegistry.LicenceRegistry_SupplementOutOfOrder.selector, 1, change.previousDigest, 0
                )
            );
            licences.supplement(
                _id(i % 2 == 0 ? 402 : 499), change, _sign(OPERATOR, digest), _sign(BUYER, digest)
            );
        }
    }

    function test_validity__beyond_what_is_kept__refused() public {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, DEAL);
        agreement.validUntil = 2 ** 40;
        _refuseGrant(agreement, _validity(2 ** 40));
        agreement.validUntil = 2 ** 40 - 1;
        _equal(licences.licence(_grant(agreement)).validUntil, 2 ** 40 - 1, "until");
        ILicenceRegistry.Supplement memory change = _change();
        change.validUntil = 2 ** 40;
        _refuseSupplement(change, _validity(2 ** 40));
    }

    function test_supplement__below_the_floor_or_late_or_empty__refused() public {
        ILicenceRegistry.Supplement memory change = _change();
        change.platformLiabilityPpm = Ppm.wrap(499_999);
        _refuseSupplement(change, _liability(499_999));
        change = _change();
        change.deadline = NOON - 1;
        _refuseSupplement(
            change,
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_DeadlinePassed.selector, NOON - 1, NOON)
        );
        change = _change();
        change.validUntil = NOON;
        _refuseSupplement(
            change, abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_ValidityEmpty.selector, NOON, NOON)
        );
        change = _change();
        change.quotaUnits = 0;
        _refuseSupplement(
            change, abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_SupplementQuotaEmpty.selector, 1)
        );
    }

    function test_supplement__unknown_or_ended_licence__refused() public {
        ILicenceRegistry.Supplement memory change = _change();
        change.licenceNo = 9;
        _refuseSupplement(
            change, abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_UnknownLicence.selector, 9)
        );
        _setLicence(BUYER, LicenceState.TERMINATED);
        _refuseSupplement(_change(), _illegal(1, uint8(LicenceState.TERMINATED), uint8(LicenceState.TERMINATED)));
    }

    function test_supplement__signed_by_the_wrong_side__refused() public {
        ILicenceRegistry.Supplement memory change = _change();
        bytes32 digest = licences.supplementDigest(change);
        _refuse(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_SignerNotOfParty.selector,
                _signer(BUYER),
                _id(BUYER),
                _id(OPERATOR)
            )
        );
        licences.supplement(_id(401), change, _sign(BUYER, digest), _sign(BUYER, digest));
    }

    function test_supplement__quota_below_billed__refused() public {
        _approve();
        _issue(501, 90);
        ILicenceRegistry.Supplement memory change = _change();
        _refuseSupplement(
            change, abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_QuotaBelowBilled.selector, 1, 77, 90)
        );
        change.quotaUnits = 90;
        _supplement(change);
        _equal(licences.licence(1).quotaUnits, 90, "quota");
        _equal(ledger.billedUnits(1, 0), 90, "all logs");
    }

    function test_supplement__more_time_for_a_withdrawn_product__refused() public {
        _as(OPERATOR);
        licences.setProductState(_id(PRODUCT), ProductState.SUSPENDED, DOCUMENT);
        ILicenceRegistry.Supplement memory change = _change();
        change.validUntil = NOON + 400 days;
        _refuseSupplement(
            change,
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_ProductNotListed.selector, _id(PRODUCT), ProductState.SUSPENDED
            )
        );
        _supplement(_change());
    }

    function test_ledger__bound_once_by_the_deployer() public {
        bytes memory refusal =
            abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_LedgerBound.selector, address(this), ledger);
        _refuse(refusal);
        licences.bindLedger(IBilled(address(ledger)));
    }

    // ---- competitions ----

    function test_competition__sandbox_team_and_end__granted() public {
        _sandbox();
        ILicenceRegistry.Agreement memory agreement = _competition();
        uint64 licenceNo = _grant(agreement);
        _equal(licences.licence(licenceNo).teamMax, 5, "team");
        ILicenceRegistry.Supplement memory change = _change();
        change.licenceNo = licenceNo;
        change.previousDigest = _latest(DEAL);
        change.validUntil = NOON + 366 days + 1;
        _refuseSupplement(change, _contest(4, 5, 366 days + 1));
    }

    function test_competition__other_modes_no_team_or_too_long__refused() public {
        _sandbox();
        ILicenceRegistry.Agreement memory agreement = _competition();
        agreement.modes = 2;
        _refuseGrant(agreement, _contest(2, 5, 30 days));
        agreement = _competition();
        agreement.teamMax = 0;
        _refuseGrant(agreement, _contest(4, 0, 30 days));
        agreement.teamMax = 51;
        _refuseGrant(agreement, _contest(4, 51, 30 days));
        agreement = _competition();
        agreement.validUntil = NOON + 366 days + 1;
        _refuseGrant(agreement, _contest(4, 5, 366 days + 1));
        agreement = _competition();
        agreement.tariffNo = 1;
        _refuseGrant(
            agreement,
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_PurposeAndPrice.selector, Purpose.COMPETITION, 1
            )
        );
    }

    function _sandbox() private {
        _as(OPERATOR);
        licences.listProduct(_id(NEW), NANJING, 6, DOCUMENT, _lineage());
    }

    function _competition() private pure returns (ILicenceRegistry.Agreement memory agreement) {
        agreement = _agreement(NEW, 0, DEAL);
        agreement.purpose = Purpose.COMPETITION;
        agreement.modes = 4;
        agreement.teamMax = 5;
        agreement.validUntil = NOON + 30 days;
    }

    function _contest(uint8 modes, uint8 teamMax, uint64 validSeconds) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            ILicenceRegistry.LicenceRegistry_CompetitionTerms.selector, _id(NEW), modes, teamMax, validSeconds
        );
    }

    // ---- setLicenceState ----

    function test_licence_state__suspended_restored_ended() public {
        vm.expectEmit();
        emit ILicenceRegistry.LicenceStateSet(
            licences.eventCount() + 1, 1, LicenceState.SUSPENDED, _id(REGISTRAR), DOCUMENT
        );
        _setLicence(REGISTRAR, LicenceState.SUSPENDED);
        _setLicence(REGISTRAR, LicenceState.ACTIVE);
        _setLicence(OPERATOR, LicenceState.SUSPENDED);
        _setLicence(OPERATOR, LicenceState.ACTIVE);
        _setLicence(BUYER, LicenceState.TERMINATED);
        _refuse(_illegal(1, uint8(LicenceState.TERMINATED), uint8(LicenceState.ACTIVE)));
        _setLicence(OPERATOR, LicenceState.ACTIVE);
    }

    function test_licence_state__suspended_by_the_registrar__operator_may_only_end() public {
        _setLicence(REGISTRAR, LicenceState.SUSPENDED);
        _true(licences.licence(1).isHeld && !licences.product(_id(PRODUCT)).isHeld, "held");
        _refuse(_byAuthority(1));
        _setLicence(OPERATOR, LicenceState.ACTIVE);
        _refuse(_illegal(1, uint8(LicenceState.SUSPENDED), uint8(LicenceState.SUSPENDED)));
        _setLicence(OPERATOR, LicenceState.SUSPENDED);
        _refuse(_byAuthority(1));
        _setLicence(OPERATOR, LicenceState.ACTIVE);
        _setLicence(OPERATOR, LicenceState.TERMINATED);
        _true(licences.licence(1).state == LicenceState.TERMINATED, "ended");
    }

    function test_licence_state__suspended_by_both__only_the_registrar_restores() public {
        _setLicence(OPERATOR, LicenceState.SUSPENDED);
        _setLicence(REGISTRAR, LicenceState.SUSPENDED);
        _refuse(_byAuthority(1));
        _setLicence(OPERATOR, LicenceState.ACTIVE);
        _setLicence(REGISTRAR, LicenceState.ACTIVE);
        _setLicence(OPERATOR, LicenceState.SUSPENDED);
        _setLicence(OPERATOR, LicenceState.ACTIVE);
        _true(licences.licence(1).state == LicenceState.ACTIVE, "active");
    }

    /// @dev What both sides agree on does not lift it either.
    function test_licence_state__supplemented_while_suspended__stays_so() public {
        _setLicence(REGISTRAR, LicenceState.SUSPENDED);
        _supplement(_change());
        _true(licences.licence(1).state == LicenceState.SUSPENDED, "suspended");
        _refuse(_byAuthority(1));
        _setLicence(OPERATOR, LicenceState.ACTIVE);
    }

    function test_licence_state__same_or_none_or_stranger__refused() public {
        _refuse(_illegal(1, uint8(LicenceState.ACTIVE), uint8(LicenceState.ACTIVE)));
        _setLicence(OPERATOR, LicenceState.ACTIVE);
        _refuse(_illegal(1, uint8(LicenceState.ACTIVE), uint8(LicenceState.NONE)));
        _setLicence(OPERATOR, LicenceState.NONE);
        _refuse(_roleMissing(BUYER, Role.REGISTRAR));
        _setLicence(BUYER, LicenceState.SUSPENDED);
        _refuse(_roleMissing(COMPANY, Role.REGISTRAR));
        _setLicence(COMPANY, LicenceState.TERMINATED);
    }

    function test_views__unknown__refused() public {
        _refuse(abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_UnknownProduct.selector, _id(NEW)));
        licences.product(_id(NEW));
        _refuse(abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_UnknownLicence.selector, 9));
        licences.licence(9);
    }

    // ---- helpers: what is refused ----

    function _refuse(bytes memory reason) private {
        vm.expectRevert(reason);
    }

    function _refuseLineage(ILicenceRegistry.LineageEntry[] memory lineage, bytes memory reason) private {
        _refuse(reason);
        _as(OPERATOR);
        licences.listProduct(_id(NEW), NANJING, MODES, DOCUMENT, lineage);
    }

    function _refuseBands(ILicenceRegistry.Band[] memory caps, uint256 index) private {
        _refuse(abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_BandsMalformed.selector, index));
        _as(PRICER);
        licences.approveCaps(_id(PRODUCT), caps, DOCUMENT);
    }

    /// @dev Everything is made ready first: what reverts is the next call.
    function _refuseGrant(ILicenceRegistry.Agreement memory agreement, bytes memory reason) private {
        bytes32 digest = licences.agreementDigest(agreement);
        ILicenceRegistry.Signed memory operatorSigned = _sign(OPERATOR, digest);
        ILicenceRegistry.Signed memory buyerSigned = _sign(BUYER, digest);
        _refuse(reason);
        licences.grantLicence(agreement, operatorSigned, buyerSigned);
    }

    function _refusePurpose(Purpose purpose, uint32 tariffNo) private {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, tariffNo, DEAL);
        agreement.purpose = purpose;
        _refuseGrant(
            agreement,
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_PurposeAndPrice.selector, purpose, tariffNo
            )
        );
    }

    function _refuseSignature(
        ILicenceRegistry.Agreement memory agreement,
        bytes32 digest,
        ILicenceRegistry.Signed memory buyerSigned
    ) private {
        ILicenceRegistry.Signed memory operatorSigned = _sign(OPERATOR, digest);
        _refuse(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_SignatureInvalid.selector, _signer(BUYER), digest
            )
        );
        licences.grantLicence(agreement, operatorSigned, buyerSigned);
    }

    function _refuseSupplement(ILicenceRegistry.Supplement memory change, bytes memory reason) private {
        bytes32 digest = licences.supplementDigest(change);
        _refuse(reason);
        licences.supplement(_agreementOf(change), change, _sign(OPERATOR, digest), _sign(BUYER, digest));
    }

    function _roleMissing(uint128 actor, Role role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDirectory.Directory_RoleMissing.selector, _id(actor), role, NANJING);
    }

    function _emptyEntry(uint128 claimant) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            ILicenceRegistry.LicenceRegistry_LineageEntryEmpty.selector, _id(claimant)
        );
    }

    function _byAuthority(uint256 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_SuspendedByAuthority.selector, id);
    }

    function _illegal(uint256 id, uint8 from, uint8 to) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_IllegalStep.selector, id, from, to);
    }

    function _aboveCap(uint256 band, uint64 price, uint64 cap) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_PriceAboveCap.selector, band, price, cap);
    }

    function _liability(uint32 got) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            ILicenceRegistry.LicenceRegistry_LiabilityBelowFloor.selector, got, 500_000
        );
    }

    function _mode(uint8 asked) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            ILicenceRegistry.LicenceRegistry_ModeNotOffered.selector, _id(PRODUCT), asked, MODES
        );
    }

    // ---- helpers: steps ----

    function _setProduct(uint128 actor, ProductState state) private {
        _as(actor);
        licences.setProductState(_id(PRODUCT), state, DOCUMENT);
    }

    function _setLicence(uint128 actor, LicenceState state) private {
        _as(actor);
        licences.setLicenceState(1, state, DOCUMENT);
    }

    function _publish(ILicenceRegistry.Tariff memory tariff, ILicenceRegistry.Band[] memory caps) private {
        _as(OPERATOR);
        licences.publishTariff(_id(PRODUCT), tariff, caps);
    }

    function _change() private view returns (ILicenceRegistry.Supplement memory) {
        return ILicenceRegistry.Supplement({
            licenceNo: 1,
            previousDigest: _latest(401),
            termsDigest: DOCUMENT,
            validUntil: NOON + 30 days,
            quotaUnits: 77,
            platformLiabilityPpm: Ppm.wrap(600_000),
            deadline: NOON
        });
    }

    function _supplement(ILicenceRegistry.Supplement memory change) private {
        bytes32 digest = licences.supplementDigest(change);
        licences.supplement(_agreementOf(change), change, _sign(OPERATOR, digest), _sign(BUYER, digest));
    }

    function _agreementOf(ILicenceRegistry.Supplement memory change) private pure returns (bytes16) {
        return _id(change.licenceNo == 1 ? 401 : DEAL);
    }

    function _validity(uint64 validUntil) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            ILicenceRegistry.LicenceRegistry_ValidityEmpty.selector, NOON, validUntil
        );
    }

    function _twoBands(uint64 upToUnits, uint64 first, uint64 second)
        private
        pure
        returns (ILicenceRegistry.Band[] memory bands)
    {
        bands = new ILicenceRegistry.Band[](2);
        bands[0] = ILicenceRegistry.Band(upToUnits, MicroYuan.wrap(first));
        bands[1] = ILicenceRegistry.Band(type(uint64).max, MicroYuan.wrap(second));
    }

    function _random(uint256 seed) private pure returns (ILicenceRegistry.Band[] memory bands) {
        uint256 count = 1 + seed % 4;
        bands = new ILicenceRegistry.Band[](count);
        uint64 upToUnits = 0;
        for (uint256 i = 0; i < count; ++i) {
            seed = _next(seed);
            upToUnits += uint64(1 + seed % 20);
            bands[i] = ILicenceRegistry.Band(upToUnits, MicroYuan.wrap(uint64((seed >> 16) % 8)));
        }
        bands[count - 1].upToUnits = type(uint64).max;
    }

    function _priceOf(ILicenceRegistry.Band[] memory bands, uint64 unit) private pure returns (uint256) {
        uint256 i = 0;
        while (bands[i].upToUnits < unit) ++i;
        return MicroYuan.unwrap(bands[i].priceMicroYuan);
    }
}
