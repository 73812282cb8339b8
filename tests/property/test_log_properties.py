"""The log against a list: whatever is appended, refused, reopened, signed, cut or erased."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.codec.merkle import leaf_hash
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.log.errors import LogClockError, LogCorruptError, LogErasedError, LogUnitsError
from ledger.log.proofs import check_proof, make_proof
from ledger.log.reader import LogReader
from ledger.log.receipt_file import ReceiptFile
from ledger.log.tallies import read_tallies
from ledger.log.values import LicenceTally, Use
from ledger.log.writer import LogWriter
from tests.golden import reference_tree
from tests.unit.log_story import fill, open_log, use

pytestmark = pytest.mark.property

LICENCES = st.integers(1, 3)
STEPS = st.tuples(LICENCES, st.integers(0, 5), st.integers(0, 2**60), st.booleans())
"""licence, milliseconds since its last use, units, delivered or refused."""


class LogMachine(RuleBasedStateMachine):
    """Model: the list of uses in order, and how far each licence is erased."""

    writer: LogWriter

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.writer = open_log(self.folder)
        self.uses: list[Use] = []
        self.signed: list[tuple[int, bytes]] = [(0, hashlib.sha256().digest())]
        self.erased: dict[int, int] = {}

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.writer.close()
            shutil.rmtree(self.folder)

    def of(self, licence_no: int) -> list[Use]:
        return [item for item in self.uses if item.licence_no == licence_no]

    def made(self, steps: list[tuple[int, int, int, bool]]) -> list[Use]:
        made: list[Use] = []
        for licence_no, later, units, delivered in steps:
            past = [*self.of(licence_no), *(one for one in made if one.licence_no == licence_no)]
            moment = (past[-1].used_at_ms if past else 0) + later
            room = max(0, 2**62 - sum(item.units for item in past))
            made.append(
                use(
                    licence_no,
                    moment,
                    status=0 if delivered else 1,
                    units=min(units, room) if delivered else 0,
                    request={"n": len(self.uses) + len(made)},
                )
            )
        return made

    @rule(steps=st.lists(STEPS, max_size=5))
    def append(self, steps: list[tuple[int, int, int, bool]]) -> None:
        uses = self.made(steps)
        appended = self.writer.append(uses)
        assert [item.index for item in appended] == [
            len(self.uses) + offset for offset in range(len(uses))
        ]
        self.uses += uses

    @rule(step=STEPS)
    def decide(self, step: tuple[int, int, int, bool]) -> None:
        [one] = self.made([step])
        seen: list[LicenceTally] = []
        self.writer.append_decided(one.licence_no, lambda tally: seen.append(tally) or one)  # type: ignore[func-returns-value]
        assert seen == [self.tally(one.licence_no)]
        self.uses.append(one)

    @rule(licence_no=LICENCES, steps=st.lists(STEPS, max_size=2))
    def refuse(self, licence_no: int, steps: list[tuple[int, int, int, bool]]) -> None:
        last = self.tally(licence_no).last_used_at_ms
        good = self.made(steps)
        with pytest.raises(LogUnitsError):
            self.writer.append([*good, use(licence_no, last + 100, status=1, units=1)])
        if last:
            with pytest.raises(LogClockError):
                self.writer.append([*good, use(licence_no, last - 1)])

    @rule(torn=st.binary(max_size=RECEIPT_BYTES - 1))
    def reopen(self, torn: bytes) -> None:
        self.writer.close()
        with (self.folder / "receipts.bin").open("ab") as stream:
            stream.write(torn)
        self.writer = open_log(self.folder)

    @rule()
    def sign(self) -> None:
        made = self.writer.checkpoint()
        assert made.size == len(self.uses)
        self.signed.append((made.size, made.root))

    @rule(licence_no=LICENCES)
    def erase(self, licence_no: int) -> None:
        self.writer.erase(licence_no)
        self.erased[licence_no] = len(self.of(licence_no))

    @rule(data=st.data())
    def prove(self, data: st.DataObject) -> None:
        size = self.signed[-1][0]
        if size:
            proven = data.draw(st.integers(1, size))
            reader = LogReader(self.folder)
            proof = make_proof(reader, data.draw(st.integers(0, proven - 1)), proven)
            assert check_proof(proof, reader.vkey()) == []

    def tally(self, licence_no: int) -> LicenceTally:
        past = self.of(licence_no)
        total = sum(item.units for item in past)
        return LicenceTally(len(past), total, past[-1].used_at_ms if past else 0)

    @invariant()
    def same_as_the_model(self) -> None:
        if not hasattr(self, "folder"):
            return
        reader = LogReader(self.folder)
        found = list(reader.receipts())
        assert [index for index, _ in found] == list(range(len(self.uses)))
        seqs: dict[int, int] = {}
        for (index, receipt), one in zip(found, self.uses, strict=True):
            seqs[one.licence_no] = seqs.get(one.licence_no, 0) + 1
            got = (receipt.licence_no, receipt.used_at_ms, receipt.units, receipt.status)
            assert got == (one.licence_no, one.used_at_ms, one.units, one.status)
            assert receipt.licence_seq == seqs[one.licence_no]
            self.opens(reader, index, receipt.licence_seq, one)
        assert all(self.writer.tally(no) == self.tally(no) for no in (1, 2, 3))
        assert reader.tallies() == {no: self.tally(no) for no in (1, 2, 3) if self.of(no)}

    def opens(self, reader: LogReader, index: int, seq: int, one: Use) -> None:
        if seq > self.erased.get(one.licence_no, 0):
            assert reader.opening(index)["request"] == one.request
        else:
            with pytest.raises(LogErasedError):
                reader.opening(index)

    @invariant()
    def signed_roots_stay(self) -> None:
        if not hasattr(self, "folder"):
            return
        entries = (self.folder / "receipts.bin").read_bytes()
        leaves = [leaf_hash(entries[at : at + 96]) for at in range(0, len(entries), 96)]
        for size, root in self.signed:
            assert reference_tree.mth(leaves[:size]) == root


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(
    max_examples=25,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound")
    fill(path, 40, sign=False)
    return path / "receipts.bin"


NUMBERED = {"licence_no": (8, 8), "licence_seq": (16, 8), "cumulative_units": (48, 8)}


@given(
    index=st.integers(0, 39),
    field=st.sampled_from(sorted(NUMBERED)),
    value=st.integers(0, 2**64 - 1),
)
@settings(max_examples=60, deadline=None)
def test_tallies__any_changed_number__found(
    sound: Path, index: int, field: str, value: int
) -> None:
    data = bytearray(sound.read_bytes())
    offset, width = NUMBERED[field]
    at = index * RECEIPT_BYTES + offset
    if int.from_bytes(data[at : at + width], "big") == value:
        return
    data[at : at + width] = value.to_bytes(width, "big")
    with tempfile.NamedTemporaryFile() as stream:
        stream.write(data)
        stream.flush()
        check: Callable[[], object] = lambda: read_tallies(ReceiptFile(Path(stream.name)), 40)  # noqa: E731
        if field == "licence_no" and moves_the_last_to_a_new_licence(data, index, value):
            check()
        else:
            with pytest.raises(LogCorruptError):
                check()


def moves_the_last_to_a_new_licence(data: bytearray, index: int, value: int) -> bool:
    """The only renaming that stays sound: a licence's single receipt, to an unused number."""
    numbers = [int.from_bytes(data[at + 8 : at + 16], "big") for at in range(0, len(data), 96)]
    original = 1 + index % 3
    return original not in numbers and numbers.count(value) == 1
