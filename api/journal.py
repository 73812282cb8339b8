"""Structured logs: one JSON object a line on standard error, secrets masked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_NAMES = ("api_key", "x-api-key", "password", "authorization", "signature", "private_key")
_SECRET_TEXT = re.compile(r"mdl_[A-Za-z0-9_-]{8,}")
_MASK = "***"


def configure(level: int = logging.INFO) -> None:
    """Write structured logs as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_secrets,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def configure_once() -> None:
    """Write structured logs as JSON lines, unless the program around decided otherwise."""
    if not structlog.is_configured():
        configure()


def mask_secrets(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Return a log line without the values that nobody may read in a log."""
    for name, value in event.items():
        if name.lower() in _SECRET_NAMES:
            event[name] = _MASK
        elif isinstance(value, str):
            event[name] = _SECRET_TEXT.sub(_MASK, value)
    return event
