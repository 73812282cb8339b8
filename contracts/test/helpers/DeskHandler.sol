// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IObjectionDesk} from "../../interfaces/IObjectionDesk.sol";
import {Ground, ObjectionState, Outcome, ReliefRoute, SubjectKind} from "../../libraries/Codes.sol";
import {Fen} from "../../libraries/Units.sol";
import {DeskMarket} from "./DeskMarket.sol";

/// @notice Does anything to cases, as anybody, in any order. What the desk takes is held against a table
/// of its own; what it refuses must have changed nothing.
contract DeskHandler is DeskMarket {
    uint256 private constant CASES_MAX = 12;
    uint128[8] private _actors =
        [HANDLER, OTHER_HANDLER, REGISTRAR, PLATFORM, BUREAU, OPERATOR, BUYER, FAR_REGISTRAR];
    /// @dev Bit `to` of the mask at `from`.
    uint256[11] private _legal;

    uint128[] public cases;
    uint256 public illegalSteps;
    uint256 public changedByRefusals;
    uint256 public partiesThatHandled;
    uint256 public lateSteps;

    constructor() {
        setUp();
        _legal[uint8(ObjectionState.OPENED)] = _mask(ObjectionState.ACCEPTED, ObjectionState.REFUSED);
        _legal[uint8(ObjectionState.ACCEPTED)] = _mask(ObjectionState.RESPONDED, ObjectionState.VERIFIED);
        _legal[uint8(ObjectionState.RESPONDED)] = _mask(ObjectionState.VERIFIED, ObjectionState.VERIFIED);
        _legal[uint8(ObjectionState.VERIFIED)] = _mask(ObjectionState.DECIDED, ObjectionState.DECIDED);
        _legal[uint8(ObjectionState.DECIDED)] = _mask(ObjectionState.NOTIFIED, ObjectionState.NOTIFIED);
        _legal[uint8(ObjectionState.NOTIFIED)] = _mask(ObjectionState.EXECUTED, ObjectionState.CLOSED);
        _legal[uint8(ObjectionState.EXECUTED)] = _mask(ObjectionState.CLOSED, ObjectionState.CLOSED);
        for (uint256 i = uint8(ObjectionState.OPENED); i <= uint8(ObjectionState.VERIFIED); ++i) {
            _legal[i] |= 1 << uint8(ObjectionState.WITHDRAWN);
        }
    }

    // ---- actions ----

    function open(uint256 seed) external {
        if (cases.length == CASES_MAX) return;
        uint128 objectionId = uint128(801 + cases.length);
        IObjectionDesk.Claim memory claim;
        uint256 kind = seed % 4;
        if (kind == 0) claim = _masking(objectionId);
        if (kind == 1) {
            claim = _claim(objectionId, SubjectKind.LICENCE, 1, Ground.OVER_SCOPE, BUYER);
        }
        if (kind == 2) {
            claim = _claim(objectionId, SubjectKind.PRODUCT, PRODUCT, Ground.PLATFORM_FAULT, PLATFORM);
        }
        if (kind == 3) claim = _claim(objectionId, SubjectKind.PRODUCT, PRODUCT, Ground.QUALITY, OPERATOR);
        _as(_actors[(seed >> 8) % 8]);
        try desk.open(claim, _evidence()) {
            cases.push(objectionId);
            _taken(objectionId, ObjectionState.NONE, ObjectionState.OPENED);
        } catch {}
    }

    /// @dev The step that comes next in most cases, by who may take it; so that all states are reached.
    function goOn(uint256 seed) external {
        if (cases.length == 0) return;
        uint128 id = cases[seed % cases.length];
        IObjectionDesk.Objection memory subject = _case(id);
        uint128 handler = subject.isOfPlatform || subject.escalationCount != 0 ? REGISTRAR : HANDLER;
        if (subject.handlerId != 0) handler = uint128(subject.handlerId);
        if (subject.state == ObjectionState.OPENED) return _try(handler, id, ObjectionState.ACCEPTED);
        if (subject.state == ObjectionState.ACCEPTED) {
            return _try(uint128(subject.respondentId), id, ObjectionState.RESPONDED);
        }
        if (subject.state == ObjectionState.RESPONDED) return _try(handler, id, ObjectionState.VERIFIED);
        if (subject.state == ObjectionState.VERIFIED) {
            return _tryDecide(handler, id, subject.isHolding ? Outcome.REOPEN : Outcome.DISMISS, seed);
        }
        if (subject.state == ObjectionState.DECIDED) return _tryNotify(handler, id);
        bool isDone = subject.outcome == Outcome.DISMISS || subject.state == ObjectionState.EXECUTED;
        _try(handler, id, isDone ? ObjectionState.CLOSED : ObjectionState.EXECUTED);
    }

    function step(uint256 seed) external {
        if (cases.length == 0) return;
        uint8 to = uint8((seed >> 16) % 11);
        _try(_actors[(seed >> 8) % 8], cases[seed % cases.length], ObjectionState(to));
    }

    function decide(uint256 seed) external {
        if (cases.length == 0) return;
        Outcome outcome = Outcome((seed >> 16) % 6);
        _tryDecide(_actors[(seed >> 8) % 8], cases[seed % cases.length], outcome, seed >> 24);
    }

    function notifyRelief(uint256 seed) external {
        if (cases.length != 0) _tryNotify(_actors[(seed >> 8) % 8], cases[seed % cases.length]);
    }

    function suspendOrExtend(uint256 seed) external {
        if (cases.length == 0) return;
        uint128 id = cases[seed % cases.length];
        IObjectionDesk.Objection memory before = _case(id);
        _as(_actors[(seed >> 8) % 8]);
        if ((seed >> 16) % 2 == 0) {
            try desk.suspend(_id(id), DOCUMENT) {
                _taken(id, before.state, before.state);
            } catch {
                _refused(id, before);
            }
        } else {
            try desk.extend(_id(id), DOCUMENT) {
                _taken(id, before.state, before.state);
            } catch {
                _refused(id, before);
            }
        }
    }

    function escalate(uint256 seed) external {
        if (cases.length == 0) return;
        uint128 id = cases[seed % cases.length];
        IObjectionDesk.Objection memory before = _case(id);
        _as(_actors[(seed >> 8) % 8]);
        try desk.escalate(_id(id)) {
            if (block.timestamp <= before.dueAt && before.suspendDueAt == 0) ++lateSteps;
            _taken(id, before.state, before.state);
        } catch {
            _refused(id, before);
        }
    }

    function wait(uint256 seed) external {
        vm.warp(block.timestamp + _bound(seed, 1, 9 days));
    }

    // ---- views ----

    function caseCount() external view returns (uint256) {
        return cases.length;
    }

    function eventCount() external view returns (uint256) {
        return desk.eventCount();
    }

    /// @dev A subject is held exactly while one of its cases holds it, and out of service then.
    function isHoldRight(uint256 index) external view returns (bool) {
        IObjectionDesk.Objection memory one = _case(cases[index]);
        bool isAnyHolding = false;
        for (uint256 i = 0; i < cases.length; ++i) {
            IObjectionDesk.Objection memory other = _case(cases[i]);
            bool isSame = other.subjectKind == one.subjectKind && other.subjectId == one.subjectId;
            isAnyHolding = isAnyHolding || (isSame && other.isHolding);
        }
        if (one.subjectKind == SubjectKind.DATASET) {
            if (datasets.dataset(one.subjectId).isSuspended != isAnyHolding) return false;
        }
        return desk.isHeld(one.subjectKind, one.subjectId) == isAnyHolding;
    }

    // ---- helpers ----

    function _try(uint128 actor, uint128 id, ObjectionState to) private {
        IObjectionDesk.Objection memory before = _case(id);
        _as(actor);
        try desk.advance(_id(id), to, DOCUMENT) {
            bool isTimed = to <= ObjectionState.RESPONDED || to == ObjectionState.REFUSED;
            if (isTimed && block.timestamp > before.dueAt) ++lateSteps;
            if (to == ObjectionState.VERIFIED && block.timestamp > before.decideDueAt) ++lateSteps;
            _taken(id, before.state, to);
        } catch {
            _refused(id, before);
        }
    }

    function _tryDecide(uint128 actor, uint128 id, Outcome outcome, uint256 seed) private {
        IObjectionDesk.Objection memory before = _case(id);
        IObjectionDesk.Share[] memory shares = _noShares();
        if (outcome != Outcome.DISMISS || seed % 5 == 0) {
            shares = _shares(before.isOfPlatform ? PLATFORM : uint128(before.respondentId));
        }
        _as(actor);
        try desk.decide(_id(id), outcome, Fen.wrap(0), shares, DOCUMENT) {
            if (block.timestamp > before.decideDueAt) ++lateSteps;
            _taken(id, before.state, ObjectionState.DECIDED);
        } catch {
            _refused(id, before);
        }
    }

    function _tryNotify(uint128 actor, uint128 id) private {
        IObjectionDesk.Objection memory before = _case(id);
        _as(actor);
        try desk.notify(_id(id), ReliefRoute.REVIEW, uint64(block.timestamp) + 60 days, DOCUMENT) {
            _taken(id, before.state, ObjectionState.NOTIFIED);
        } catch {
            _refused(id, before);
        }
    }

    function _taken(uint128 id, ObjectionState from, ObjectionState to) private {
        IObjectionDesk.Objection memory subject = _case(id);
        bool isLegal = from == to || from == ObjectionState.NONE || _legal[uint8(from)] & (1 << uint8(to)) != 0;
        if (!isLegal || subject.state != to) ++illegalSteps;
        bytes16 handlerId = subject.handlerId;
        if (handlerId != 0 && (handlerId == subject.objectorId || handlerId == subject.respondentId)) {
            ++partiesThatHandled;
        }
        if (handlerId == _id(PLATFORM)) ++partiesThatHandled;
    }

    function _refused(uint128 id, IObjectionDesk.Objection memory before) private {
        if (keccak256(abi.encode(_case(id))) != keccak256(abi.encode(before))) ++changedByRefusals;
    }

    function _mask(ObjectionState a, ObjectionState b) private pure returns (uint256) {
        return (1 << uint8(a)) | (1 << uint8(b));
    }
}
