"""What all tables share: one MetaData, and constraint names that every database agrees on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, String

from ledger.projection.types import Digest, Id, Uint64

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_of(name: str, *args: Any, **options: Any) -> Column[Any]:
    """A column with an id (UUID as text)."""
    return Column(name, Id, *args, nullable=options.pop("nullable", False), **options)


def digest_of(name: str, **options: Any) -> Column[Any]:
    """A column with a digest of 32 bytes."""
    return Column(name, Digest, nullable=options.pop("nullable", False), **options)


def code_of(name: str, **options: Any) -> Column[Any]:
    """A column with a number of a code list, or another small integer."""
    return Column(name, Integer, nullable=options.pop("nullable", False), **options)


def integer(name: str, **options: Any) -> Column[Any]:
    """A column with an integer that is known to stay below 2^63."""
    return Column(name, BigInteger, nullable=options.pop("nullable", False), **options)


def uint64(name: str, **options: Any) -> Column[Any]:
    """A column with an integer up to 2^64 - 1."""
    return Column(name, Uint64, nullable=options.pop("nullable", False), **options)


def text_of(name: str, size: int, **options: Any) -> Column[Any]:
    """A column with a short text."""
    return Column(name, String(size), nullable=options.pop("nullable", False), **options)
