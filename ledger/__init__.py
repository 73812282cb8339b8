"""Metro Data Ledger (都市圈数据账本): provenance, provable use and exact sharing of income."""

__version__ = "0.1.0"
