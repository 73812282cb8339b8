"""Log files against the chain: every flipped byte is found, and the index is named."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.codec.checkpoints import CheckpointBody, read_checkpoint
from ledger.codec.notes import NoteSigner
from ledger.codec.receipts import Receipt
from ledger.verification import Finding, verify
from tests.unit import verified_market as m

pytestmark = pytest.mark.unit

RECEIPTS = "receipts.bin"
FULL = "tile/0/000"
PARTIAL = "tile/0/001.p/46"
UPPER = "tile/1/000.p/1"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> m.VerifiedMarket:
    return m.VerifiedMarket(tmp_path_factory.mktemp("market"))


@pytest.fixture
def log(market: m.VerifiedMarket, tmp_path: Path) -> Path:
    shutil.copytree(market.logs, tmp_path / "logs")
    return tmp_path / "logs" / "1"


def flip(path: Path, offset: int, mask: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= mask
    path.write_bytes(data)


def findings(market: m.VerifiedMarket, log: Path) -> list[Finding]:
    return verify(market.events, logs=log.parent).findings


def places(found: list[Finding], code: str) -> list[str]:
    return [finding.where for finding in found if finding.code == f"verify.{code}"]


@pytest.mark.parametrize("byte", range(0, 96, 5))
@pytest.mark.parametrize("index", [0, 201, 255, 256, 301])
def test_receipts__any_byte_flipped__names_log_and_index(
    market: m.VerifiedMarket, log: Path, index: int, byte: int
) -> None:
    flip(log / RECEIPTS, index * 96 + byte, 0x80)
    found = findings(market, log)
    assert any(
        place.startswith(f"log 1 receipt {index} (") for place in places(found, "receipt_altered")
    )
    named = {place.split()[3] for place in places(found, "receipt_altered")}
    assert named == {str(index)}
    assert not places(found, "tile_altered")
    assert places(found, "checkpoint_root")
    assert len(places(found, "anchor_root")) == (2 if index < 200 else 1)


@pytest.mark.parametrize(("tile", "first"), [(FULL, 0), (PARTIAL, 256)])
@pytest.mark.parametrize("offset", [0, 31, 32, 45 * 32 + 31])
def test_tile__any_byte_flipped__names_log_and_index(
    market: m.VerifiedMarket, log: Path, tile: str, first: int, offset: int
) -> None:
    flip(log / tile, offset)
    found = findings(market, log)
    expected = [f"log 1 receipt {first + offset // 32} ({tile})"]
    assert [finding.where for finding in found] == expected
    assert found[0].code == "verify.tile_altered"


def test_tile__upper_level_flipped__names_tile_and_index(
    market: m.VerifiedMarket, log: Path
) -> None:
    flip(log / UPPER, 5)
    assert places(findings(market, log), "tile_node") == [f"log 1 {UPPER} index 0"]


def test_bundle__byte_flipped__names_log_and_index(market: m.VerifiedMarket, log: Path) -> None:
    bundle = "tile/entries/001.p/46"
    flip(log / bundle, 98 * 3 + 2 + 50)
    assert places(findings(market, log), "tile_altered") == [f"log 1 receipt 259 ({bundle})"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (RECEIPTS, "log_missing"),
        (FULL, "tile_missing"),
        ("tile/entries/000", "tile_missing"),
        ("checkpoint", "checkpoint_unreadable"),
        ("log.json", "log_identity"),
    ],
)
def test_file__missing__is_found(market: m.VerifiedMarket, log: Path, name: str, code: str) -> None:
    (log / name).unlink()
    assert places(findings(market, log), code)


@pytest.mark.parametrize("name", [RECEIPTS, FULL, PARTIAL, "checkpoint", "log.json"])
@pytest.mark.parametrize("data", [b"", b"\xff\x00\x80", b"{}" * 60])
def test_file__full_of_rubbish__is_found_not_raised(
    market: m.VerifiedMarket, log: Path, name: str, data: bytes
) -> None:
    (log / name).write_bytes(data)
    assert findings(market, log)


def test_receipts__cut_in_the_middle_of_one__names_it(market: m.VerifiedMarket, log: Path) -> None:
    data = (log / RECEIPTS).read_bytes()
    (log / RECEIPTS).write_bytes(data[:-10])
    found = findings(market, log)
    assert places(found, "receipts_length") == ["log 1 receipt 301"]
    assert places(found, "receipts_missing")


def test_receipts__appended_after_the_checkpoint__are_checked_by_their_numbers(
    market: m.VerifiedMarket, log: Path
) -> None:
    data = (log / RECEIPTS).read_bytes()
    (log / RECEIPTS).write_bytes(data + data[-96:])
    found = findings(market, log)
    assert places(found, "receipt_seq") == ["log 1 receipt 302"]
    assert places(found, "receipt_sum") == ["log 1 receipt 302"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": 77}, "receipt_status"),
        ({"mode": 0}, "receipt_mode"),
        ({"mode": 9}, "receipt_mode"),
        ({"purpose": 9}, "receipt_purpose"),
        ({"status": 1, "units": 1, "cumulative_units": 12_501}, "refusal_with_units"),
        ({"licence_seq": 303}, "receipt_seq"),
        ({"cumulative_units": 12_501}, "receipt_sum"),
        ({"used_at_ms": (m.START + 100) * 1000 - 1}, "receipt_clock"),
        ({"licence_no": 9, "licence_seq": 1, "cumulative_units": 0}, "licence_unknown"),
        ({"mode": 1}, "mode_not_granted"),
        ({"purpose": 2}, "purpose_not_granted"),
        ({"used_at_ms": (m.START + 10**7) * 1000}, "use_outside_validity"),
    ],
)
def test_receipts__one_that_breaks_a_rule__is_found(
    market: m.VerifiedMarket, log: Path, change: dict[str, int], code: str
) -> None:
    data = (log / RECEIPTS).read_bytes()
    last = Receipt.decode(data[-96:])
    sound = replace(last, licence_seq=last.licence_seq + 1, units=0)
    (log / RECEIPTS).write_bytes(data + sound.encode())
    assert findings(market, log) == []
    (log / RECEIPTS).write_bytes(data + replace(sound, **change).encode())
    assert places(findings(market, log), code) == ["log 1 receipt 302"]


def test_receipts__of_another_format__are_found(market: m.VerifiedMarket, log: Path) -> None:
    flip(log / RECEIPTS, 7 * 96, 2)
    assert places(findings(market, log), "receipt_malformed") == ["log 1 receipt 7"]


def test_tile__too_long__is_found(market: m.VerifiedMarket, log: Path) -> None:
    (log / FULL).write_bytes((log / FULL).read_bytes() + b"x")
    assert places(findings(market, log), "tile_length") == [f"log 1 {FULL}"]


@pytest.mark.parametrize(
    ("extra", "code"), [(b"\x00", "bundle_malformed"), (b"\x00\x00", "bundle_count")]
)
def test_bundle__with_more_than_its_entries__is_found(
    market: m.VerifiedMarket, log: Path, extra: bytes, code: str
) -> None:
    bundle = log / "tile/entries/001.p/46"
    bundle.write_bytes(bundle.read_bytes() + extra)
    assert places(findings(market, log), code) == ["log 1 tile/entries/001.p/46"]


def test_tile__that_no_log_of_this_size_has__is_found(market: m.VerifiedMarket, log: Path) -> None:
    (log / "tile/0/002").write_bytes(bytes(32))
    assert places(findings(market, log), "tile_unexpected") == ["log 1 tile/0/002"]


def test_tile__older_partial_one__must_be_a_beginning(market: m.VerifiedMarket, log: Path) -> None:
    whole = (log / PARTIAL).read_bytes()
    older = log / "tile/0/001.p/7"
    older.write_bytes(whole[: 7 * 32])
    assert findings(market, log) == []
    flip(older, 3)
    assert places(findings(market, log), "tile_older") == ["log 1 tile/0/001.p/7"]


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
