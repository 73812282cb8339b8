"""The intake of one log: meters' batches that come together become durable together.

Rules kept here:
1. One thread numbers what comes, another waits for the disk: while one commit is written, the next
   one is numbered.
2. A batch is answered once it is durable, or refused whole; no other batch suffers from it.
3. When the disk refuses, what waited is told so, and the log is opened again before the next write.
4. Terms of licences are read again, and the log is signed, by another thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from ledger.app.errors import (
    IntakeFullError,
    IntakeStoppedError,
    TooManyUsesError,
    UsesRefusedError,
)
from ledger.app.licence_terms import TermsSource
from ledger.app.market import Market
from ledger.domain.errors import LedgerError
from ledger.log.admission import LicenceTerms, RowRefusal
from ledger.log.errors import LogMeterGapsError, LogWriteError
from ledger.log.meter_bodies import Sent, batches_of, sent_json, sent_receipts
from ledger.log.values import MeterBatch, Taken
from ledger.log.writer import LogWriter
from ledger.projection import queries

ROWS_MAX = 10_000
"""Rows of a batch."""
WAITING_BYTES_MAX = 64 << 20
"""Bodies that are read or wait to be written."""
TERMS_SECONDS = 1.0
_COMMIT_ROWS = 1 << 16
_SHOWN_ROWS = 100
_LOG = logging.getLogger(__name__)

Found = Taken | list[RowRefusal] | BaseException
"""What became of a batch."""
Answer = tuple[Found, int]
"""The same, and the log's size after it."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    sent: Sent
    future: asyncio.Future[Answer]


@dataclass(frozen=True, slots=True)
class _Staged:
    """Numbered batches on their way to the disk."""

    waiting: Sequence[_Waiting]
    answers: Sequence[Found]
    writer: LogWriter | None
    """None when nothing of it goes to the disk."""
    end: int
    """Size of the log that is awaited."""


