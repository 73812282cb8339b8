"""Log files against the chain: every flipped bit is found, and log, index and licence are named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.codec import kernel
from ledger.codec.checkpoints import CheckpointBody, read_checkpoint
from ledger.codec.notes import NoteSigner
from ledger.codec.receipts import Receipt
from ledger.verification import Finding, VerificationReport, audit
from ledger.verification.findings import Findings
from ledger.verification.records import RecordFile
from tests.unit import verified_market as m
from tests.unit.written_log import Members, sealed

pytestmark = pytest.mark.unit

RECEIPTS = "receipts.bin"
SMALL_FILES = (
    "checkpoint",
    "columns/000004194304.parquet",
    "columns/SHA256SUMS",
    "commits",
    "key",
    "log.json",
    "secrets/1.key",
    "secrets/2.erased",
    "snapshot",
    "tree/1",
)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> m.VerifiedMarket:
    made = m.VerifiedMarket(tmp_path_factory.mktemp("market"))
    made.log.erase(2)
    return made


@pytest.fixture
def log(market: m.VerifiedMarket, tmp_path: Path) -> Path:
    shutil.copytree(market.logs, tmp_path / "logs")
    return tmp_path / "logs" / "1"


def flip(path: Path, offset: int, mask: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= mask
    path.write_bytes(data)


def report(market: m.VerifiedMarket, log: Path) -> VerificationReport:
    return audit(market.events, logs=log.parent)


def findings(market: m.VerifiedMarket, log: Path) -> list[Finding]:
    return report(market, log).findings


def places(found: list[Finding], code: str) -> list[str]:
    return [finding.where for finding in found if finding.code == f"verify.{code}"]


def unseen_flips(market: m.VerifiedMarket, log: Path, path: Path, bits: int) -> list[int]:
    """Return the bytes of a file at which one of the bits, in turn, can be flipped unseen."""
    sound, unseen = path.read_bytes(), []
    for offset in range(len(sound)):
        flip(path, offset, 1 << (offset % bits))
        if not any(item.where.startswith("log 1") for item in findings(market, log)):
            unseen.append(offset)
        path.write_bytes(sound)
    return unseen


def test_log__sound__nothing_found_and_summed_up(market: m.VerifiedMarket, log: Path) -> None:
    found = report(market, log)
    assert found.findings == []
    (figures,) = found.logs
    plain = figures.as_dict()
    assert plain.pop("took_ms") >= 0
    assert plain.pop("root") == "0x" + market.log.checkpoint(0).root.hex()
    sums = {"receipts": 301, "units": 12_500, "records": 12_500, "refusals": 1, "erased": 0}
    free = {"receipts": 1, "units": 7, "records": 7, "refusals": 0, "erased": 1}
    assert plain.pop("licences") == [{"licence_no": 1} | sums, {"licence_no": 2} | free]
    assert plain == {
        "log_no": 1,
        "receipts": 302,
        "units": 12_507,
        "records": 12_507,
        "refusals": 1,
        "opened": 301,
        "erased": 1,
        "anchors": 2,
        "first_bad": None,
    }


@pytest.mark.parametrize("name", SMALL_FILES)
def test_file__any_byte_with_a_flipped_bit__is_found(
    market: m.VerifiedMarket, log: Path, name: str
) -> None:
    assert unseen_flips(market, log, log / name, 8) == []


@pytest.mark.parametrize("line", [0, 255, 300])
def test_use__any_byte_with_a_flipped_bit__is_found(
    market: m.VerifiedMarket, log: Path, line: int
) -> None:
    path = log / "uses/1.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    first = len(b"".join(lines[:line]))
    sound, unseen = path.read_bytes(), []
    for offset in range(first, first + len(lines[line])):
        flip(path, offset, 1 << (offset % 8))
        if not findings(market, log):
            unseen.append(offset)
        path.write_bytes(sound)
    assert unseen == []


@pytest.mark.parametrize("byte", range(96))
@pytest.mark.parametrize("index", [7, 280])
def test_receipt__any_byte_with_a_flipped_bit__names_log_index_and_licence(
    market: m.VerifiedMarket, log: Path, index: int, byte: int
) -> None:
    flip(log / RECEIPTS, index * 96 + byte, 1 << (byte % 8))
    found = report(market, log)
    against = "tree/1" if index < 256 else "size 302"
    altered = places(found.findings, "receipt_altered")
    assert altered == [f"log 1 receipt {index} licence 1 ({against})"]
    assert found.logs[0].first_bad is not None
    first = found.logs[0].first_bad
    assert (first.index, first.licence_no) == (index, 1)
    assert not places(found.findings, "tree_altered")
    assert places(found.findings, "checkpoint_root")
    assert len(places(found.findings, "anchor_root")) == (2 if index < 200 else 1)


def test_receipt__flipped__finding_holds_what_was_signed(
    market: m.VerifiedMarket, log: Path
) -> None:
    sound = (log / RECEIPTS).read_bytes()[96 * 201 : 96 * 202]
    flip(log / RECEIPTS, 201 * 96 + 8 + 7, 3)
    (found,) = [item for item in findings(market, log) if item.code == "verify.receipt_altered"]
    assert found.where == "log 1 receipt 201 licence 2 (tree/1)"
    assert found.expected == sound
    assert found.got != sound


def test_receipts__two_of_a_run_altered__run_and_rule_name_them(
    market: m.VerifiedMarket, log: Path
) -> None:
    flip(log / RECEIPTS, 3 * 96 + 44)
    flip(log / RECEIPTS, 9 * 96 + 70)
    found = report(market, log)
    assert places(found.findings, "receipts_altered") == ["log 1 receipts 0 … 255 (tree/1)"]
    assert places(found.findings, "use_altered") == ["log 1 receipt 9 licence 1 (record or key)"]
    assert found.logs[0].first_bad is not None
    assert found.logs[0].first_bad.index == 3


def test_tree__hash_altered__names_row_and_place(market: m.VerifiedMarket, log: Path) -> None:
    flip(log / "tree/1", 31)
    found = findings(market, log)
    assert [item.where for item in found] == ["log 1 tree/1 hash 0"]
    assert found[0].code == "verify.tree_altered"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (RECEIPTS, "log_missing"),
        ("tree/1", "tree_missing"),
        ("commits", "commits_missing"),
        ("checkpoint", "checkpoint_unreadable"),
        ("log.json", "log_identity"),
        ("columns/000000000000.parquet", "columns_missing"),
        ("secrets/1.key", "key_missing"),
    ],
)
def test_file__missing__is_found(market: m.VerifiedMarket, log: Path, name: str, code: str) -> None:
    (log / name).unlink()
    assert places(findings(market, log), code)


@pytest.mark.parametrize("name", ["key", "snapshot", "uses", "secrets", "columns"])
def test_file__that_an_auditors_copy_lacks__is_not_missed(
    market: m.VerifiedMarket, log: Path, name: str
) -> None:
    path = log / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert findings(market, log) == []


@pytest.mark.parametrize("name", [RECEIPTS, "uses/1.jsonl", *SMALL_FILES])
@pytest.mark.parametrize("data", [b"", b"\xff\x00\x80", b"{}" * 60, b"[" * 100_000])
def test_file__full_of_rubbish__is_found_not_raised(
    market: m.VerifiedMarket, log: Path, name: str, data: bytes
) -> None:
    (log / name).write_bytes(data)
    found = findings(market, log)
    assert found or (name, data) == ("uses/1.jsonl", b"")


@pytest.mark.parametrize(
    "name", ["tile/0/000", "columns/000000000001.csv", "uses/01.jsonl", "tree/9", "core"]
)
def test_folder__with_a_file_that_no_log_has__names_it(
    market: m.VerifiedMarket, log: Path, name: str
) -> None:
    (log / name).parent.mkdir(parents=True, exist_ok=True)
    (log / name).write_bytes(b"x")
    assert places(findings(market, log), "file_unknown") == [f"log 1 {name}"]


def test_receipts__cut_in_the_middle_of_one__names_it(market: m.VerifiedMarket, log: Path) -> None:
    data = (log / RECEIPTS).read_bytes()
    (log / RECEIPTS).write_bytes(data[:-10])
    found = findings(market, log)
    assert places(found, "receipts_length") == ["log 1 receipt 301"]
    assert len(places(found, "receipts_missing")) == 3


def test_receipts__beyond_the_last_commit__are_found(market: m.VerifiedMarket, log: Path) -> None:
    data = (log / RECEIPTS).read_bytes()
    (log / RECEIPTS).write_bytes(data + data[-96:])
    found = findings(market, log)
    assert [item.code for item in found] == ["verify.receipts_uncommitted"]
    assert (found[0].got, found[0].expected) == (303, 302)


def with_one_more(market: m.VerifiedMarket, log: Path, **changes: int) -> None:
    """Commit one more receipt of licence 1 by hand, a foreign one with no record here."""
    data = market.log.receipts[-1]
    last = Receipt.decode(data)
    sound = replace(last, licence_seq=last.licence_seq + 1, units=0, commitment=bytes(32))
    (log / RECEIPTS).write_bytes(
        b"".join([*market.log.receipts, replace(sound, **changes).encode()])
    )
    line = sealed({"meters": [[1, 303, 304]], "size": 303}, market.log.commits_sum)
    (log / "commits").write_bytes(market.log.commits + line)


CHANGES = [
    ({"status": 77}, "receipt_status"),
    ({"mode": 0}, "receipt_mode"),
    ({"mode": 9}, "receipt_mode"),
    ({"purpose": 9}, "receipt_purpose"),
    ({"status": 1, "purpose": 9}, "receipt_purpose"),
    ({"status": 1, "units": 1, "cumulative_units": 12_501}, "refusal_with_units"),
    ({"licence_seq": 303}, "receipt_seq"),
    ({"cumulative_units": 12_501}, "receipt_sum"),
    ({"used_at_ms": (m.START + 100) * 1000 - 1}, "receipt_clock"),
    ({"licence_no": 9, "licence_seq": 1, "cumulative_units": 0}, "licence_unknown"),
    ({"mode": 1}, "mode_not_granted"),
    ({"purpose": 2}, "purpose_not_granted"),
    ({"used_at_ms": (m.START + 10**7) * 1000}, "use_outside_validity"),
]


@pytest.mark.parametrize(("change", "code"), CHANGES)
def test_receipts__one_that_breaks_a_rule__is_found(
    market: m.VerifiedMarket, log: Path, change: dict[str, int], code: str
) -> None:
    with_one_more(market, log)
    assert findings(market, log) == []
    with_one_more(market, log, **change)
    licence_no = change.get("licence_no", 1)
    assert places(findings(market, log), code) == [f"log 1 receipt 302 licence {licence_no}"]


@pytest.mark.parametrize("change", [change for change, _ in CHANGES])
def test_receipts__without_the_kernel__same_findings_and_figures(
    market: m.VerifiedMarket,
    log: Path,
    change: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_one_more(market, log, **change)
    flip(log / RECEIPTS, 17 * 96 + 46)
    native = report(market, log)
    monkeypatch.setattr(kernel, "load", lambda: None)
    plain = report(market, log)
    assert plain.findings == native.findings
    assert plain.checked == native.checked
    assert plain.logs[0].licences == native.logs[0].licences
    assert plain.logs[0].first_bad == native.logs[0].first_bad


def test_receipts__of_another_format__are_found(market: m.VerifiedMarket, log: Path) -> None:
    flip(log / RECEIPTS, 7 * 96, 2)
    assert places(findings(market, log), "receipt_malformed") == ["log 1 receipt 7 licence 1"]


def test_receipts__thousands_of_bad_ones__are_counted_behind_the_first(
    market: m.VerifiedMarket, log: Path
) -> None:
    (log / RECEIPTS).write_bytes(bytes(96 * 1_100))
    (log / "commits").unlink()
    found = findings(market, log)
    assert len(places(found, "receipt_malformed")) == 1_000
    assert [item.got for item in found if item.code == "verify.receipts_more"] == [100]


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_tree__too_short_or_too_long__is_found(
    market: m.VerifiedMarket, log: Path, length: int
) -> None:
    (log / "tree/1").write_bytes(((log / "tree/1").read_bytes() * 2)[:length])
    assert places(findings(market, log), "tree_length") == ["log 1 tree/1"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"meters": [[1, 302, 303]], "size": 303}, "meter_number_twice"),
        ({"meters": [[2, 1, 2]], "size": 303}, "meter_numbers"),
        ({"meters": [[1, 303, 305]], "size": 303}, "commit_count"),
        ({"meters": [], "size": 303}, "commit_count"),
        ({"meters": [[1, 304, 303]], "size": 303}, "commit_altered"),
        ({"meters": [[1, 303]], "size": 303}, "commit_altered"),
        ({"meters": [[1, 303, 304]], "size": 303, "more": 1}, "commit_altered"),
        ({"meters": [[1, 303, 304]], "size": 301}, "commit_altered"),
        ({"meters": [[1, 303, 304]], "size": True}, "commit_altered"),
        ({"meters": [[1, 303, 305]], "size": 304}, "receipts_missing"),
    ],
)
def test_commits__that_cannot_be__are_found(
    market: m.VerifiedMarket, log: Path, line: Members, code: str
) -> None:
    with_one_more(market, log)
    (log / "commits").write_bytes(market.log.commits + sealed(line, market.log.commits_sum))
    assert places(findings(market, log), code)


def change_snapshot(log: Path, change: Callable[[Members], object]) -> None:
    members = json.loads((log / "snapshot").read_bytes())
    del members["sum"]
    change(members)
    (log / "snapshot").write_bytes(sealed(members))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda told: told["licences"][0].__setitem__(1, 200), "snapshot_licence"),
        (lambda told: told["licences"].pop(), "snapshot_licence"),
        (lambda told: told["meters"][0][1].append([400, 401]), "snapshot_meter"),
        (lambda told: told.__setitem__("size", 200), "snapshot_commit"),
        (lambda told: told.__setitem__("size", 400), "snapshot_size"),
        (lambda told: told.__setitem__("commits_sum", "0" * 16), "snapshot_commit"),
        (lambda told: told.__setitem__("commits_bytes", 5), "snapshot_commit"),
        (lambda told: told.__setitem__("more", 5), "snapshot_altered"),
        (lambda told: told.pop("meters"), "snapshot_altered"),
    ],
)
def test_snapshot__sealed_but_wrong__is_found(
    market: m.VerifiedMarket, log: Path, change: Callable[[Members], object], code: str
) -> None:
    change_snapshot(log, change)
    assert places(findings(market, log), code)


def test_use__beyond_the_receipts__is_found(market: m.VerifiedMarket, log: Path) -> None:
    path = log / "uses/1.jsonl"
    last = path.read_bytes().splitlines(keepends=True)[-1]
    path.write_bytes(path.read_bytes() + last.replace(b'"licence_seq":301', b'"licence_seq":302'))
    assert places(findings(market, log), "use_without_receipt") == ["log 1 uses/1.jsonl line 302"]


def test_use__with_names_beyond_the_basic_plane__is_canonical(
    tmp_path: Path,
) -> None:
    # In UTF-16 order the second name comes first, in the order of code points the other.
    names = '{"\U00010000":1,"\uffff":2}'
    line = f'{{"licence_seq":1,"request":{names},"response_digest":"0x{"0" * 64}"}}\n'
    (tmp_path / "1.jsonl").write_text(line)
    found = Findings()
    record = RecordFile(tmp_path / "1.jsonl", "file", found).next()
    assert record is not None
    assert record.request == names.encode()
    assert found.items == []


@pytest.mark.parametrize(
    "request_text",
    ['{"a":1.0}', '{"a":9007199254740992}', '{"b":1,"a":2}', '{"a": 1}', '{"a":NaN}'],
)
def test_use__not_canonical__is_found(
    market: m.VerifiedMarket, log: Path, request_text: str
) -> None:
    path = log / "uses/1.jsonl"
    path.write_bytes(path.read_bytes().replace(b'{"page":9}', request_text.encode()))
    assert places(findings(market, log), "use_malformed") == ["log 1 uses/1.jsonl line 9"]


def test_erasure__record_that_was_kept__is_found(market: m.VerifiedMarket, log: Path) -> None:
    line = (log / "uses/1.jsonl").read_bytes().splitlines(keepends=True)[0]
    (log / "uses/2.jsonl").write_bytes(line)
    found = findings(market, log)
    assert places(found, "erased_use_kept") == ["log 1 receipt 201 licence 2"]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"through_seq": 2}, "erasure_ahead"), ({"licence_no": 1}, "erasure_licence")],
)
def test_erasure__sealed_but_wrong__is_found(
    market: m.VerifiedMarket, log: Path, change: dict[str, int], code: str
) -> None:
    trace = {"erased_at_ms": 5_000, "licence_no": 2, "through_seq": 1} | change
    (log / "secrets/2.erased").write_bytes(sealed(trace))
    assert places(findings(market, log), code)


def test_key__of_another_log__is_found(market: m.VerifiedMarket, log: Path) -> None:
    (log / "key").write_text(NoteSigner.generate(m.ORIGIN).skey + "\n")
    assert places(findings(market, log), "log_key") == ["log 1 key"]


def test_identity__not_canonical__is_found(market: m.VerifiedMarket, log: Path) -> None:
    data = (log / "log.json").read_bytes()
    (log / "log.json").write_bytes(data.replace(b",", b", ", 1))
    assert places(findings(market, log), "log_identity") == ["log 1"]


def test_checkpoint__signed_by_another_key__is_found(market: m.VerifiedMarket, log: Path) -> None:
    body = read_checkpoint((log / "checkpoint").read_text())
    (log / "checkpoint").write_text(body.sign(NoteSigner.generate(m.ORIGIN)))
    assert places(findings(market, log), "checkpoint_signature") == ["log 1 checkpoint"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"root": bytes(32)}, "checkpoint_root"),
        ({"size": 301}, "checkpoint_behind"),
        ({"size": 303}, "receipts_missing"),
        ({"origin": "example.org/log/2"}, "checkpoint_origin"),
        ({"extensions": ("log_no 2",)}, "checkpoint_log_no"),
    ],
)
def test_checkpoint__says_something_else__is_found(
    market: m.VerifiedMarket, log: Path, change: dict[str, object], code: str
) -> None:
    body = read_checkpoint((log / "checkpoint").read_text())
    values = {name: getattr(body, name) for name in CheckpointBody.__dataclass_fields__}
    signer = NoteSigner.parse((log / "key").read_text().strip())
    (log / "checkpoint").write_text(CheckpointBody(**(values | change)).sign(signer))
    assert places(findings(market, log), code)


def test_folder__of_a_log_that_nobody_opened__is_found(market: m.VerifiedMarket, log: Path) -> None:
    shutil.copytree(log, log.parent / "2")
    assert places(findings(market, log), "log_unknown") == ["folder 2"]


def test_audit__of_one_log__leaves_the_others(market: m.VerifiedMarket, log: Path) -> None:
    shutil.copytree(log, log.parent / "2")
    assert audit(market.events, logs=log.parent, log_no=1).findings == []
    found = audit(market.events, logs=log.parent, log_no=2).findings
    assert places(found, "log_unknown") == ["log 2"]
