// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IApplications} from "../interfaces/IApplications.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {ApplicationState, OpenClass, OpeningTier, Purpose, Role, Sensitivity} from "../libraries/Codes.sol";
import {Ppm} from "../libraries/Units.sol";
import {Market} from "./helpers/Market.sol";

contract ApplicationsTest is Market {
    uint128 private constant FORM = 601;
    uint64 private constant UNTIL = NOON + 500 days;

    function setUp() public override {
        super.setUp();
        _openShop();
    }

    function test_requirement__by_the_provider_alone() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_NotProvider.selector, _id(DATASET_1), _id(COMPANY), _id(BUREAU)
            )
        );
        _as(COMPANY);
        applications.setRequired(_id(DATASET_1), true, DOCUMENT);
        vm.expectEmit();
        emit IApplications.ApplicationRequirementSet(1, _id(DATASET_1), _id(BUREAU), true, DOCUMENT);
        _require();
        _true(applications.isRequired(_id(DATASET_1)), "required");
        vm.expectRevert(abi.encodeWithSelector(IApplications.Applications_UnknownDataset.selector, _id(99)));
        _as(BUREAU);
        applications.setRequired(_id(99), true, DOCUMENT);
    }

    function test_requirement__of_an_unconditional_dataset__refused() public {
        _as(REGISTRAR);
        datasets.classify(_id(DATASET_1), OpenClass.UNCONDITIONAL, Sensitivity.GENERAL, DOCUMENT);
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_NotConditional.selector, _id(DATASET_1), OpenClass.UNCONDITIONAL
            )
        );
        _require();
    }

    function test_grant__by_default__needs_no_application() public {
        _grant(_agreement(PRODUCT, 1, 404));
    }

    function test_grant__without_an_approved_application__refused() public {
        _require();
        _refuseGrant(_missing(Purpose.INDUSTRY, 2));
        _submit(Purpose.INDUSTRY, 2);
        _refuseGrant(_missing(Purpose.INDUSTRY, 2));
        _decide(false, 0);
        _refuseGrant(_missing(Purpose.INDUSTRY, 2));
    }

    function test_grant__on_another_purpose_or_mode__refused() public {
        _require();
        _submit(Purpose.SECTOR, 2);
        _decide(true, UNTIL);
        _refuseGrant(_missing(Purpose.INDUSTRY, 2));
        _submitAs(602, Purpose.INDUSTRY, 1);
        _as(BUREAU);
        applications.decide(_id(602), true, UNTIL, DOCUMENT);
        _refuseGrant(_missing(Purpose.INDUSTRY, 2));
    }

    function test_grant__approved__until_its_end() public {
        _require();
        _submit(Purpose.INDUSTRY, 3);
        _decide(true, NOON + 364 days);
        _refuseGrant(
            abi.encodeWithSelector(
                IApplications.Applications_Expired.selector,
                _id(DATASET_1),
                _id(FORM),
                NOON + 365 days,
                NOON + 364 days
            )
        );
        _submitAs(602, Purpose.INDUSTRY, 2);
        _as(BUREAU);
        applications.decide(_id(602), true, UNTIL, DOCUMENT);
        _grant(_agreement(PRODUCT, 1, 404));
    }

    // ---- supplements: more of a licence is asked for as a new one ----

    function test_supplement__longer_than_the_approval__refused() public {
        _require();
        _submit(Purpose.INDUSTRY, 2);
        _decide(true, NOON + 400 days);
        uint64 licenceNo = _grant(_agreement(PRODUCT, 1, 404));
        ILicenceRegistry.Supplement memory change = _change(licenceNo);
        change.validUntil = NOON + 400 days + 1;
        _refuseSupplement(
            change,
            abi.encodeWithSelector(
                IApplications.Applications_Expired.selector,
                _id(DATASET_1),
                _id(FORM),
                NOON + 400 days + 1,
                NOON + 400 days
            )
        );
        change.validUntil = NOON + 400 days;
        _supplement(change);
        _equal(licences.licence(licenceNo).validUntil, NOON + 400 days, "until");
    }

    /// @dev Licence 1 was granted before its data needed an application.
    function test_supplement__more_of_what_needs_an_application_now__refused() public {
        ILicenceRegistry.Supplement memory change = _change(1);
        change.quotaUnits = 1000;
        _supplement(change);
        _require();
        change = _change(1);
        change.quotaUnits = 1001;
        _refuseSupplement(change, _missing(Purpose.INDUSTRY, 2));
        change.quotaUnits = 1000;
        change.validUntil += 1;
        _refuseSupplement(change, _missing(Purpose.INDUSTRY, 2));
        _submit(Purpose.INDUSTRY, 2);
        _decide(true, change.validUntil);
        _supplement(change);
    }

    function test_supplement__no_more_than_before__asks_for_nothing() public {
        _require();
        _as(REGISTRAR);
        datasets.setSuspended(_id(DATASET_1), true, DOCUMENT);
        ILicenceRegistry.Supplement memory change = _change(1);
        change.platformLiabilityPpm = Ppm.wrap(600_000);
        _supplement(change);
        change = _change(1);
        change.validUntil -= 1;
        change.quotaUnits = 1000;
        _supplement(change);
        _equal(licences.licence(1).quotaUnits, 1000, "quota");
    }

    function test_supplement__more_of_suspended_or_closed_data__refused() public {
        ILicenceRegistry.Supplement memory change = _change(1);
        change.validUntil += 1;
        _as(REGISTRAR);
        datasets.setSuspended(_id(DATASET_1), true, DOCUMENT);
        _refuseSupplement(
            change, abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_Suspended.selector, _id(DATASET_1))
        );
        _as(REGISTRAR);
        datasets.setSuspended(_id(DATASET_1), false, DOCUMENT);
        uint256 closed = _everyCell(OpeningTier.FORBIDDEN);
        datasets.publishPolicy(0, closed, closed, NOON, DOCUMENT);
        _refuseSupplement(
            change,
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_CellForbidden.selector,
                _id(DATASET_1),
                2,
                OpenClass.CONDITIONAL,
                false,
                2,
                Purpose.INDUSTRY
            )
        );
    }

    function test_supplement__more__says_under_which_tables() public {
        uint256 word = _everyCell(OpeningTier.OPEN);
        datasets.publishPolicy(0, word, word, NOON, DOCUMENT);
        ILicenceRegistry.Supplement memory change = _change(1);
        change.validUntil += 1;
        uint32[] memory policyNos = new uint32[](3);
        (policyNos[0], policyNos[1], policyNos[2]) = (2, 2, 2);
        vm.expectEmit();
        emit ILicenceRegistry.OpeningDecided(licences.eventCount() + 2, 1, OpeningTier.OPEN, policyNos);
        _supplement(change);
    }

    /// @dev Whatever the approval and the supplement say, nothing is licensed beyond the approval.
    function test_fuzz_supplement__any_terms__never_beyond_the_approval(
        uint64 approvedUntil,
        uint64 validUntil,
        uint64 quotaUnits
    ) public {
        approvedUntil = uint64(_bound(approvedUntil, NOON + 365 days, NOON + 800 days));
        validUntil = uint64(_bound(validUntil, NOON + 1, NOON + 800 days));
        vm.assume(quotaUnits != 0);
        _require();
        _submit(Purpose.INDUSTRY, 2);
        _decide(true, approvedUntil);
        uint64 licenceNo = _grant(_agreement(PRODUCT, 1, 404));
        ILicenceRegistry.Supplement memory change = _change(licenceNo);
        (change.validUntil, change.quotaUnits) = (validUntil, quotaUnits);
        bytes32 digest = licences.supplementDigest(change);
        bytes memory call = abi.encodeCall(
            licences.supplement, (_id(404), change, _sign(OPERATOR, digest), _sign(BUYER, digest))
        );
        (bool isDone,) = address(licences).call(call);
        _true(isDone == (validUntil <= approvedUntil), "approved");
    }

    function test_submit__announced_and_kept() public {
        vm.expectEmit();
        emit IApplications.ApplicationSubmitted(
            1, _id(FORM), _id(DATASET_1), _id(BUYER), Purpose.INDUSTRY, 2, DOCUMENT
        );
        _submit(Purpose.INDUSTRY, 2);
        IApplications.Application memory found = applications.application(_id(FORM));
        _true(found.state == ApplicationState.SUBMITTED && found.purpose == Purpose.INDUSTRY, "state");
        vm.expectRevert(
            abi.encodeWithSelector(IApplications.Applications_ApplicationExists.selector, _id(FORM))
        );
        _submit(Purpose.INDUSTRY, 2);
    }

    function test_submit__no_purpose_or_mode__refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(IApplications.Applications_PurposeMissing.selector, _id(FORM))
        );
        _submit(Purpose.NONE, 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_ModeNotOffered.selector, _id(DATASET_1), 128, 127
            )
        );
        _submit(Purpose.INDUSTRY, 128);
    }

    function test_submit__for_ones_own_dataset__refused() public {
        directory.grantRole(_id(COMPANY), Role.BUYER, NANJING);
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_OwnCase.selector, _id(DATASET_2), _id(COMPANY)
            )
        );
        _as(COMPANY);
        applications.submit(_id(FORM), _id(DATASET_2), Purpose.INDUSTRY, 2, DOCUMENT);
    }

    function test_decide__by_another_or_with_a_past_end__refused() public {
        _submit(Purpose.INDUSTRY, 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_NotProvider.selector, _id(DATASET_1), _id(COMPANY), _id(BUREAU)
            )
        );
        _as(COMPANY);
        applications.decide(_id(FORM), true, UNTIL, DOCUMENT);
        vm.expectRevert(
            abi.encodeWithSelector(IApplications.Applications_TermMalformed.selector, _id(FORM), NOON, NOON)
        );
        _decide(true, NOON);
        vm.expectRevert(
            abi.encodeWithSelector(IApplications.Applications_TermMalformed.selector, _id(FORM), UNTIL, NOON)
        );
        _decide(false, UNTIL);
        vm.expectRevert(
            abi.encodeWithSelector(IApplications.Applications_UnknownApplication.selector, _id(9))
        );
        _as(BUREAU);
        applications.decide(_id(9), true, UNTIL, DOCUMENT);
    }

    function test_withdraw__by_the_applicant_once() public {
        _submit(Purpose.INDUSTRY, 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_NotApplicant.selector, _id(FORM), _id(BUREAU), _id(BUYER)
            )
        );
        _as(BUREAU);
        applications.withdraw(_id(FORM));
        _as(BUYER);
        applications.withdraw(_id(FORM));
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_IllegalStep.selector,
                _id(FORM),
                ApplicationState.WITHDRAWN,
                ApplicationState.APPROVED
            )
        );
        _decide(true, UNTIL);
    }

    function _require() private {
        _as(BUREAU);
        applications.setRequired(_id(DATASET_1), true, DOCUMENT);
    }

    function _submit(Purpose purpose, uint8 modes) private {
        _submitAs(FORM, purpose, modes);
    }

    function _submitAs(uint128 form, Purpose purpose, uint8 modes) private {
        _as(BUYER);
        applications.submit(_id(form), _id(DATASET_1), purpose, modes, DOCUMENT);
    }

    function _decide(bool isApproved, uint64 validUntil) private {
        _as(BUREAU);
        applications.decide(_id(FORM), isApproved, validUntil, DOCUMENT);
    }

    function _refuseGrant(bytes memory reason) private {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, 404);
        bytes32 digest = licences.agreementDigest(agreement);
        vm.expectRevert(reason);
        licences.grantLicence(agreement, _sign(OPERATOR, digest), _sign(BUYER, digest));
    }

    function _agreementOf(ILicenceRegistry.Supplement memory change) private pure returns (bytes16) {
        return _id(change.licenceNo == 1 ? 401 : 404);
    }

    /// @dev Nothing of the licence changes.
    function _change(uint64 licenceNo) private view returns (ILicenceRegistry.Supplement memory) {
        ILicenceRegistry.Licence memory licence = licences.licence(licenceNo);
        return ILicenceRegistry.Supplement({
            licenceNo: licenceNo,
            previousDigest: _latest(licenceNo == 1 ? 401 : 404),
            termsDigest: DOCUMENT,
            validUntil: licence.validUntil,
            quotaUnits: licence.quotaUnits,
            platformLiabilityPpm: Ppm.wrap(500_000),
            deadline: NOON
        });
    }

    function _supplement(ILicenceRegistry.Supplement memory change) private {
        bytes32 digest = licences.supplementDigest(change);
        licences.supplement(_agreementOf(change), change, _sign(OPERATOR, digest), _sign(BUYER, digest));
    }

    function _refuseSupplement(ILicenceRegistry.Supplement memory change, bytes memory reason) private {
        bytes32 digest = licences.supplementDigest(change);
        vm.expectRevert(reason);
        licences.supplement(_agreementOf(change), change, _sign(OPERATOR, digest), _sign(BUYER, digest));
    }

    function _missing(Purpose purpose, uint8 modes) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IApplications.Applications_NotApproved.selector, _id(DATASET_1), _id(BUYER), purpose, modes
        );
    }
}
