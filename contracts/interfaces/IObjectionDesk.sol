// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ground, ObjectionState, Outcome, ReliefRoute, SubjectKind} from "../libraries/Codes.sol";
import {Fen, Ppm} from "../libraries/Units.sol";

/// @title IObjectionDesk
/// @notice Objections (异议) from their opening to the execution of what was decided. A step and its
/// effect on the subject are one transaction. Statements and evidence stay off chain.
interface IObjectionDesk {
    /// @notice What an organisation objects to.
    struct Claim {
        /// @dev UUIDv7 chosen by the objector.
        bytes16 objectionId;
        /// @dev Id of the dataset, product or invoice; of a licence, its number.
        bytes16 subjectId;
        /// @dev Who shall answer: a party to the subject, or a platform.
        bytes16 respondentId;
        SubjectKind subjectKind;
        Ground ground;
        /// @dev Digest of the fact, the same for the same fact.
        bytes32 factDigest;
        /// @dev Salted digest of the statement.
        bytes32 statementDigest;
    }

    /// @dev Three storage slots, and a fourth for refunds.
    struct Objection {
        bytes16 objectorId;
        bytes16 respondentId;
        bytes16 subjectId;
        /// @dev The handler or authority that took the case; zero until one did.
        bytes16 handlerId;
        uint32 cityCode;
        SubjectKind subjectKind;
        Ground ground;
        ObjectionState state;
        Outcome outcome;
        /// @dev Whether the platform is at issue, so that the city's authority decides.
        bool isOfPlatform;
        /// @dev Whether the case keeps its subject out of service.
        bool isHolding;
        bool isExtended;
        uint8 escalationCount;
        /// @dev Unix seconds, inclusive; 0 where no suspension is due.
        uint40 suspendDueAt;
        /// @dev Unix seconds, inclusive; the end of the present step, 0 after the last.
        uint40 dueAt;
        /// @dev Unix seconds, inclusive; the end of the time to decide, from the acceptance on.
        uint40 decideDueAt;
        /// @dev What the invoice may amount to at most when a refund is executed.
        Fen targetFen;
    }

    /// @notice One organisation's part of the liability.
    struct Share {
        bytes16 organisationId;
        Ppm sharePpm;
    }

    event ObjectionOpened(
        uint64 eventNo,
        bytes16 indexed objectionId,
        bytes16 indexed objectorId,
        Claim claim,
        uint32 cityCode,
        bool isOfPlatform,
        uint64 suspendDueAt,
        uint64 dueAt,
        bytes32[] evidenceDigests
    );
    event ObjectionAdvanced(
        uint64 eventNo,
        bytes16 indexed objectionId,
        ObjectionState from,
        ObjectionState to,
        bytes16 actorId,
        uint64 dueAt,
        uint64 decideDueAt,
        bytes32 documentDigest
    );
    event ObjectionHoldSet(
        uint64 eventNo, bytes16 indexed objectionId, bool isHolding, bytes16 actorId, bytes32 documentDigest
    );
    event ObjectionExtended(
        uint64 eventNo, bytes16 indexed objectionId, bytes16 actorId, uint64 decideDueAt, bytes32 documentDigest
    );
    event ObjectionEscalated(
        uint64 eventNo,
        bytes16 indexed objectionId,
        uint64 escalationNo,
        bytes16 actorId,
        uint64 suspendDueAt,
        uint64 dueAt,
        uint64 decideDueAt
    );
    event ObjectionDecided(
        uint64 eventNo,
        bytes16 indexed objectionId,
        Outcome outcome,
        Fen refundFen,
        Share[] shares,
        bytes16 actorId,
        uint64 dueAt,
        bytes32 documentDigest
    );
    event ReliefNoticed(
        uint64 eventNo,
        bytes16 indexed objectionId,
        ReliefRoute route,
        uint64 limitAt,
        bytes16 actorId,
        uint64 dueAt,
        bytes32 documentDigest
    );

