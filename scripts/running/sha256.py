"""Fingerprints of files."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256(file: Path) -> str:
    """Return the SHA-256 of ``file`` in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