class MeterIntake:
    """Takes in what meters send to one log; `start` and `stop` it in the loop that awaits."""

    def __init__(
        self,
        log_no: int,
        open_log: Callable[[], LogWriter],
        read_terms: Callable[[], LicenceTerms],
        checkpoint_seconds: float,
    ) -> None:
        """Remember how the log is opened and how terms are read; nothing is done yet."""
        self.log_no = log_no
        self._open_log = open_log
        self._read_terms = read_terms
        self._checkpoint_seconds = checkpoint_seconds
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._staged: SimpleQueue[_Staged | None] = SimpleQueue()
        self._waiting_bytes = 0
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._writer: LogWriter | None = None
        self._failed: LogWriter | None = None
        """The writer that failed last; its log is opened again before the next batch."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._terms: LicenceTerms

    @classmethod
    def of(cls, market: Market, log_no: int) -> MeterIntake:
        """Return the intake of a market's log.

        Raises:
            NotFoundError: the log was not opened on chain.
        """
        with market.read() as connection:
            queries.log(connection, log_no)
        source = TermsSource(market, log_no)

        def read_terms() -> LicenceTerms:
            try:
                market.indexer.catch_up()
            except LedgerError as error:
                if not error.retryable:
                    raise
                _LOG.warning("the intake of log %d does not hear the chain: %s", log_no, error)
            return source.read()

        def open_log() -> LogWriter:
            return LogWriter.open(
                market.log_folder(log_no), origin=market.origin(log_no), log_no=log_no
            )

        return cls(log_no, open_log, read_terms, market.settings.checkpoint_seconds)

    @property
    def is_sound(self) -> bool:
        """Whether the log is open; where not, the next batch tries to open it."""
        return self._writer is not None and not self._stop.is_set()

    def start(self) -> None:
        """Open the log, sign it, and begin.

        Raises:
            LogBusyError: another process writes to the log.
            LedgerError: the log or the terms cannot be read.
        """
        self._loop = asyncio.get_running_loop()
        self._terms = self._read_terms()
        self._writer = self._open_log()
        self._writer.checkpoint()
        for work in (self._number_all, self._write_all, self._keep_up):
            self._threads.append(threading.Thread(target=work, name=work.__name__, daemon=True))
            self._threads[-1].start()

    def stop(self) -> None:
        """Write what waits, sign, and let the log go."""
        self._stop.set()
        self._queue.put(None)
        for thread in self._threads:
            thread.join()
        if self._writer is not None:
            try:
                self._writer.checkpoint()
            finally:
                self._writer.close()
                self._writer = None

    def hold(self, size_bytes: int) -> None:
        """Count bytes of a body that came in.

        Raises:
            IntakeFullError: too much waits already.
        """
        if self._waiting_bytes + size_bytes > WAITING_BYTES_MAX:
            raise IntakeFullError(
                "too much waits to be written",
                field="body",
                got=self._waiting_bytes + size_bytes,
                expected=f"at most {WAITING_BYTES_MAX} bytes",
            )
        self._waiting_bytes += size_bytes

    def release(self, size_bytes: int) -> None:
        """Count bytes of a body that was answered."""
        self._waiting_bytes -= size_bytes

    async def take_receipts(self, meter_no: int, first_seq: int, body: bytes) -> dict[str, int]:
        """Take receipts without numbers; see `take`."""
        return await self.take(sent_receipts(meter_no, first_seq, body))

    async def take_json(self, meter_no: int, body: bytes) -> dict[str, int]:
        """Take uses as JSON; see `take`."""
        return await self.take(sent_json(meter_no, body))

    async def take(self, sent: Sent) -> dict[str, int]:
        """Return where a batch lies once it is durable.

        Raises:
            TooManyUsesError: it has more rows than are taken at a time.
            UsesRefusedError: rows of it are refused; nothing of it entered.
            LogMeterGapsError: its numbers leave more gaps than are kept.
            LogWriteError, IntakeStoppedError: it is not known to be durable; send it again.
        """
        if sent.count > ROWS_MAX:
            raise TooManyUsesError(
                "too many rows at a time", field="body", got=sent.count, expected=ROWS_MAX
            )
        if self._stop.is_set() or self._loop is None:
            raise IntakeStoppedError("the service is being stopped")
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._queue.put(_Waiting(sent, future))
        found, size = await future
        if isinstance(found, Taken):
            return {
                "log_no": self.log_no,
                "first_index": found.first_index,
                "count": found.count,
                "repeated": found.repeated,
                "size": size,
            }
        if isinstance(found, BaseException):
            raise found
        raise UsesRefusedError([item.as_dict() for item in found[:_SHOWN_ROWS]], len(found))

    def _number_all(self) -> None:
        """Number what comes until told to stop."""
        is_open = True
        while is_open:
            waiting: list[_Waiting] = []
            count = 0
            item = self._queue.get()
            while item is not None:
                waiting.append(item)
                count += item.sent.count
                if count >= _COMMIT_ROWS:
                    break
                try:
                    item = self._queue.get_nowait()
                except Empty:
                    break
            is_open = item is not None
            for staged in self._numbered(waiting):
                self._staged.put(staged)
        self._staged.put(None)
        self._refuse_rest()

    def _write_all(self) -> None:
        """Answer what was numbered once it is durable."""
        while (staged := self._staged.get()) is not None:
            answers, size = staged.answers, 0
            if staged.writer is not None:
                try:
                    staged.writer.await_durable(staged.end)
                    size = staged.writer.size
                except LedgerError as error:
                    self._failed = staged.writer
                    answers = [error if isinstance(item, Taken) else item for item in answers]
            self._answer(staged.waiting, [(item, size) for item in answers])

    def _refuse_rest(self) -> None:
        """Tell those that came after the end."""
        error = IntakeStoppedError("the service is being stopped")
        while not self._queue.empty():
            item = self._queue.get()
            if item is not None:
                self._answer([item], [(error, 0)])

    def _answer(self, waiting: Sequence[_Waiting], answers: Sequence[Answer]) -> None:
        if waiting and self._loop is not None:
            futures = [entry.future for entry in waiting]
            self._loop.call_soon_threadsafe(_resolve, futures, answers)

    def _numbered(self, waiting: Sequence[_Waiting]) -> list[_Staged]:
        """Return bodies that came together, numbered or refused."""
        if not waiting:
            return []
        try:
            return [self._stage(waiting)]
        except LogMeterGapsError as error:
            # Numbers of one meter must not hold up the others.
            if len(waiting) == 1:
                return [_refused(waiting, error)]
            return [staged for item in waiting for staged in self._numbered([item])]
        except OSError as error:
            self._let_go()
            failed = LogWriteError(
                f"the log cannot be opened: {error}",
                field="folder",
                got=str(error),
                expected="a disk that takes writes",
            )
            return [_refused(waiting, failed)]
        except Exception as error:  # noqa: BLE001
            _LOG.exception("the intake of log %d cannot write", self.log_no)
            self._let_go()
            return [_refused(waiting, error)]

    def _stage(self, waiting: Sequence[_Waiting]) -> _Staged:
        if self._writer is not None and self._writer is self._failed:
            self._let_go()
        if self._writer is None:
            self._writer = self._open_log()
        read = batches_of([entry.sent for entry in waiting])
        batches = [item for item in read if isinstance(item, MeterBatch)]
        staged, end = self._writer.stage_batches(batches, self._terms)
        found = iter(staged)
        answers = [next(found) if isinstance(item, MeterBatch) else item for item in read]
        return _Staged(waiting, answers, self._writer, end)

    def _let_go(self) -> None:
        """Close a log that failed; what the disk holds is settled by opening again."""
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except (LedgerError, OSError):
                _LOG.exception("log %d did not close", self.log_no)

    def _keep_up(self) -> None:
        """Read terms again and sign until told to stop; a fault is told and tried again."""
        pause = min(TERMS_SECONDS, self._checkpoint_seconds)
        sign_at, read_at = self._checkpoint_seconds, TERMS_SECONDS
        began = time.monotonic()
        while not self._stop.wait(pause):
            now = time.monotonic() - began
            if now >= read_at:
                read_at = now + TERMS_SECONDS
                self._try(self._refresh)
            if now >= sign_at:
                sign_at = now + self._checkpoint_seconds
                self._try(self._sign)

    def _try(self, work: Callable[[], Any]) -> None:
        try:
            work()
        except LedgerError as error:
            _LOG.warning("the intake of log %d waits: %s", self.log_no, error)
        except Exception:  # noqa: BLE001
            _LOG.exception("the intake of log %d waits", self.log_no)

    def _refresh(self) -> None:
        self._terms = self._read_terms()

    def _sign(self) -> None:
        writer = self._writer
        if writer is not None:
            writer.checkpoint()


def _refused(waiting: Sequence[_Waiting], error: BaseException) -> _Staged:
    return _Staged(waiting, [error] * len(waiting), None, 0)


def _resolve(futures: Sequence[asyncio.Future[Answer]], answers: Sequence[Answer]) -> None:
    for future, answer in zip(futures, answers, strict=True):
        if not future.done():
            future.set_result(answer)