    /// @notice Thrown when no objection has this id.
    error ObjectionDesk_UnknownObjection(bytes16 objectionId);
    /// @notice Thrown when the objection id is already taken.
    error ObjectionDesk_ObjectionExists(bytes16 objectionId);
    /// @notice Thrown when the party has an open objection on the subject and ground; names it.
    error ObjectionDesk_CaseOpen(bytes16 objectionId, bytes16 openId);
    /// @notice Thrown when the party objected to the same fact before; names that objection.
    error ObjectionDesk_FactExists(bytes16 objectionId, bytes16 earlierId);
    /// @notice Thrown when a ground does not fit what the objection is about.
    error ObjectionDesk_GroundNotForSubject(bytes16 objectionId, Ground ground, SubjectKind kind);
    /// @notice Thrown when the respondent is neither a party to the subject nor a platform.
    error ObjectionDesk_RespondentNotParty(bytes16 objectionId, bytes16 respondentId);
    /// @notice Thrown when an organisation objects to itself.
    error ObjectionDesk_SelfObjection(bytes16 objectionId, bytes16 organisationId);
    /// @notice Thrown when no or too many digests of evidence are given.
    error ObjectionDesk_EvidenceCount(uint256 count, uint256 limit);
    /// @notice Thrown when a step names no document.
    error ObjectionDesk_DocumentMissing(bytes16 objectionId);
    /// @notice Thrown when a state cannot follow the present one.
    error ObjectionDesk_IllegalStep(bytes16 objectionId, ObjectionState from, ObjectionState to);
    /// @notice Thrown when a step comes after its time; the case may then be escalated.
    error ObjectionDesk_ClockExpired(bytes16 objectionId, uint64 dueAt, uint64 nowSeconds);
    /// @notice Thrown when a case is escalated whose clock still runs.
    error ObjectionDesk_NotLate(bytes16 objectionId, uint64 dueAt, uint64 nowSeconds);
    /// @notice Thrown when the time to decide was extended before.
    error ObjectionDesk_ExtendedAlready(bytes16 objectionId);
    /// @notice Thrown when a handler or authority is a party, or liable, in the case.
    error ObjectionDesk_HandlerIsParty(bytes16 objectionId, bytes16 organisationId);
    /// @notice Thrown when another handler took the case.
    error ObjectionDesk_NotHandler(bytes16 objectionId, bytes16 actorId, bytes16 handlerId);
    /// @notice Thrown when only the objector may do this.
    error ObjectionDesk_NotObjector(bytes16 objectionId, bytes16 actorId, bytes16 objectorId);
    /// @notice Thrown when only the respondent may do this.
    error ObjectionDesk_NotRespondent(bytes16 objectionId, bytes16 actorId, bytes16 respondentId);
    /// @notice Thrown when the case holds its subject already.
    error ObjectionDesk_HoldingAlready(bytes16 objectionId);
    /// @notice Thrown when an outcome lifts a suspension that there is not.
    error ObjectionDesk_NotHolding(bytes16 objectionId, Outcome outcome);
    /// @notice Thrown when an outcome does not fit what the objection is about.
    error ObjectionDesk_OutcomeNotForSubject(bytes16 objectionId, Outcome outcome, SubjectKind kind);
    /// @notice Thrown when shares of liability are too many, not ascending by organisation, or zero.
    error ObjectionDesk_ShareOrder(bytes16 objectionId, uint256 index);
    /// @notice Thrown when shares of liability do not sum to the whole, or to nothing for a dismissal.
    error ObjectionDesk_ShareSum(uint256 sumPpm, uint256 expectedPpm);
    /// @notice Thrown when the platform bears less than the floor for its own fault.
    error ObjectionDesk_LiabilityBelowFloor(uint256 gotPpm, uint256 floorPpm);
    /// @notice Thrown when a handler, and not the authority, puts liability on a platform.
    error ObjectionDesk_NotAuthority(bytes16 objectionId, bytes16 actorId);
    /// @notice Thrown when a refund is nothing, more than the bill, or not what was decided.
    error ObjectionDesk_RefundTooLarge(bytes16 objectionId, Fen got, Fen limitFen);
    /// @notice Thrown when a time limit for relief is shorter than the law gives.
    error ObjectionDesk_LimitTooShort(bytes16 objectionId, uint64 limitAt, uint64 expectedAt);
    /// @notice Thrown when what was decided is not executed: the bill is not reduced yet.
    error ObjectionDesk_NotExecuted(bytes16 objectionId, Fen got, Fen expected);
    /// @notice Thrown when somebody changes what the desk holds.
    error ObjectionDesk_SubjectHeld(SubjectKind kind, bytes16 subjectId);

    /// @notice Opens an objection; any active organisation. Emits {ObjectionOpened}.
    /// @dev Cases of the platform's fault, and of billing against it, go to the registrar of the
    /// subject's city, all others to a handler there.
    /// @param evidenceDigests Salted digests of the evidence, 1 to 16.
    function open(Claim calldata claim, bytes32[] calldata evidenceDigests) external;

    /// @notice Takes a case one step on. Emits {ObjectionAdvanced}.
    /// @dev The respondent responds, the objector withdraws, all else is the handler's. Acceptance
    /// suspends where masking or personal information is alleged. Verification without a response is
    /// possible after its time. Execution checks that a refund was made.
    /// @param documentDigest Salted digest of the step's document; for an execution, of the correction's.
    function advance(bytes16 objectionId, ObjectionState to, bytes32 documentDigest) external;

    /// @notice Puts the subject out of service until the case says otherwise; handler. Emits {ObjectionHoldSet}.
    function suspend(bytes16 objectionId, bytes32 documentDigest) external;

    /// @notice Gives the handler ten more working days, once. Emits {ObjectionExtended}.
    function extend(bytes16 objectionId, bytes32 documentDigest) external;

    /// @notice Hands a late case to the authority of its city and starts its clock anew; any active
    /// organisation. Emits {ObjectionEscalated}.
    function escalate(bytes16 objectionId) external;

    /// @notice Decides a verified case. Emits {ObjectionDecided}.
    /// @param refundFen What the invoice shall be reduced by; zero for other outcomes.
    /// @param shares Liability by ascending organisation, summing to 1,000,000; none for a dismissal.
    function decide(
        bytes16 objectionId,
        Outcome outcome,
        Fen refundFen,
        Share[] calldata shares,
        bytes32 documentDigest
    ) external;

    /// @notice Serves the relief notice (救济告知). Emits {ReliefNoticed}.
    /// @param limitAt Unix seconds until which the route is open: at least 60 days for a review, 181
    /// for litigation.
    function notify(bytes16 objectionId, ReliefRoute route, uint64 limitAt, bytes32 documentDigest) external;

    /// @notice One objection; reverts when unknown.
    function objection(bytes16 objectionId) external view returns (Objection memory);

    /// @return Whether a case keeps the subject out of service.
    function isHeld(SubjectKind kind, bytes16 subjectId) external view returns (bool);
}
