"""Datasets: evidence, versions, registration, classes, quality."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command
from ledger.app.fields import (
    DigestField,
    Id,
    Part,
    Text,
    Uint64Field,
    fresh_id,
)
from ledger.app.market import Market
from ledger.codec.documents import Document
from ledger.domain.catalogue import require_record
from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS
from ledger.domain.codes import (
    DeliveryMode,
    ModeSet,
    OpenClass,
    Sensitivity,
    UpdateFrequency,
    parse_code,
)
from ledger.domain.duties import grade_of
from ledger.domain.ids import ZERO_DIGEST, digest_text

ScoreField = Annotated[int, Field(ge=0, le=100)]
Record = Annotated[dict[str, Any], Field(description="Catalogue record, see the field table.")]


class VersionFacts(Part):
    """What was measured on the file, where it is held."""

    sha256_digest: DigestField
    sm3_digest: DigestField
    schema_digest: DigestField
    row_count: Uint64Field
    byte_size: Uint64Field


class RegisterDataset(CommandRequest):
    """A dataset with its first version."""

    dataset_id: Id = Field(default_factory=fresh_id)
    metadata: Record
    version: VersionFacts
    parents: list[DigestField] = Field(default_factory=list, max_length=16)


class AddVersion(CommandRequest):
    """A later version of one's own dataset."""

    dataset_id: Id
    version: VersionFacts
    parents: list[DigestField] = Field(default_factory=list, max_length=16)


class ClassifyDataset(CommandRequest):
    """A change of class."""

    dataset_id: Id
    open_class: Text
    sensitivity: Text
    reason: Text


class Scores(Part):
    """Six scores of 0 to 100 (规范性, 完整性, 准确性, 一致性, 时效性, 可访问性)."""

    normativity: ScoreField
    completeness: ScoreField
    accuracy: ScoreField
    consistency: ScoreField
    timeliness: ScoreField
    accessibility: ScoreField


class InspectDataset(CommandRequest):
    """A quality inspection: six scores, from which the grade follows."""

    dataset_id: Id
    scores: Scores
    report: Text


class RecordMasking(CommandRequest):
    """What was done to make the latest version of one's dataset from its source (脱敏)."""

    dataset_id: Id
    version_no: Annotated[int, Field(ge=1, le=2**32 - 1)]
    source_sha256_digest: DigestField
    method: Text
    tool: Text
    reviewer_role: Text
    residual_risk: Text


class SuspendDataset(CommandRequest):
    """Suspends (true) or restores (false) a dataset."""

    dataset_id: Id
    is_suspended: bool
    reason: Text


def _digest_of(record: dict[str, Any], key: str, documents: list[Document]) -> bytes:
    text = record.get(key)
    if not text:
        return ZERO_DIGEST
    document = Document.new({"type": key, "text": text})
    documents.append(document)
    return document.digest


def _parents(request: RegisterDataset | AddVersion) -> list[bytes]:
    return list(request.parents)


@command("register-dataset", RegisterDataset, "Deposit the evidence of a dataset", "数据存证")
def register_dataset(market: Market, actor_id: UUID | None, request: RegisterDataset) -> Command:
    """Plan the evidence deposit; the catalogue record is validated with all findings."""
    record = require_record(request.metadata)
    metadata = Document.new(
        {"type": "dataset", "dataset_id": str(request.dataset_id), "metadata": record}
    )
    documents = [metadata]
    modes = [parse_code(DeliveryMode, mode, "delivery_modes") for mode in record["delivery_modes"]]
    registration = {
        "dataset_id": request.dataset_id,
        "open_class": int(parse_code(OpenClass, record["open_class"], "open_class")),
        "sensitivity": int(parse_code(Sensitivity, record["sensitivity"], "sensitivity")),
        "contains_personal_information": record["contains_pi"],
        "is_shared_in": record["shared_in"],
        "delivery_modes": int(ModeSet.of(modes)),
        "update_frequency": int(
            parse_code(UpdateFrequency, record["update_frequency"], "update_frequency")
        ),
        "metadata_digest": metadata.digest,
        "masking_report_digest": _digest_of(record, "masking_report", documents),
        "source_consent_digest": _digest_of(record, "source_consent", documents),
    }
    return Command(
        "datasets",
        "register",
        (registration, request.version.model_dump(mode="python"), _parents(request)),
        tuple(documents),
        {"dataset_id": str(request.dataset_id), "version_no": 1},
    )


@command("add-version", AddVersion, "Add a version to a dataset", "新增版本")
def add_version(market: Market, actor_id: UUID | None, request: AddVersion) -> Command:
    """Plan another version."""
    return Command(
        "datasets",
        "addVersion",
        (request.dataset_id, request.version.model_dump(mode="python"), _parents(request)),
        result={"dataset_id": str(request.dataset_id)},
    )


@command("classify-dataset", ClassifyDataset, "Change class and sensitivity", "分类分级")
def classify_dataset(market: Market, actor_id: UUID | None, request: ClassifyDataset) -> Command:
    """Plan a change of class."""
    decision = decision_document("classification", request.dataset_id, request.reason)
    return Command(
        "datasets",
        "classify",
        (
            request.dataset_id,
            int(parse_code(OpenClass, request.open_class, "open_class")),
            int(parse_code(Sensitivity, request.sensitivity, "sensitivity")),
            decision.digest,
        ),
        (decision,),
    )


@command("inspect-dataset", InspectDataset, "Record a quality inspection", "质量检查")
def inspect_dataset(market: Market, actor_id: UUID | None, request: InspectDataset) -> Command:
    """Plan the record of an inspection; the contract works the grade out anew."""
    scores = request.scores.model_dump()
    report = Document.new(
        {
            "type": "inspection",
            "dataset_id": str(request.dataset_id),
            "scores": scores,
            "report": request.report,
        }
    )
    values = [scores[name] for name in QUALITY_DIMENSIONS]
    return Command(
        "datasets",
        "inspect",
        (request.dataset_id, bytes(values), report.digest),
        (report,),
        {"dataset_id": str(request.dataset_id), "grade": grade_of(values).name},
    )


@command("record-masking", RecordMasking, "Record a masked version", "登记脱敏版本")
def record_masking(market: Market, actor_id: UUID | None, request: RecordMasking) -> Command:
    """Plan the record of a masked version; its report stays off chain."""
    report = Document.new(
        {
            "type": "masking_report",
            "dataset_id": str(request.dataset_id),
            "version_no": request.version_no,
            "source_sha256_digest": digest_text(request.source_sha256_digest),
            "method": request.method,
            "tool": request.tool,
            "reviewer_role": request.reviewer_role,
            "residual_risk": request.residual_risk,
        }
    )
    place = (request.dataset_id, request.version_no, request.source_sha256_digest)
    return Command("datasets", "recordMasking", (*place, report.digest), (report,))


@command("suspend-dataset", SuspendDataset, "Suspend or restore a dataset", "中止数据资源")
def suspend_dataset(market: Market, actor_id: UUID | None, request: SuspendDataset) -> Command:
    """Plan a suspension."""
    decision = decision_document("suspension", request.dataset_id, request.reason)
    return Command(
        "datasets",
        "setSuspended",
        (request.dataset_id, request.is_suspended, decision.digest),
        (decision,),
    )


def decision_document(kind: str, subject: object, reason: str) -> Document:
    """Return the document of a decision; its text stays off chain."""
    return Document.new({"type": f"{kind}_decision", "subject": str(subject), "reason": reason})
