// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {IObjectionDesk} from "../interfaces/IObjectionDesk.sol";
import {
    Ground,
    LicenceState,
    ObjectionState,
    Outcome,
    ProductState,
    ReliefRoute,
    Role,
    SubjectKind
} from "../libraries/Codes.sol";
import {Objections} from "../libraries/Objections.sol";
import {Fen, Ppm} from "../libraries/Units.sol";
import {DeskMarket} from "./helpers/DeskMarket.sol";

/// @notice Each way a case can go, what it does to its subject, and every reason to refuse.
contract ObjectionDeskTest is DeskMarket {
    // ---- the whole way ----

    function test_masking__accepted__suspended_at_once_and_reopened_after_treatment() public {
        _open(BUYER, _masking(CASE));
        IObjectionDesk.Objection memory opened = _case(CASE);
        _equal(opened.suspendDueAt, directory.workingDaysAfter(NOON, 1), "suspend");
        _equal(opened.dueAt, directory.workingDaysAfter(NOON, 3), "accept");
        _step(HANDLER, CASE, ObjectionState.ACCEPTED);
        _true(datasets.dataset(_id(DATASET_1)).isSuspended, "suspended");
        _equal(_case(CASE).suspendDueAt, 0, "no longer due");
        _step(BUREAU, CASE, ObjectionState.RESPONDED);
        _step(HANDLER, CASE, ObjectionState.VERIFIED);
        _decide(HANDLER, CASE, Outcome.REOPEN, BUREAU);
        _true(datasets.dataset(_id(DATASET_1)).isSuspended, "until treated");
        _notify(HANDLER, CASE);
        _step(HANDLER, CASE, ObjectionState.EXECUTED);
        _true(!datasets.dataset(_id(DATASET_1)).isSuspended, "reopened");
        _step(HANDLER, CASE, ObjectionState.CLOSED);
        _equal(_case(CASE).dueAt, 0, "no clock");
    }

    function test_two_cases__on_one_subject__last_lifts() public {
        _open(BUYER, _masking(CASE));
        _open(OPERATOR, _masking(OTHER_CASE));
        _step(HANDLER, CASE, ObjectionState.ACCEPTED);
        _step(OTHER_HANDLER, OTHER_CASE, ObjectionState.ACCEPTED);
        _step(BUYER, CASE, ObjectionState.WITHDRAWN);
        _true(datasets.dataset(_id(DATASET_1)).isSuspended, "still");
        _step(OPERATOR, OTHER_CASE, ObjectionState.WITHDRAWN);
        _true(!datasets.dataset(_id(DATASET_1)).isSuspended, "lifted");
    }

    function test_suspension__by_the_registrar_before__stays() public {
        _as(REGISTRAR);
        datasets.setSuspended(_id(DATASET_1), true, DOCUMENT);
        _open(BUYER, _masking(CASE));
        _step(HANDLER, CASE, ObjectionState.ACCEPTED);
        _step(BUYER, CASE, ObjectionState.WITHDRAWN);
        _true(datasets.dataset(_id(DATASET_1)).isSuspended, "the registrar's");
    }

    function test_held__others__may_not_touch_it() public {
        _open(OPERATOR, _claim(CASE, SubjectKind.LICENCE, 1, Ground.OVER_SCOPE, BUYER));
        _as(HANDLER);
        desk.suspend(_id(CASE), DOCUMENT);
        _true(licences.licence(1).state == LicenceState.SUSPENDED, "suspended");
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_SubjectHeld.selector, SubjectKind.LICENCE, _id(1)));
        _as(REGISTRAR);
        licences.setLicenceState(1, LicenceState.ACTIVE, DOCUMENT);
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_HoldingAlready.selector, _id(CASE)));
        _as(HANDLER);
        desk.suspend(_id(CASE), DOCUMENT);
        _step(HANDLER, CASE, ObjectionState.REFUSED);
        _true(licences.licence(1).state == LicenceState.ACTIVE, "lifted");
    }

    function test_withdraw__product_and_licence__taken_away_for_good() public {
        _open(BUYER, _claim(CASE, SubjectKind.PRODUCT, PRODUCT, Ground.INFRINGEMENT, OPERATOR));
        _verify(HANDLER, OPERATOR, CASE);
        _decide(HANDLER, CASE, Outcome.WITHDRAW, OPERATOR);
        _true(licences.product(_id(PRODUCT)).state == ProductState.WITHDRAWN, "withdrawn");
        _open(OPERATOR, _claim(OTHER_CASE, SubjectKind.LICENCE, 1, Ground.OVER_SCOPE, BUYER));
        _verify(HANDLER, BUYER, OTHER_CASE);
        _decide(HANDLER, OTHER_CASE, Outcome.WITHDRAW, BUYER);
        _true(licences.licence(1).state == LicenceState.TERMINATED, "terminated");
        _notify(HANDLER, OTHER_CASE);
        _step(HANDLER, OTHER_CASE, ObjectionState.EXECUTED);
        _true(licences.licence(1).state == LicenceState.TERMINATED, "still");
    }

    function test_refund__several_cases__add_up_and_close_when_executed() public {
        _issue(BILL, GROSS);
        _pay(BILL, GROSS);
        uint128[2] memory ids = [CASE, OTHER_CASE];
        uint128[2] memory objectors = [BUYER, COMPANY];
        for (uint256 i = 0; i < 2; ++i) {
            _open(objectors[i], _claim(ids[i], SubjectKind.INVOICE, BILL, Ground.BILLING, PLATFORM));
            _verify(REGISTRAR, PLATFORM, ids[i]);
            _as(REGISTRAR);
            desk.suspend(_id(ids[i]), DOCUMENT);
            _decideRefund(REGISTRAR, ids[i], Outcome.REFUND, PLATFORM, 1000);
            _notify(REGISTRAR, ids[i]);
        }
        _reduce(1000, 1);
        _step(REGISTRAR, CASE, ObjectionState.EXECUTED);
        _true(ledger.invoice(_id(BILL)).isFrozen, "the other case");
        _refuse(
            abi.encodeWithSelector(
                IObjectionDesk.ObjectionDesk_NotExecuted.selector, _id(OTHER_CASE), GROSS - 1000, GROSS - 2000
            )
        );
        _step(REGISTRAR, OTHER_CASE, ObjectionState.EXECUTED);
        _reduce(1000, 2);
        _step(REGISTRAR, OTHER_CASE, ObjectionState.EXECUTED);
        _true(!ledger.invoice(_id(BILL)).isFrozen, "free");
        _step(REGISTRAR, OTHER_CASE, ObjectionState.CLOSED);
    }

    function test_refund__none_or_beyond_the_bill__refused() public {
        _issue(BILL, GROSS);
        _open(BUYER, _claim(CASE, SubjectKind.INVOICE, BILL, Ground.QUALITY, OPERATOR));
        _verify(HANDLER, OPERATOR, CASE);
        bytes4 selector = IObjectionDesk.ObjectionDesk_RefundTooLarge.selector;
        _refuse(abi.encodeWithSelector(selector, _id(CASE), 0, GROSS));
        _decideRefund(HANDLER, CASE, Outcome.REFUND, OPERATOR, 0);
        _refuse(abi.encodeWithSelector(selector, _id(CASE), GROSS + 1, GROSS));
        _decideRefund(HANDLER, CASE, Outcome.REFUND, OPERATOR, GROSS + 1);
        _refuse(abi.encodeWithSelector(selector, _id(CASE), 1, 0));
        _decideRefund(HANDLER, CASE, Outcome.DISMISS, 0, 1);
        _refuse(
            abi.encodeWithSelector(
                IObjectionDesk.ObjectionDesk_OutcomeNotForSubject.selector,
                _id(CASE),
                Outcome.WITHDRAW,
                SubjectKind.INVOICE
            )
        );
        _decide(HANDLER, CASE, Outcome.WITHDRAW, OPERATOR);
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_NotHolding.selector, _id(CASE), Outcome.RESUME));
        _decide(HANDLER, CASE, Outcome.RESUME, OPERATOR);
    }

    // ---- opening ----

    function test_open__fact_or_open_case_of_the_party__refused() public {
        _open(BUYER, _masking(CASE));
        IObjectionDesk.Claim memory claim = _masking(OTHER_CASE);
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_CaseOpen.selector, _id(OTHER_CASE), _id(CASE)));
        _open(BUYER, claim);
        _step(BUYER, CASE, ObjectionState.WITHDRAWN);
        claim.factDigest = _masking(CASE).factDigest;
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_FactExists.selector, _id(OTHER_CASE), _id(CASE)));
        _open(BUYER, claim);
        _open(COMPANY, claim);
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_ObjectionExists.selector, _id(OTHER_CASE)));
        _open(OPERATOR, claim);
    }

    function test_open__wrong_claims__refused() public {
        IObjectionDesk.Claim memory claim = _masking(CASE);
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_SelfObjection.selector, _id(CASE), _id(BUREAU)));
        _open(BUREAU, claim);
        claim.respondentId = _id(COMPANY);
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_RespondentNotParty.selector, _id(CASE), _id(COMPANY)));
        _open(BUYER, claim);
        claim.ground = Ground.BILLING;
        _refuse(
            abi.encodeWithSelector(
                IObjectionDesk.ObjectionDesk_GroundNotForSubject.selector, _id(CASE), Ground.BILLING, SubjectKind.DATASET
            )
        );
        _open(BUYER, claim);
        claim.factDigest = 0;
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_DocumentMissing.selector, _id(CASE)));
        _open(BUYER, claim);
        claim.objectionId = 0;
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_UnknownObjection.selector, bytes16(0)));
        _open(BUYER, claim);
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_EvidenceCount.selector, 0, 16));
        _as(BUYER);
        desk.open(_masking(CASE), new bytes32[](0));
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_EvidenceCount.selector, 17, 16));
        _as(BUYER);
        desk.open(_masking(CASE), new bytes32[](17));
        claim = _claim(CASE, SubjectKind.LICENCE, type(uint128).max, Ground.OVER_SCOPE, BUYER);
        _refuse(abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_UnknownLicence.selector, type(uint64).max));
        _open(OPERATOR, claim);
    }

    /// @dev The matrix of grounds and subjects, written out.
    function test_grounds__and_subjects__fit_as_listed() public pure {
        bool[4][9] memory fits;
        fits[uint8(Ground.MASKING)] = [true, true, false, false];
        fits[uint8(Ground.FORMAT)] = [true, true, false, true];
        fits[uint8(Ground.QUALITY)] = [true, true, false, true];
        fits[uint8(Ground.SLOW_UPDATE)] = [true, true, false, true];
        fits[uint8(Ground.PLATFORM_FAULT)] = [true, true, true, true];
        fits[uint8(Ground.BILLING)] = [false, false, false, true];
        fits[uint8(Ground.OVER_SCOPE)] = [false, false, true, false];
        fits[uint8(Ground.INFRINGEMENT)] = [true, true, true, false];
        for (uint8 ground = 0; ground <= 8; ++ground) {
            _true(!Objections.fits(Ground(ground), SubjectKind.NONE), "none");
            for (uint8 kind = 1; kind <= 4; ++kind) {
                _true(Objections.fits(Ground(ground), SubjectKind(kind)) == fits[ground][kind - 1], "fits");
            }
        }
    }

    // ---- who ----

    function test_handler__a_party_or_another__refused() public {
        directory.grantRole(_id(PLATFORM), Role.HANDLER, NANJING);
        directory.grantRole(_id(PLATFORM), Role.REGISTRAR, NANJING);
        _open(HANDLER, _masking(CASE));
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_HandlerIsParty.selector, _id(CASE), _id(HANDLER)));
        _step(HANDLER, CASE, ObjectionState.ACCEPTED);
        _step(OTHER_HANDLER, CASE, ObjectionState.ACCEPTED);
        _step(BUREAU, CASE, ObjectionState.RESPONDED);
        _refuse(
            abi.encodeWithSelector(
                IObjectionDesk.ObjectionDesk_NotHandler.selector, _id(CASE), _id(PLATFORM), _id(OTHER_HANDLER)
            )
        );
        _step(PLATFORM, CASE, ObjectionState.VERIFIED);
        _open(BUYER, _claim(OTHER_CASE, SubjectKind.PRODUCT, PRODUCT, Ground.PLATFORM_FAULT, PLATFORM));
        _refuse(
            abi.encodeWithSelector(IDirectory.Directory_RoleMissing.selector, _id(HANDLER), Role.REGISTRAR, NANJING)
        );
        _step(HANDLER, OTHER_CASE, ObjectionState.ACCEPTED);
        _refuse(
            abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_HandlerIsParty.selector, _id(OTHER_CASE), _id(PLATFORM))
        );
        _step(PLATFORM, OTHER_CASE, ObjectionState.ACCEPTED);
        _step(REGISTRAR, OTHER_CASE, ObjectionState.ACCEPTED);
    }

    function test_handler__that_supplies_data__refused_for_what_is_sold() public {
        directory.grantRole(_id(HANDLER), Role.PROVIDER, NANJING);
        _open(BUYER, _claim(CASE, SubjectKind.PRODUCT, PRODUCT, Ground.QUALITY, OPERATOR));
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_HandlerIsParty.selector, _id(CASE), _id(HANDLER)));
        _step(HANDLER, CASE, ObjectionState.ACCEPTED);
    }

    function test_answer_or_withdrawal__by_others__refused() public {
        _open(BUYER, _masking(CASE));
        _step(HANDLER, CASE, ObjectionState.ACCEPTED);
        _refuse(
            abi.encodeWithSelector(
                IObjectionDesk.ObjectionDesk_NotRespondent.selector, _id(CASE), _id(BUYER), _id(BUREAU)
            )
        );
        _step(BUYER, CASE, ObjectionState.RESPONDED);
        _refuse(
            abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_NotObjector.selector, _id(CASE), _id(BUREAU), _id(BUYER))
        );
        _step(BUREAU, CASE, ObjectionState.WITHDRAWN);
    }

    // ---- decisions ----

    function test_fuzz_decide__shares__sum_to_the_whole_or_refused(uint32 first, uint32 second) public {
        _open(BUYER, _masking(CASE));
        _verify(HANDLER, BUREAU, CASE);
        IObjectionDesk.Share[] memory shares = new IObjectionDesk.Share[](2);
        shares[0] = IObjectionDesk.Share(_id(OPERATOR), Ppm.wrap(first));
        shares[1] = IObjectionDesk.Share(_id(BUREAU), Ppm.wrap(second));
        bool isRight = first != 0 && second != 0 && uint256(first) + second == 1_000_000;
        _as(HANDLER);
        try desk.decide(_id(CASE), Outcome.RESUME, Fen.wrap(0), shares, DOCUMENT) {
            _true(isRight, "taken");
        } catch {
            _true(!isRight, "refused");
        }
        second = uint32(_bound(second, 1, 999_999));
        if (_case(CASE).state == ObjectionState.DECIDED) return;
        shares[0].sharePpm = Ppm.wrap(1_000_000 - second);
        shares[1].sharePpm = Ppm.wrap(second);
        _as(HANDLER);
        desk.decide(_id(CASE), Outcome.RESUME, Fen.wrap(0), shares, DOCUMENT);
    }

    function test_decide__shares_in_disorder_or_of_the_handler__refused() public {
        _open(BUYER, _masking(CASE));
        _verify(HANDLER, BUREAU, CASE);
        IObjectionDesk.Share[] memory shares = new IObjectionDesk.Share[](2);
        shares[0] = IObjectionDesk.Share(_id(BUREAU), Ppm.wrap(500_000));
        shares[1] = IObjectionDesk.Share(_id(BUREAU), Ppm.wrap(500_000));
        _refuseShares(shares, abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_ShareOrder.selector, _id(CASE), 1));
        shares[1].organisationId = _id(HANDLER);
        _refuseShares(
            shares, abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_HandlerIsParty.selector, _id(CASE), _id(HANDLER))
        );
        shares[1].organisationId = _id(999);
        _refuseShares(shares, abi.encodeWithSelector(IDirectory.Directory_UnknownOrganisation.selector, _id(999)));
        shares[0].organisationId = _id(PLATFORM);
        shares[1].organisationId = _id(BUREAU);
        _refuseShares(
            shares, abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_NotAuthority.selector, _id(CASE), _id(HANDLER))
        );
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_ShareSum.selector, 1_000_000, 0));
        _decide(HANDLER, CASE, Outcome.DISMISS, BUREAU);
        _refuseShares(
            new IObjectionDesk.Share[](9),
            abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_ShareOrder.selector, _id(CASE), 8)
        );
    }

    function test_decide__platforms_own_fault__at_least_half() public {
        _open(BUYER, _claim(CASE, SubjectKind.PRODUCT, PRODUCT, Ground.PLATFORM_FAULT, PLATFORM));
        _step(REGISTRAR, CASE, ObjectionState.ACCEPTED);
        _as(REGISTRAR);
        desk.suspend(_id(CASE), DOCUMENT);
        _step(PLATFORM, CASE, ObjectionState.RESPONDED);
        _step(REGISTRAR, CASE, ObjectionState.VERIFIED);
        IObjectionDesk.Share[] memory shares = new IObjectionDesk.Share[](2);
        shares[0] = IObjectionDesk.Share(_id(PLATFORM), Ppm.wrap(499_999));
        shares[1] = IObjectionDesk.Share(_id(OPERATOR), Ppm.wrap(500_001));
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_LiabilityBelowFloor.selector, 499_999, 500_000));
        _as(REGISTRAR);
        desk.decide(_id(CASE), Outcome.RESUME, Fen.wrap(0), shares, DOCUMENT);
        shares[0].sharePpm = shares[1].sharePpm = Ppm.wrap(500_000);
        _as(REGISTRAR);
        desk.decide(_id(CASE), Outcome.RESUME, Fen.wrap(0), shares, DOCUMENT);
        _true(licences.product(_id(PRODUCT)).state == ProductState.LISTED, "resumed");
    }

    function test_notice__shorter_than_the_law_gives__refused() public {
        _open(BUYER, _masking(CASE));
        _verify(HANDLER, BUREAU, CASE);
        _decide(HANDLER, CASE, Outcome.DISMISS, 0);
        _refuseLimit(ReliefRoute.NONE, NOON + 400 days, NOON + 1);
        _refuseLimit(ReliefRoute.CONTRACT, NOON, NOON + 1);
        _refuseLimit(ReliefRoute.REVIEW, NOON + 60 days - 1, NOON + 60 days);
        _refuseLimit(ReliefRoute.LITIGATION, NOON + 181 days - 1, NOON + 181 days);
        _notify(HANDLER, CASE);
        _refuseStep(ObjectionState.EXECUTED, HANDLER);
        _step(HANDLER, CASE, ObjectionState.CLOSED);
    }

    // ---- clocks ----

    function test_clock__run_out__refused_then_escalated_to_the_authority() public {
        _open(BUYER, _masking(CASE));
        uint64 dueAt = _case(CASE).suspendDueAt;
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_NotLate.selector, _id(CASE), dueAt, NOON));
        _as(BUYER);
        desk.escalate(_id(CASE));
        uint64 late = _case(CASE).dueAt + 1;
        vm.warp(late);
        _refuse(
            abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_ClockExpired.selector, _id(CASE), late - 1, late)
        );
        _step(HANDLER, CASE, ObjectionState.ACCEPTED);
        _as(COMPANY);
        desk.escalate(_id(CASE));
        _equal(_case(CASE).dueAt, directory.workingDaysAfter(late, 3), "anew");
        _refuse(
            abi.encodeWithSelector(IDirectory.Directory_RoleMissing.selector, _id(HANDLER), Role.REGISTRAR, NANJING)
        );
        _step(HANDLER, CASE, ObjectionState.ACCEPTED);
        _step(REGISTRAR, CASE, ObjectionState.ACCEPTED);
    }

    function test_response__missing__verified_after_its_time() public {
        _open(BUYER, _masking(CASE));
        _step(HANDLER, CASE, ObjectionState.ACCEPTED);
        uint64 dueAt = _case(CASE).dueAt;
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_NotLate.selector, _id(CASE), dueAt, NOON));
        _step(HANDLER, CASE, ObjectionState.VERIFIED);
        vm.warp(dueAt + 1);
        _refuse(
            abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_ClockExpired.selector, _id(CASE), dueAt, dueAt + 1)
        );
        _step(BUREAU, CASE, ObjectionState.RESPONDED);
        _step(HANDLER, CASE, ObjectionState.VERIFIED);
    }

    function test_extension__once__ten_working_days() public {
        _open(BUYER, _masking(CASE));
        _step(HANDLER, CASE, ObjectionState.ACCEPTED);
        uint64 decideDueAt = _case(CASE).decideDueAt;
        _equal(decideDueAt, directory.workingDaysAfter(NOON, 15), "fifteen");
        _as(HANDLER);
        desk.extend(_id(CASE), DOCUMENT);
        _equal(_case(CASE).decideDueAt, directory.workingDaysAfter(decideDueAt, 10), "ten more");
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_ExtendedAlready.selector, _id(CASE)));
        _as(HANDLER);
        desk.extend(_id(CASE), DOCUMENT);
    }

    // ---- the desk itself ----

    function test_desk__named_twice__refused() public {
        _refuse(abi.encodeWithSelector(IDirectory.Directory_DeskTaken.selector, address(desk)));
        directory.appointDesk(address(this));
    }

    function test_steps__illegal__refused() public {
        _open(BUYER, _masking(CASE));
        _refuseStep(ObjectionState.NONE, HANDLER);
        _refuseStep(ObjectionState.OPENED, HANDLER);
        _refuseStep(ObjectionState.RESPONDED, BUREAU);
        _refuseStep(ObjectionState.DECIDED, HANDLER);
        _refuseStep(ObjectionState.CLOSED, HANDLER);
        _verify(HANDLER, BUREAU, CASE);
        _refuseStep(ObjectionState.DECIDED, HANDLER);
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_DocumentMissing.selector, _id(CASE)));
        _as(BUYER);
        desk.advance(_id(CASE), ObjectionState.WITHDRAWN, 0);
    }

    // ---- helpers ----

    function _refuse(bytes memory error) private {
        vm.expectRevert(error);
    }

    function _refuseStep(ObjectionState to, uint128 actor) private {
        ObjectionState from = _case(CASE).state;
        _refuse(abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_IllegalStep.selector, _id(CASE), from, to));
        _step(actor, CASE, to);
    }

    function _refuseShares(IObjectionDesk.Share[] memory shares, bytes memory error) private {
        _refuse(error);
        _as(HANDLER);
        desk.decide(_id(CASE), Outcome.RESUME, Fen.wrap(0), shares, DOCUMENT);
    }

    function _refuseLimit(ReliefRoute route, uint64 limitAt, uint64 leastAt) private {
        _refuse(
            abi.encodeWithSelector(IObjectionDesk.ObjectionDesk_LimitTooShort.selector, _id(CASE), limitAt, leastAt)
        );
        _as(HANDLER);
        desk.notify(_id(CASE), route, limitAt, DOCUMENT);
    }
}
