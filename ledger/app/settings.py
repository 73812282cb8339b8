"""Settings of a deployment, read from the environment with the prefix `MDL_`.

Nothing else in the product reads the environment.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where a market lives and how it is reached."""

    model_config = SettingsConfigDict(env_prefix="MDL_", extra="ignore")

    home: Path = Field(Path(".mdl"), description="Folder of everything that is kept on disk.")
    rpc_url: str = Field(
        "", description="JSON-RPC endpoints, comma separated; empty for a local chain of its own."
    )
    chain_id: int = Field(31337, description="The chain id that every endpoint must report.")
    database_url: str = Field("", description="SQLAlchemy URL; SQLite under the home when empty.")
    key_password: SecretStr | None = Field(None, description="Password of the keystore files.")
    host: str = Field("127.0.0.1", description="Address on which the service listens.")
    port: int = Field(8350, description="Port on which the service listens.")
    confirmations: int = Field(0, description="Blocks behind the head that are not yet read.")
    checkpoint_seconds: float = Field(
        1.0, description="How often a log is signed while it is written."
    )
    hashing: str = Field(
        "auto", description="What hashes the logs: sha-ni, portable, hashlib; all give the same."
    )
    anchor_receipts: int = Field(
        1_000_000, description="New receipts after which `mdl log keep` anchors a log."
    )
    anchor_seconds: int = Field(
        600, description="Age of the last anchor after which new receipts are anchored."
    )
    keystore_scrypt_n: int = Field(
        262_144, description="Work factor of new keystore files; less only for demonstrations."
    )

    @property
    def rpc_urls(self) -> list[str]:
        """The endpoints; empty means the market's own local node."""
        return [url.strip() for url in self.rpc_url.split(",") if url.strip()]

    @property
    def resolved_database_url(self) -> str:
        """The database's URL; SQLite in the home when none is set."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'ledger.sqlite'}"
