// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {ILicenceRegistry} from "./interfaces/ILicenceRegistry.sol";
import {IObjectionDesk} from "./interfaces/IObjectionDesk.sol";
import {IRevenueLedger} from "./interfaces/IRevenueLedger.sol";
import {Clock} from "./libraries/Clock.sol";
import {Ground, ObjectionState, Outcome, ReliefRoute, Role, SubjectKind} from "./libraries/Codes.sol";
import {Objections} from "./libraries/Objections.sol";
import {Subjects} from "./libraries/Subjects.sol";
import {Fen, PPM_WHOLE, Ppm} from "./libraries/Units.sol";

/// @title ObjectionDesk
contract ObjectionDesk is IObjectionDesk, Subjects {
    uint256 private constant EVIDENCE_MAX = 16;
    uint256 private constant SHARES_MAX = 8;
    /// @dev Statutory floor of the platform's share for its own faults (domain.md section 5).
    uint256 private constant PLATFORM_LIABILITY_FLOOR_PPM = 500_000;
    /// @dev 行政复议法 art. 20; 行政诉讼法 art. 46: six months, of which the shortest have 181 days.
    uint64 private constant REVIEW_SECONDS = 60 days;
    uint64 private constant LITIGATION_SECONDS = 181 days;

    uint64 private _escalationCount;
    mapping(bytes16 objectionId => Objection) private _objections;
    /// @dev The last objection of a party to a subject on a ground, and the one to a fact.
    mapping(bytes32 key => bytes16 objectionId) private _found;
    /// @dev What decided refunds leave of an invoice, plus one; zero where nothing was decided.
    mapping(bytes16 invoiceId => uint256 fenPlusOne) private _leftOf;

    constructor(
        address forwarder,
        IDirectory directory_,
        IDatasetRegistry datasets,
        ILicenceRegistry licences,
        IRevenueLedger ledger
    ) Subjects(forwarder, directory_, datasets, licences, ledger) {}

    /// @inheritdoc IObjectionDesk
    function open(Claim calldata claim, bytes32[] calldata evidenceDigests) external {
        bytes16 objectorId = _actorUsingAny();
        bytes16 objectionId = claim.objectionId;
        if (objectionId == 0) revert ObjectionDesk_UnknownObjection(objectionId);
        Objection storage subject = _objections[objectionId];
        if (subject.state != ObjectionState.NONE) revert ObjectionDesk_ObjectionExists(objectionId);
        _requireDocument(objectionId, claim.statementDigest);
        _requireDocument(objectionId, claim.factDigest);
        if (evidenceDigests.length == 0 || evidenceDigests.length > EVIDENCE_MAX) {
            revert ObjectionDesk_EvidenceCount(evidenceDigests.length, EVIDENCE_MAX);
        }
        if (!Objections.fits(claim.ground, claim.subjectKind)) {
            revert ObjectionDesk_GroundNotForSubject(objectionId, claim.ground, claim.subjectKind);
        }
        if (objectorId == claim.respondentId) revert ObjectionDesk_SelfObjection(objectionId, objectorId);
        _requireNew(claim, objectorId);
        (subject.cityCode, subject.isOfPlatform) = _route(claim);
        subject.objectorId = objectorId;
        subject.respondentId = claim.respondentId;
        subject.subjectId = claim.subjectId;
        subject.subjectKind = claim.subjectKind;
        subject.ground = claim.ground;
        subject.state = ObjectionState.OPENED;
        _startClock(subject);
        emit ObjectionOpened(
            _nextEventNo(),
            objectionId,
            objectorId,
            claim,
            subject.cityCode,
            subject.isOfPlatform,
            subject.suspendDueAt,
            subject.dueAt,
            evidenceDigests
        );
    }

    /// @inheritdoc IObjectionDesk
    function advance(bytes16 objectionId, ObjectionState to, bytes32 documentDigest) external {
        Objection storage subject = _known(objectionId);
        ObjectionState from = subject.state;
        _requireStep(objectionId, subject, to);
        if (to == ObjectionState.DECIDED || to == ObjectionState.NOTIFIED) {
            revert ObjectionDesk_IllegalStep(objectionId, from, to);
        }
        _requireDocument(objectionId, documentDigest);
        bytes16 actorId = _stepper(objectionId, subject, to);
        if (to <= ObjectionState.VERIFIED || to == ObjectionState.REFUSED) {
            _requireInTime(objectionId, to == ObjectionState.VERIFIED ? subject.decideDueAt : subject.dueAt);
        }
        subject.state = to;
        _startClock(subject);
        emit ObjectionAdvanced(
            _nextEventNo(), objectionId, from, to, actorId, subject.dueAt, subject.decideDueAt, documentDigest
        );
        if (to == ObjectionState.EXECUTED) _requireExecuted(objectionId, subject);
        bool isToHold = to == ObjectionState.ACCEPTED && Objections.isUrgent(subject.ground);
        bool isToLift = to == ObjectionState.REFUSED || to == ObjectionState.WITHDRAWN
            || (to == ObjectionState.EXECUTED && subject.outcome != Outcome.WITHDRAW);
        if (isToHold || isToLift) _setHolding(objectionId, subject, isToHold, actorId, documentDigest);
    }

    /// @inheritdoc IObjectionDesk
    function suspend(bytes16 objectionId, bytes32 documentDigest) external {
        Objection storage subject = _known(objectionId);
        if (!Objections.isUndecided(subject.state)) {
            revert ObjectionDesk_IllegalStep(objectionId, subject.state, subject.state);
        }
        _requireDocument(objectionId, documentDigest);
        bytes16 actorId = _handler(objectionId, subject);
        if (subject.isHolding) revert ObjectionDesk_HoldingAlready(objectionId);
        _setHolding(objectionId, subject, true, actorId, documentDigest);
    }

    /// @inheritdoc IObjectionDesk
    function extend(bytes16 objectionId, bytes32 documentDigest) external {
        Objection storage subject = _known(objectionId);
        if (!Objections.isUndecided(subject.state) || subject.state == ObjectionState.OPENED) {
            revert ObjectionDesk_IllegalStep(objectionId, subject.state, subject.state);
        }
        _requireDocument(objectionId, documentDigest);
        bytes16 actorId = _handler(objectionId, subject);
        if (subject.isExtended) revert ObjectionDesk_ExtendedAlready(objectionId);
        _requireInTime(objectionId, subject.decideDueAt);
        uint40 decideDueAt = _after(subject.decideDueAt, Objections.EXTENSION_DAYS);
        subject.isExtended = true;
        subject.decideDueAt = decideDueAt;
        if (subject.state != ObjectionState.ACCEPTED) subject.dueAt = decideDueAt;
        emit ObjectionExtended(_nextEventNo(), objectionId, actorId, decideDueAt, documentDigest);
    }

    /// @inheritdoc IObjectionDesk
    function escalate(bytes16 objectionId) external {
        Objection storage subject = _known(objectionId);
        bytes16 actorId = _actorUsingAny();
        ObjectionState state = subject.state;
        if (!Objections.isLive(state)) revert ObjectionDesk_IllegalStep(objectionId, state, state);
        uint64 nowSeconds = Clock.nowSeconds();
        uint64 dueAt = state == ObjectionState.ACCEPTED ? subject.decideDueAt : subject.dueAt;
        if (subject.suspendDueAt != 0 && subject.suspendDueAt < dueAt) dueAt = subject.suspendDueAt;
        if (nowSeconds <= dueAt) revert ObjectionDesk_NotLate(objectionId, dueAt, nowSeconds);
        subject.handlerId = 0;
        ++subject.escalationCount;
        if (Objections.isUndecided(state) && state != ObjectionState.OPENED) {
            subject.decideDueAt = _after(nowSeconds, Objections.DECIDE_DAYS);
        }
        if (state != ObjectionState.ACCEPTED) _startClock(subject);
        emit ObjectionEscalated(
            _nextEventNo(),
            objectionId,
            ++_escalationCount,
            actorId,
            subject.suspendDueAt,
            subject.dueAt,
            subject.decideDueAt
        );
    }

    /// @inheritdoc IObjectionDesk
    function decide(
        bytes16 objectionId,
        Outcome outcome,
        Fen refundFen,
        Share[] calldata shares,
        bytes32 documentDigest
    ) external {
        Objection storage subject = _known(objectionId);
        _requireStep(objectionId, subject, ObjectionState.DECIDED);
        _requireDocument(objectionId, documentDigest);
        bytes16 actorId = _handler(objectionId, subject);
        _requireInTime(objectionId, subject.decideDueAt);
        _requireOutcome(objectionId, subject, outcome);
        _requireShares(objectionId, subject, outcome, shares, actorId);
        _setTarget(objectionId, subject, outcome, refundFen);
        subject.state = ObjectionState.DECIDED;
        subject.outcome = outcome;
        _startClock(subject);
        emit ObjectionDecided(
            _nextEventNo(), objectionId, outcome, refundFen, shares, actorId, subject.dueAt, documentDigest
        );
        if (outcome == Outcome.WITHDRAW) {
            _setHolding(objectionId, subject, true, actorId, documentDigest);
            _end(subject.subjectKind, subject.subjectId, documentDigest);
        } else if (outcome == Outcome.RESUME || outcome == Outcome.DISMISS) {
            _setHolding(objectionId, subject, false, actorId, documentDigest);
        }
    }

    /// @inheritdoc IObjectionDesk
    function notify(bytes16 objectionId, ReliefRoute route, uint64 limitAt, bytes32 documentDigest) external {
        Objection storage subject = _known(objectionId);
        _requireStep(objectionId, subject, ObjectionState.NOTIFIED);
        _requireDocument(objectionId, documentDigest);
        bytes16 actorId = _handler(objectionId, subject);
        uint64 leastAt = Clock.nowSeconds() + 1;
        if (route == ReliefRoute.REVIEW) leastAt += REVIEW_SECONDS - 1;
        if (route == ReliefRoute.LITIGATION) leastAt += LITIGATION_SECONDS - 1;
        if (route == ReliefRoute.NONE || limitAt < leastAt) {
            revert ObjectionDesk_LimitTooShort(objectionId, limitAt, leastAt);
        }
        subject.state = ObjectionState.NOTIFIED;
        _startClock(subject);
        emit ReliefNoticed(_nextEventNo(), objectionId, route, limitAt, actorId, subject.dueAt, documentDigest);
    }

    /// @inheritdoc IObjectionDesk
    function objection(bytes16 objectionId) external view returns (Objection memory) {
        return _known(objectionId);
    }

    /// @inheritdoc IObjectionDesk
    function isHeld(SubjectKind kind, bytes16 subjectId) external view returns (bool) {
        return _holds[kind][subjectId].caseCount != 0;
    }

    /// @dev The organisation that takes a step, which must be its own to take.
    function _stepper(bytes16 objectionId, Objection storage subject, ObjectionState to)
        private
        returns (bytes16 actorId)
    {
        if (to == ObjectionState.RESPONDED) {
            actorId = _actorUsingAny();
            if (actorId != subject.respondentId) {
                revert ObjectionDesk_NotRespondent(objectionId, actorId, subject.respondentId);
            }
        } else if (to == ObjectionState.WITHDRAWN) {
            actorId = _actorUsingAny();
            if (actorId != subject.objectorId) {
                revert ObjectionDesk_NotObjector(objectionId, actorId, subject.objectorId);
            }
        } else {
            actorId = _handler(objectionId, subject);
        }
    }

    /// @dev Who handles the case. The first to act takes it, when it is no party: 平台不得自行裁决.
    function _handler(bytes16 objectionId, Objection storage subject) private returns (bytes16 actorId) {
        actorId = _actorWith(_isAuthoritys(subject) ? Role.REGISTRAR : Role.HANDLER, subject.cityCode);
        bytes16 handlerId = subject.handlerId;
        if (handlerId == actorId) return actorId;
        if (handlerId != 0) revert ObjectionDesk_NotHandler(objectionId, actorId, handlerId);
        SubjectKind kind = subject.subjectKind;
        (, bytes16 firstId, bytes16 secondId) = _parties(kind, subject.subjectId);
        bool isParty = actorId == subject.objectorId || actorId == subject.respondentId || actorId == firstId
            || actorId == secondId;
        // What is sold comes from providers whom the product names by digest only, so none may handle it.
        if (kind != SubjectKind.DATASET) {
            isParty = isParty || DIRECTORY.hasRole(actorId, Role.PROVIDER, subject.cityCode);
        }
        if (subject.isOfPlatform) isParty = isParty || _isPlatform(actorId);
        if (isParty) revert ObjectionDesk_HandlerIsParty(objectionId, actorId);
        subject.handlerId = actorId;
    }

    function _isAuthoritys(Objection storage subject) private view returns (bool) {
        return subject.isOfPlatform || subject.escalationCount != 0;
    }

    /// @return cityCode The city whose handlers and authority are competent.
    /// @return isOfPlatform Whether the authority decides, as the platform is at issue.
    function _route(Claim calldata claim) private view returns (uint32 cityCode, bool isOfPlatform) {
        bytes16 firstId;
        bytes16 secondId;
        (cityCode, firstId, secondId) = _parties(claim.subjectKind, claim.subjectId);
        bool isParty = claim.respondentId == firstId || claim.respondentId == secondId;
        bool isAtIssue = claim.ground == Ground.PLATFORM_FAULT;
        isOfPlatform = isAtIssue || (claim.ground == Ground.BILLING && !isParty);
        if (isAtIssue || !isParty) isParty = _isPlatform(claim.respondentId);
        if (!isParty) revert ObjectionDesk_RespondentNotParty(claim.objectionId, claim.respondentId);
    }

    /// @dev One open case a party, subject and ground; and one case ever a fact.
    function _requireNew(Claim calldata claim, bytes16 objectorId) private {
        bytes32 key = keccak256(abi.encode(objectorId, claim.subjectKind, claim.subjectId, claim.ground));
        bytes32 factKey = keccak256(abi.encode(key, claim.factDigest));
        bytes16 earlierId = _found[factKey];
        if (earlierId != 0) revert ObjectionDesk_FactExists(claim.objectionId, earlierId);
        bytes16 openId = _found[key];
        if (openId != 0 && Objections.isLive(_objections[openId].state)) {
            revert ObjectionDesk_CaseOpen(claim.objectionId, openId);
        }
        _found[key] = claim.objectionId;
        _found[factKey] = claim.objectionId;
    }

    function _known(bytes16 objectionId) private view returns (Objection storage subject) {
        subject = _objections[objectionId];
        if (subject.state == ObjectionState.NONE) revert ObjectionDesk_UnknownObjection(objectionId);
    }

    /// @dev A dismissal leaves nothing to execute; a response may be missing only after its time.
    function _requireStep(bytes16 objectionId, Objection storage subject, ObjectionState to) private view {
        ObjectionState from = subject.state;
        bool isDismissed = subject.outcome == Outcome.DISMISS;
        bool isLegal = Objections.isStep(from, to);
        if (from == ObjectionState.NOTIFIED) isLegal = isLegal && isDismissed == (to == ObjectionState.CLOSED);
        if (!isLegal) revert ObjectionDesk_IllegalStep(objectionId, from, to);
        if (from == ObjectionState.ACCEPTED && to == ObjectionState.VERIFIED) {
            uint64 nowSeconds = Clock.nowSeconds();
            if (nowSeconds <= subject.dueAt) revert ObjectionDesk_NotLate(objectionId, subject.dueAt, nowSeconds);
        }
    }

    function _requireInTime(bytes16 objectionId, uint64 dueAt) private view {
        uint64 nowSeconds = Clock.nowSeconds();
        if (nowSeconds > dueAt) revert ObjectionDesk_ClockExpired(objectionId, dueAt, nowSeconds);
    }

    function _requireDocument(bytes16 objectionId, bytes32 documentDigest) private pure {
        if (documentDigest == 0) revert ObjectionDesk_DocumentMissing(objectionId);
    }

    function _requireOutcome(bytes16 objectionId, Objection storage subject, Outcome outcome) private view {
        SubjectKind kind = subject.subjectKind;
        if (!Objections.fits(outcome, kind)) {
            revert ObjectionDesk_OutcomeNotForSubject(objectionId, outcome, kind);
        }
        bool isOfHold = outcome == Outcome.RESUME || outcome == Outcome.REOPEN;
        if (isOfHold && !subject.isHolding) revert ObjectionDesk_NotHolding(objectionId, outcome);
    }

    /// @dev Liability of a platform is for the authority to find, and for its own fault at least the floor.
    function _requireShares(
        bytes16 objectionId,
        Objection storage subject,
        Outcome outcome,
        Share[] calldata shares,
        bytes16 actorId
    ) private view {
        bool isDismissed = outcome == Outcome.DISMISS;
        if (shares.length > SHARES_MAX) revert ObjectionDesk_ShareOrder(objectionId, SHARES_MAX);
        uint256 sumPpm = 0;
        uint256 platformPpm = 0;
        bytes16 previousId = 0;
        for (uint256 i = 0; i < shares.length; ++i) {
            bytes16 organisationId = shares[i].organisationId;
            uint256 sharePpm = Ppm.unwrap(shares[i].sharePpm);
            if (organisationId <= previousId || sharePpm == 0) revert ObjectionDesk_ShareOrder(objectionId, i);
            if (organisationId == actorId) revert ObjectionDesk_HandlerIsParty(objectionId, actorId);
            if (_isPlatform(organisationId)) platformPpm += sharePpm;
            sumPpm += sharePpm;
            previousId = organisationId;
        }
        uint256 expectedPpm = isDismissed ? 0 : PPM_WHOLE;
        if (sumPpm != expectedPpm) revert ObjectionDesk_ShareSum(sumPpm, expectedPpm);
        if (platformPpm != 0 && !_isAuthoritys(subject)) revert ObjectionDesk_NotAuthority(objectionId, actorId);
        if (subject.isOfPlatform && !isDismissed && platformPpm < PLATFORM_LIABILITY_FLOOR_PPM) {
            revert ObjectionDesk_LiabilityBelowFloor(platformPpm, PLATFORM_LIABILITY_FLOOR_PPM);
        }
    }

    /// @dev Refunds of several cases on one invoice add up.
    function _setTarget(bytes16 objectionId, Objection storage subject, Outcome outcome, Fen refundFen) private {
        if (outcome != Outcome.REFUND) {
            if (Fen.unwrap(refundFen) != 0) revert ObjectionDesk_RefundTooLarge(objectionId, refundFen, Fen.wrap(0));
            return;
        }
        bytes16 invoiceId = subject.subjectId;
        Fen openFen = LEDGER.invoice(invoiceId).grossFen;
        uint256 leftPlusOne = _leftOf[invoiceId];
        // The cast is safe: what is left of an invoice fits its amount.
        if (leftPlusOne != 0 && leftPlusOne <= Fen.unwrap(openFen)) openFen = Fen.wrap(uint64(leftPlusOne - 1));
        if (Fen.unwrap(refundFen) == 0 || refundFen > openFen) {
            revert ObjectionDesk_RefundTooLarge(objectionId, refundFen, openFen);
        }
        Fen targetFen = openFen - refundFen;
        subject.targetFen = targetFen;
        _leftOf[invoiceId] = uint256(Fen.unwrap(targetFen)) + 1;
    }

    function _requireExecuted(bytes16 objectionId, Objection storage subject) private view {
        if (subject.outcome != Outcome.REFUND) return;
        Fen grossFen = LEDGER.invoice(subject.subjectId).grossFen;
        if (grossFen > subject.targetFen) {
            revert ObjectionDesk_NotExecuted(objectionId, grossFen, subject.targetFen);
        }
    }

    function _setHolding(
        bytes16 objectionId,
        Objection storage subject,
        bool isHolding,
        bytes16 actorId,
        bytes32 documentDigest
    ) private {
        if (subject.isHolding == isHolding) return;
        subject.isHolding = isHolding;
        subject.suspendDueAt = 0;
        emit ObjectionHoldSet(_nextEventNo(), objectionId, isHolding, actorId, documentDigest);
        if (isHolding) _hold(subject.subjectKind, subject.subjectId, documentDigest);
        else _lift(subject.subjectKind, subject.subjectId, documentDigest);
    }

    /// @dev Starts the clock of the state that a case has come to.
    function _startClock(Objection storage subject) private {
        uint64 nowSeconds = Clock.nowSeconds();
        ObjectionState state = subject.state;
        if (state == ObjectionState.OPENED) {
            subject.dueAt = _after(nowSeconds, Objections.ACCEPT_DAYS);
            bool isDue = Objections.isUrgent(subject.ground) && !subject.isHolding;
            subject.suspendDueAt = isDue ? _after(nowSeconds, Objections.SUSPEND_DAYS) : 0;
        } else if (state == ObjectionState.ACCEPTED) {
            subject.dueAt = _after(nowSeconds, Objections.RESPOND_DAYS);
            subject.decideDueAt = _after(nowSeconds, Objections.DECIDE_DAYS);
        } else if (state <= ObjectionState.VERIFIED) {
            subject.dueAt = subject.decideDueAt;
        } else if (state <= ObjectionState.EXECUTED) {
            bool isToExecute = state == ObjectionState.NOTIFIED;
            subject.dueAt = _after(nowSeconds, isToExecute ? Objections.EXECUTE_DAYS : Objections.NOTICE_DAYS);
        } else {
            subject.dueAt = 0;
        }
    }

    /// @dev The cast is safe for 34,000 years.
    function _after(uint64 fromSeconds, uint16 count) private view returns (uint40) {
        return uint40(DIRECTORY.workingDaysAfter(fromSeconds, count));
    }
}
