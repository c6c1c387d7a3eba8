"""Which of the files that a network wrote for a case is shown, and how pictures of it are named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..running.written_files import BRAIN_MASK, LESION_MASK, file_of


def shown_result(files: Sequence[Path]) -> Path | None:
    """Return the mask of lesions, else the first image; None without images."""
    return file_of(files, LESION_MASK) or next(iter(written_images(files)), None)


def written_images(files: Sequence[Path]) -> list[Path]:
    """Return the images among ``files``, without a mask of the brain."""
    return [file for file in files if file.name.endswith(".nii.gz") and not file.name.endswith(f"_{BRAIN_MASK}.nii.gz")]


def beside(result: Path, ending: str) -> Path:
    """Name a picture of ``result``: ``<stem>_<ending>`` beside it."""
    stem = result.name.removesuffix(f"_{LESION_MASK}.nii.gz").removesuffix(".nii.gz")
    if "_rec-" in stem:  # which tells it from those of other networks already
        stem = stem.rpartition("_")[0]
    return result.with_name(f"{stem}_{ending}")
