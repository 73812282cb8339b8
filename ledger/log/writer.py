"""The one writer of a log: numbers uses, makes them durable, signs checkpoints.

Rules kept here:
1. licence_seq and cumulative_units are assigned under one lock, in the order of the receipts.
2. A call returns after its receipts, their request records and keys are durable and committed.
   Callers that wait at the same time share one write: the first one leads, the others follow.
3. A call is all or nothing, of `append_batches` each batch; what is refused changes nothing.
4. A meter's number is taken once: what comes again under it adds nothing.
5. After a failed write nothing more is taken: what the disk holds is settled by opening again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from ledger.log.admission import LicenceTerms, RowRefusal
from ledger.log.books import Books
from ledger.log.bulk import Bulk, Imported, Progress, Refuse
from ledger.log.checkpoints import Clock, Integrator, machine_ms
from ledger.log.commits import CommitFile
from ledger.log.erasure import destroy
from ledger.log.errors import LogClosedError, LogLicenceError, LogWriteError
from ledger.log.identity import LogIdentity, open_identity
from ledger.log.layout import LogLayout, write_all
from ledger.log.lock import take_lock
from ledger.log.meter_files import Piece
from ledger.log.recovery import recover
from ledger.log.salts import LicenceKeys
from ledger.log.snapshot import Snapshots, snapshot_members
from ledger.log.staging import Batch, Stage
from ledger.log.use_files import store_lines
from ledger.log.values import Appended, Checkpoint, LicenceTally, MeterBatch, Taken, Use

_SYNCS = 16
"""Files that one write waits for at the same time."""


class LogWriter:
    """Writer of one log; safe to share between threads; close it, or use `with`."""

    def __init__(self, layout: LogLayout, origin: str, log_no: int, lock: int, now: Clock) -> None:
        """Recover the log whose lock is held; callers use `open`."""
        identity, signer = open_identity(layout, origin, log_no)
        self._layout = layout
        self._identity: LogIdentity = identity
        self._integrator = Integrator(layout, identity, signer, now)
        books = recover(layout, self._integrator)
        self._durable = books.size
        self._snapshots = Snapshots(layout, books.size)
        self._keys = LicenceKeys(layout)
        self._stage = Stage(log_no, books.size, books.tallies, books.meters, self._keys)
        self._commits = CommitFile(layout.commits, books.commits)
        self._receipts = os.open(layout.receipts, os.O_WRONLY | os.O_APPEND)
        self._lock = lock
        self._pool = ThreadPoolExecutor(_SYNCS, thread_name_prefix="log-sync")
        self._changed = threading.Condition()
        self._integrating = threading.Lock()
        self._leading = False
        self._closed = False
        self._failed: BaseException | None = None

    @classmethod
    def open(
        cls, folder: Path, *, origin: str, log_no: int, now_ms: Clock = machine_ms
    ) -> LogWriter:
        """Open a log for writing; make it, with its key, on first use.

        Args:
            folder: where its files are, see `ledger.log.layout`.
            origin: its name in checkpoints, such as `example.org/log/7`.
            log_no: its number on chain and in salts, uint32.
            now_ms: dates checkpoints.

        Raises:
            LogBusyError: when another writer has it.
            LogIdentityError: when the folder holds another log.
            LogCorruptError: when the receipts break a rule or are not those that were signed.
        """
        layout = LogLayout(Path(folder))
        for path in (layout.folder, layout.uses, layout.secrets):
            path.mkdir(parents=True, exist_ok=True, mode=0o755 if path == layout.folder else 0o700)
        lock = take_lock(layout.lock)
        try:
            return cls(layout, origin, log_no, lock, now_ms)
        except BaseException:
            os.close(lock)
            raise

    @property
    def origin(self) -> str:
        """The log's name in checkpoints."""
        return self._identity.origin

    @property
    def vkey(self) -> str:
        """Verifier key of the checkpoints."""
        return self._identity.vkey

    @property
    def size(self) -> int:
        """Committed receipts."""
        return self._durable

    def tally(self, licence_no: int) -> LicenceTally:
        """Return where a licence stands, every accepted append included."""
        with self._changed:
            return self._stage.tallies.get(licence_no)

    def append(self, uses: Sequence[Use]) -> list[Appended]:
        """Append uses, all or none; they are durable on return.

        Raises:
            LogClockError: when a time lies before the licence's last one.
            LogUnitsError: when a refusal bills units.
            ValueOutOfRangeError, MalformedValueError, NotCanonicalError: for a value that does
                not fit its field.
            LogWriteError: when the disk refuses; nothing is acknowledged.
            LogClosedError: when the writer was closed.
        """
        with self._changed:
            self._require_open()
            appended = self._stage.add(uses)
        if appended:
            self.await_durable(appended[-1].index + 1)
        return appended

    def append_decided(self, licence_no: int, decide: Callable[[LicenceTally], Use]) -> Appended:
        """Append the use that `decide` returns for the licence's tally; durable on return.

        Args:
            licence_no: the licence decided about.
            decide: runs under the log's lock, so no other append comes between the tally it sees
                and the receipt; it must be quick and must not call this writer.

        Raises:
            LogLicenceError: when the use is of another licence.
            Exception: what `decide` raises, nothing appended; and as `append`.
        """
        with self._changed:
            self._require_open()
            use = decide(self._stage.tallies.get(licence_no))
            if use.licence_no != licence_no:
                raise LogLicenceError(
                    f"decided about licence {licence_no}, got a use of {use.licence_no}",
                    field="licence_no",
                    got=use.licence_no,
                    expected=licence_no,
                )
            appended = self._stage.add([use])[0]
        self.await_durable(appended.index + 1)
        return appended

    def append_batches(
        self, batches: Sequence[MeterBatch], terms: LicenceTerms
    ) -> list[Taken | list[RowRefusal]]:
        """Append rows that meters sent; what was taken is durable on return.

        Args:
            batches: each enters whole or not at all, what its meter sent before passed over.
            terms: what the licences grant.

        Returns:
            For each batch where it lies, or why its rows were refused.

        Raises:
            LogMeterGapsError: when a meter's numbers leave more gaps than are kept.
            LogWriteError, LogClosedError: as `append`.
        """
        answers, end = self.stage_batches(batches, terms)
        self.await_durable(end)
        return answers

    def stage_batches(
        self, batches: Sequence[MeterBatch], terms: LicenceTerms
    ) -> tuple[list[Taken | list[RowRefusal]], int]:
        """Number batches; the answers hold once `await_durable` of the returned size returns."""
        with self._changed:
            self._require_open()
            return self._stage.add_batches(batches, terms), self._stage.size

    def append_pieces(
        self, pieces: Iterable[Piece], terms: LicenceTerms, refuse: Refuse, progress: Progress
    ) -> Imported:
        """Append a file's rows as one commit, and sign; durable on return, or nothing entered.

        Args:
            pieces: the rows, in order.
            terms: what the licences grant.
            refuse: told of refused rows, by their places in the file.
            progress: told how many rows were read.

        Raises:
            Exception: whatever goes wrong; open the log again.
        """
        self.checkpoint()
        with self._integrating, self._changed:
            self._settle()
            try:
                return self._append_pieces(pieces, terms, refuse, progress)
            except BaseException as error:
                self._failed = error
                raise

    def _append_pieces(
        self, pieces: Iterable[Piece], terms: LicenceTerms, refuse: Refuse, progress: Progress
    ) -> Imported:
        start, stage = self._durable, self._stage
        bulk = Bulk(self._layout.receipts, start, stage.tallies, stage.meters, terms)
        roots = bulk.run(pieces, refuse, progress)
        size = bulk.result.size
        if size == start:
            return bulk.result
        self._commits.append(size, bulk.ranges)
        self._durable = stage.size = size
        self._snapshots.keep(snapshot_members(self._books()), self._commits.end)
        self._integrator.integrate(size, known_roots=(start, roots))
        return bulk.result

    def checkpoint(self, time_ms: int | None = None) -> Checkpoint:
        """Integrate all committed receipts, sign, publish; the last one again when nothing is new.

        Args:
            time_ms: Unix milliseconds of signing; now by default, never before the last.

        Raises:
            LogClockError: when a given time lies before the last checkpoint's.
            LogClosedError: when the writer was closed.
        """
        with self._integrating:
            with self._changed:
                self._require_open()
            last, size = self._integrator.last, self._durable
            if last is not None and last.size == size:
                return last
            return self._integrator.integrate(size, time_ms)

    def erase(self, licence_no: int) -> None:
        """Destroy a licence's key and request records; receipts and proofs stay valid.

        Raises:
            LogClosedError: when the writer was closed.
        """
        with self._changed:
            self._settle()
            self._keys.forget(licence_no)
            destroy(self._layout, licence_no, self._stage.tallies.get(licence_no).licence_seq)

    def close(self) -> None:
        """Let the log go; waits for appends and checkpoints under way."""
        with self._integrating, self._changed:
            if self._closed:
                return
            self._closed = True
            while self._leading:
                self._changed.wait()
            if self._failed is None:
                self._lead(*self._take())
            self._pool.shutdown()
            self._commits.close()
            os.close(self._receipts)
            os.close(self._lock)

    def __enter__(self) -> LogWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _settle(self) -> None:
        """Write what waits; the caller holds the lock, and nothing waits any more."""
        self._require_open()
        while self._leading:
            self._changed.wait()
        self._lead(*self._take())
        self._require_open()

    def _require_open(self) -> None:
        if self._closed:
            raise LogClosedError("the writer was closed", field="writer")
        self._require_sound()

    def _require_sound(self) -> None:
        if self._failed is not None:
            raise LogWriteError(
                f"the log could not be written: {self._failed}",
                field="folder",
                got=str(self._failed),
                expected="a disk that takes writes; open the log again",
            ) from self._failed

    def await_durable(self, end: int) -> None:
        """Return when receipts below `end` are durable, leading a write when nobody does."""
        while True:
            with self._changed:
                while self._leading and self._durable < end:
                    self._changed.wait()
                if self._durable >= end:
                    return
                self._require_sound()
                self._leading = True
                taken = self._take()
            self._lead(*taken)

    def _take(self) -> tuple[Batch, dict[str, Any] | None]:
        """Return what waits and, when a new snapshot is due, where the books stand after it."""
        return self._stage.take(), self._snapshots.due(self._books())

    def _books(self) -> Books:
        """Return where the log stands, staged receipts included."""
        stage = self._stage
        return Books(stage.size, stage.tallies, stage.meters, self._commits.end)

    def _lead(self, batch: Batch, books: dict[str, Any] | None) -> None:
        failed: BaseException | None = None
        try:
            self._store(batch)
            if books is not None:
                self._snapshots.keep(books, self._commits.end)
        except OSError as error:
            failed = error
        except BaseException as error:
            failed = error
            raise
        finally:
            with self._changed:
                self._leading = False
                self._failed = failed
                if failed is None:
                    self._durable += batch.count
                self._changed.notify_all()

    def _store(self, batch: Batch) -> None:
        self._keys.store(batch.keys)
        if not batch.count:
            return
        store_lines(self._layout, batch.lines, self._pool)
        write_all(self._receipts, batch.receipts)
        os.fdatasync(self._receipts)
        self._commits.append(self._durable + batch.count, batch.meters)
