// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {
    NoticeObjectionState,
    OpenClass,
    OpeningTier,
    Purpose,
    QualityGrade,
    RegistrationState,
    RegistrationType,
    Sensitivity
} from "../libraries/Codes.sol";
import {Market} from "./helpers/Market.sol";

/// @notice Registration with the law's clocks: steps, notice, objections, validity, renewal, opening, duties.
contract RegistrationTest is Market {
    uint128 private constant OBJECTION = 501;
    uint64 private constant DAY = 1 days;

    function _isTrial() internal pure override returns (bool) {
        return false;
    }

    // ---- steps ----

    /// @dev Each kind, each state, each target: what the table does not name is refused.
    function testFuzz_advance__any_sequence__keeps_to_the_table(uint256 seed) public {
        _deposit(DATASET_1, BUREAU);
        for (uint256 i = 0; i < 24; ++i) {
            seed = _next(seed);
            vm.warp(block.timestamp + (seed >> 32) % (90 * DAY));
            (RegistrationState before, RegistrationType kind, RegistrationState from) = _now();
            bool isOver = block.timestamp > datasets.dataset(_id(DATASET_1)).validUntil;
            if (seed % 3 == 0) _tryApply(RegistrationType((seed >> 8) % 6), before, kind, isOver);
            else if (seed % 3 == 1) _tryAdvance(RegistrationState((seed >> 8) % 10), kind, from, isOver);
            else _tryCode(kind, from);
        }
    }

    function _now() private view returns (RegistrationState, RegistrationType, RegistrationState) {
        RegistrationState state = datasets.dataset(_id(DATASET_1)).state;
        IDatasetRegistry.Procedure memory procedure = datasets.procedureOf(_id(DATASET_1));
        bool isNone = procedure.kind == RegistrationType.NONE;
        return (state, procedure.kind, isNone ? state : procedure.state);
    }

    function _tryApply(RegistrationType asked, RegistrationState state, RegistrationType kind, bool isOver) private {
        _as(BUREAU);
        try datasets.applyFor(_id(DATASET_1), asked, DOCUMENT) {
            bool isLive = state == RegistrationState.CODED && !isOver;
            bool isFresh = state == RegistrationState.EVIDENCED || state == RegistrationState.EXPIRED
                || (state == RegistrationState.CODED && isOver);
            _true(kind == RegistrationType.NONE && asked != RegistrationType.NONE, "one at a time");
            _true(asked == RegistrationType.FIRST ? isFresh : isLive, "applicable");
        } catch {}
    }

    function _tryAdvance(RegistrationState to, RegistrationType kind, RegistrationState from, bool isOver) private {
        _as(REGISTRAR);
        try datasets.advance(_id(DATASET_1), to, DOCUMENT) {
            uint256 step = uint256(uint8(from)) * 16 + uint8(to);
            bool isForward = step == 0x23 || step == 0x34
                || (step == 0x45 && (kind == RegistrationType.FIRST || kind == RegistrationType.CHANGE));
            bool isReturn = uint8(to) == 1 && uint8(from) >= 2 && uint8(from) <= 5;
            bool isEnd = (step == 0x27 && kind == RegistrationType.CANCELLATION)
                || (uint8(to) == 8 && uint8(from) >= 2 && uint8(from) <= 6)
                || (step == 0x69 && kind == RegistrationType.NONE && isOver);
            bool isOther = kind != RegistrationType.NONE && kind != RegistrationType.CANCELLATION;
            _true((isForward && isOther) || (isReturn && kind != RegistrationType.NONE) || isEnd, "a step");
        } catch {}
    }

    function _tryCode(RegistrationType kind, RegistrationState from) private {
        uint64 since = datasets.procedureOf(_id(DATASET_1)).since;
        uint64 former = datasets.dataset(_id(DATASET_1)).validUntil;
        bool isFirst = kind == RegistrationType.FIRST;
        uint64 until = isFirst ? uint64(block.timestamp + 400 * DAY) : former;
        if (kind == RegistrationType.RENEWAL) until += 300 days;
        _as(REGISTRAR);
        try datasets.code(_id(DATASET_1), bytes32(uint256(1)), until, DOCUMENT) {
            bool isNoticed = isFirst || kind == RegistrationType.CHANGE;
            _true(uint8(from) == (isNoticed ? 5 : 4), "ready");
            _true(!isNoticed || block.timestamp > directory.workingDaysAfter(since, 10), "after notice");
        } catch {}
    }

    function _upToNotice() private {
        _deposit(DATASET_1, BUREAU);
        _advance(DATASET_1, BUREAU, RegistrationState.APPLIED);
        _advance(DATASET_1, REGISTRAR, RegistrationState.ACCEPTED);
        _advance(DATASET_1, REGISTRAR, RegistrationState.REVIEWED);
        _advance(DATASET_1, REGISTRAR, RegistrationState.PUBLIC_NOTICE);
    }

    function _coded() private {
        _upToNotice();
        vm.warp(directory.workingDaysAfter(uint64(block.timestamp), 10) + 1);
        _giveCode(DATASET_1, REGISTRAR);
    }

    function _apply(RegistrationType kind) private {
        _as(BUREAU);
        datasets.applyFor(_id(DATASET_1), kind, DOCUMENT);
    }

    function test_advance__returned__may_apply_again() public {
        _upToNotice();
        _advance(DATASET_1, REGISTRAR, RegistrationState.EVIDENCED);
        _true(datasets.dataset(_id(DATASET_1)).state == RegistrationState.EVIDENCED, "returned");
        _apply(RegistrationType.FIRST);
        _equal(datasets.procedureOf(_id(DATASET_1)).procedureNo, 2, "a second application");
    }

    function test_change__while_it_runs__dataset_stays_coded() public {
        _coded();
        _apply(RegistrationType.CHANGE);
        _advance(DATASET_1, REGISTRAR, RegistrationState.ACCEPTED);
        datasets.requireSellable(_one(), 1);
        _advance(DATASET_1, REGISTRAR, RegistrationState.EVIDENCED);
        _true(datasets.dataset(_id(DATASET_1)).state == RegistrationState.CODED, "the old one stays");
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_IllegalStep.selector,
                _id(DATASET_1),
                RegistrationState.CODED,
                RegistrationState.ACCEPTED
            )
        );
        _advance(DATASET_1, REGISTRAR, RegistrationState.ACCEPTED);
    }

    function test_applyFor__second_at_a_time__refused() public {
        _coded();
        _apply(RegistrationType.CORRECTION);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_ProcedureOpen.selector, _id(DATASET_1), RegistrationType.CORRECTION
            )
        );
        _apply(RegistrationType.CANCELLATION);
    }

    // ---- notice and objections ----

    function test_code__before_ten_working_days__refused() public {
        _upToNotice();
        uint64 until = directory.workingDaysAfter(uint64(block.timestamp), 10);
        vm.warp(until);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NoticeRunning.selector, _id(DATASET_1), until, until
            )
        );
        _giveCode(DATASET_1, REGISTRAR);
        vm.warp(until + 1);
        _giveCode(DATASET_1, REGISTRAR);
    }

    function _object(uint128 number, uint128 who) private {
        _as(who);
        datasets.objectToNotice(_id(number), _id(DATASET_1), DOCUMENT, DOCUMENT);
    }

    function test_objection__open__code_waits_dismissed_goes_on() public {
        _upToNotice();
        _object(OBJECTION, BUYER);
        vm.warp(directory.workingDaysAfter(uint64(block.timestamp), 10) + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_ObjectionOpen.selector, _id(DATASET_1), 1)
        );
        _giveCode(DATASET_1, REGISTRAR);
        _as(REGISTRAR);
        datasets.decideNoticeObjection(_id(OBJECTION), false, DOCUMENT);
        _true(datasets.noticeObjection(_id(OBJECTION)).state == NoticeObjectionState.DISMISSED, "dismissed");
        _giveCode(DATASET_1, REGISTRAR);
    }

    function test_objection__upheld__ends_registration_and_moots_the_others() public {
        _upToNotice();
        _object(OBJECTION, BUYER);
        _object(OBJECTION + 1, OPERATOR);
        _as(REGISTRAR);
        datasets.decideNoticeObjection(_id(OBJECTION), true, DOCUMENT);
        _true(datasets.dataset(_id(DATASET_1)).state == RegistrationState.EVIDENCED, "ended");
        _apply(RegistrationType.FIRST);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NoOpenObjection.selector,
                _id(OBJECTION + 1),
                NoticeObjectionState.OPEN
            )
        );
        _as(REGISTRAR);
        datasets.decideNoticeObjection(_id(OBJECTION + 1), false, DOCUMENT);
    }

    function test_objection__by_a_party_or_outside_notice__refused() public {
        _upToNotice();
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_PartyToObjection.selector, _id(DATASET_1), _id(BUREAU)
            )
        );
        _object(OBJECTION, BUREAU);
        _object(OBJECTION, REGISTRAR);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_PartyToObjection.selector, _id(DATASET_1), _id(REGISTRAR)
            )
        );
        _as(REGISTRAR);
        datasets.decideNoticeObjection(_id(OBJECTION), false, DOCUMENT);
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_ObjectionExists.selector, _id(OBJECTION))
        );
        _object(OBJECTION, BUYER);
        _advance(DATASET_1, REGISTRAR, RegistrationState.EVIDENCED);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NotInNotice.selector, _id(DATASET_1), RegistrationState.EVIDENCED
            )
        );
        _object(OBJECTION + 1, BUYER);
    }

    // ---- validity ----

    function test_code__longer_than_three_years__refused() public {
        _upToNotice();
        vm.warp(directory.workingDaysAfter(uint64(block.timestamp), 10) + 1);
        // 30 June 2026 plus three years: the end of 30 June 2029 in China.
        uint64 limit = 1877529599;
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_ValidityOutOfRange.selector,
                _id(DATASET_1),
                limit + 1,
                block.timestamp,
                limit
            )
        );
        _as(REGISTRAR);
        datasets.code(_id(DATASET_1), bytes32(uint256(7)), limit + 1, DOCUMENT);
        _as(REGISTRAR);
        datasets.code(_id(DATASET_1), bytes32(uint256(7)), limit, DOCUMENT);
    }

    function test_expiry__by_date_alone__stops_sale_and_may_be_recorded() public {
        _coded();
        vm.warp(VALID_UNTIL);
        datasets.requireSellable(_one(), 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_IllegalStep.selector,
                _id(DATASET_1),
                RegistrationState.CODED,
                RegistrationState.EXPIRED
            )
        );
        _advance(DATASET_1, REGISTRAR, RegistrationState.EXPIRED);
        vm.warp(VALID_UNTIL + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_Expired.selector, _id(DATASET_1), VALID_UNTIL)
        );
        datasets.requireSellable(_one(), 1);
        _advance(DATASET_1, REGISTRAR, RegistrationState.EXPIRED);
        _apply(RegistrationType.FIRST);
    }

    function test_renewal__outside_sixty_days__refused_inside_prolongs() public {
        _coded();
        vm.warp(VALID_UNTIL - 60 days - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_OutsideRenewalWindow.selector,
                _id(DATASET_1),
                VALID_UNTIL - 60 days - 1,
                VALID_UNTIL - 60 days,
                VALID_UNTIL
            )
        );
        _apply(RegistrationType.RENEWAL);
        vm.warp(VALID_UNTIL - 60 days);
        _apply(RegistrationType.RENEWAL);
        _advance(DATASET_1, REGISTRAR, RegistrationState.ACCEPTED);
        _advance(DATASET_1, REGISTRAR, RegistrationState.REVIEWED);
        vm.warp(VALID_UNTIL + 1);
        _as(REGISTRAR);
        datasets.code(_id(DATASET_1), bytes32(uint256(DATASET_1)), VALID_UNTIL + 3 * 365 days, DOCUMENT);
        datasets.requireSellable(_one(), 1);
    }

    function test_code__of_another_dataset__refused() public {
        _coded();
        _deposit(DATASET_2, COMPANY);
        _advance(DATASET_2, COMPANY, RegistrationState.APPLIED);
        _advance(DATASET_2, REGISTRAR, RegistrationState.ACCEPTED);
        _advance(DATASET_2, REGISTRAR, RegistrationState.REVIEWED);
        _advance(DATASET_2, REGISTRAR, RegistrationState.PUBLIC_NOTICE);
        vm.warp(directory.workingDaysAfter(uint64(block.timestamp), 10) + 1);
        bytes32 taken = bytes32(uint256(DATASET_1));
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_CodeTaken.selector, taken, _id(DATASET_1))
        );
        _as(REGISTRAR);
        datasets.code(_id(DATASET_2), taken, VALID_UNTIL, DOCUMENT);
    }

    // ---- graded opening ----

    function testFuzz_tierOf__each_cell__as_published(uint256 seed) public {
        uint256 unconditional = _randomTable(seed);
        uint256 conditional = _randomTable(_next(seed));
        datasets.publishPolicy(0, unconditional, conditional, uint64(block.timestamp), DOCUMENT);
        for (uint8 mode = 1; mode <= 7; ++mode) {
            for (uint8 purpose = 1; purpose <= 5; ++purpose) {
                uint256 cell = (uint256(mode) + 6) * 5 + purpose - 1;
                (OpeningTier tier, uint32 policyNo) = _tier(OpenClass.CONDITIONAL, Sensitivity.GENERAL, mode, purpose);
                _equal(uint8(tier), (conditional >> (3 * cell)) & 7, "tier");
                _equal(policyNo, 1, "number");
                (tier,) = _tier(OpenClass.NOT_OPEN, Sensitivity.GENERAL, mode, purpose);
                _true(tier == OpeningTier.FORBIDDEN, "not open");
                (tier,) = _tier(OpenClass.UNCONDITIONAL, Sensitivity.IMPORTANT, mode, purpose);
                _true(tier == OpeningTier.FORBIDDEN, "important");
            }
        }
    }

    function _tier(OpenClass openClass, Sensitivity sensitivity, uint8 mode, uint8 purpose)
        private
        view
        returns (OpeningTier, uint32)
    {
        return datasets.tierOf(NANJING, openClass, sensitivity, true, mode, Purpose(purpose));
    }

    function _randomTable(uint256 seed) private pure returns (uint256 word) {
        for (uint256 cell = 0; cell < 70; ++cell) {
            seed = _next(seed);
            uint256 tier = 1 + seed % 5;
            if (tier == 4 && (cell / 5) % 7 < 2) tier = 5;
            word |= tier << (3 * cell);
        }
    }

    function test_requireOpen__forbidden_cell__names_it() public {
        _coded();
        uint256 word = _everyCell(OpeningTier.CONDITIONAL) ^ (uint256(3 ^ 5) << (3 * 7));
        datasets.publishPolicy(0, word, word, uint64(block.timestamp), DOCUMENT);
        datasets.requireOpen(_one(), 3, Purpose.PUBLIC_WELFARE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_CellForbidden.selector,
                _id(DATASET_1),
                1,
                OpenClass.CONDITIONAL,
                false,
                2,
                Purpose.INDUSTRY
            )
        );
        datasets.requireOpen(_one(), 3, Purpose.INDUSTRY);
    }

    function test_publishPolicy__own_city_from_its_date__before_the_regions() public {
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_NoPolicy.selector, NANJING));
        _tier(OpenClass.CONDITIONAL, Sensitivity.GENERAL, 3, 1);
        _publishPolicy();
        uint256 word = _everyCell(OpeningTier.FORBIDDEN);
        uint64 from = uint64(block.timestamp + 10 days);
        _as(REGISTRAR);
        datasets.publishPolicy(NANJING, word, word, from, DOCUMENT);
        (, uint32 policyNo) = _tier(OpenClass.CONDITIONAL, Sensitivity.GENERAL, 3, 1);
        _equal(policyNo, 1, "region's");
        vm.warp(from);
        (, policyNo) = _tier(OpenClass.CONDITIONAL, Sensitivity.GENERAL, 3, 1);
        _equal(policyNo, 2, "city's");
    }

    function test_publishPolicy__not_ones_own_or_malformed__refused() public {
        uint256 word = _everyCell(OpeningTier.OPEN);
        uint64 time = uint64(block.timestamp);
        vm.expectRevert();
        _as(FAR_REGISTRAR);
        datasets.publishPolicy(NANJING, word, word, time, DOCUMENT);
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_NotGovernance.selector, _signer(REGISTRAR))
        );
        _as(REGISTRAR);
        datasets.publishPolicy(0, word, word, time, DOCUMENT);
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_PolicyMalformed.selector, 70, 0));
        datasets.publishPolicy(0, word, word - 1, time, DOCUMENT);
        uint256 privacy = _everyCell(OpeningTier.PRIVACY_ONLY);
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_PolicyMalformed.selector, 0, 4));
        datasets.publishPolicy(0, privacy, word, time, DOCUMENT);
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_PolicyDate.selector, time - 1, time));
        datasets.publishPolicy(0, word, word, time - 1, DOCUMENT);
    }

    // ---- quality and duties ----

    function testFuzz_inspect__any_scores__graded_by_rule(uint256 seed) public {
        _deposit(DATASET_1, BUREAU);
        uint256 sum = 0;
        uint256 least = 100;
        uint48 packed = 0;
        for (uint256 i = 0; i < 6; ++i) {
            seed = _next(seed);
            uint256 score = 30 + seed % 71;
            sum += score;
            if (score < least) least = score;
            packed = packed << 8 | uint48(score);
        }
        _as(REGISTRAR);
        datasets.inspect(_id(DATASET_1), bytes6(packed), DOCUMENT);
        uint256 level = sum >= 540 ? 1 : sum >= 480 ? 2 : sum >= 420 ? 3 : sum >= 360 ? 4 : 5;
        if (least < 60 && level < 4) level = 4;
        if (least < 40) level = 5;
        _equal(uint8(datasets.dataset(_id(DATASET_1)).grade), level, "grade");
    }

    function test_inspect__grade_e__stops_new_licences_at_once() public {
        _coded();
        _grade(DATASET_1, QualityGrade.E);
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_GradeTooLow.selector, _id(DATASET_1)));
        datasets.requireSellable(_one(), 1);
        _grade(DATASET_1, QualityGrade.C);
        datasets.requireSellable(_one(), 1);
    }

    function test_anchorDuties__once_a_quarter__not_ahead() public {
        _as(REGISTRAR);
        datasets.anchorDuties(NANJING, 20262, 3, 1, DOCUMENT);
        _refuseQuarter(20262);
        _refuseQuarter(20263);
        _refuseQuarter(20265);
        vm.expectRevert();
        _as(FAR_REGISTRAR);
        datasets.anchorDuties(NANJING, 20262, 3, 1, DOCUMENT);
    }

    function _refuseQuarter(uint32 quarterId) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_QuarterRefused.selector, NANJING, quarterId, 20262, 20262
            )
        );
        _as(REGISTRAR);
        datasets.anchorDuties(NANJING, quarterId, 3, 1, DOCUMENT);
    }

    function _one() private pure returns (bytes16[] memory ids) {
        ids = new bytes16[](1);
        ids[0] = _id(DATASET_1);
    }
}
