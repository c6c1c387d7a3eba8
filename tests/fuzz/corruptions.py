"""What can happen to a file on its way from the scanner, and what a command has to make of it."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

Random = np.random.Generator
Change = Callable[[Path, Random], None]


class Outcome(Enum):
    """How a command has to end."""

    SAME = "as without the change"
    REFUSED = "exit code 2 and one line"
    EITHER = "refused, or as without the change"
    TOLD = "refused, or with a warning"
    ANY = "refused, or with a result of its own: nobody can know"


@dataclass(frozen=True)
class Corruption:
    """A change of a file in its place, and how a command that is given the file has to end."""

    change: Change
    outcome: Outcome

    @property
    def name(self) -> str:
        return self.change.__name__


def rewritten(path: Path, **changes: Any) -> None:
    """Write the image at ``path`` again with another ``data``, ``affine``, ``dtype`` or ``kind``."""
    image = nib.load(path)
    data = changes.get("data", np.asarray(image.dataobj))
    dtype = changes.get("dtype", image.get_data_dtype() if data.dtype == image.get_data_dtype() else data.dtype)
    affine = changes.get("affine", image.affine)
    changed = changes.get("kind", nib.Nifti1Image)(data.astype(dtype), affine, dtype=dtype)
    image.uncache()
    nib.save(changed, path)


def values(path: Path) -> np.ndarray:
    return np.array(nib.load(path).dataobj)


# Any file.


def emptied(path: Path, random: Random) -> None:
    path.write_bytes(b"")


def replaced_by_text(path: Path, random: Random) -> None:
    path.write_text("This is no image.\n" * int(random.integers(1, 400)))


def truncated(path: Path, random: Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * random.uniform(0.01, 0.95))])


def truncated_at_its_end(path: Path, random: Random) -> None:
    path.write_bytes(path.read_bytes()[: -int(random.integers(1, 12))])


def with_flipped_bits(path: Path, random: Random) -> None:
    content = bytearray(path.read_bytes())
    start = int(random.integers(20, len(content) - 8))
    content[start : start + 4] = bytes(255 - byte for byte in content[start : start + 4])
    path.write_bytes(bytes(content))


def removed(path: Path, random: Random) -> None:
    path.unlink()


def replaced_by_a_folder(path: Path, random: Random) -> None:
    path.unlink()
    path.mkdir()


def replaced_by_noise(path: Path, random: Random) -> None:
    path.write_bytes(random.bytes(path.stat().st_size))


def behind_a_link(path: Path, random: Random) -> None:
    moved = Path(tempfile.mkdtemp()) / path.name
    shutil.move(path, moved)
    path.symlink_to(moved)


def beside_files_of_others(path: Path, random: Random) -> None:
    for name in (f"._{path.name}", ".DS_Store", "Thumbs.db", f"{path.name}.tmp", "notes.txt"):
        (path.parent / name).write_bytes(random.bytes(40))


def of_yesterday(path: Path, random: Random) -> None:
    os.utime(path, (0, 0))


FILES = (
    *(
        Corruption(change, Outcome.REFUSED)
        for change in (emptied, replaced_by_text, truncated, removed, replaced_by_a_folder, replaced_by_noise)
    ),
    *(Corruption(change, Outcome.EITHER) for change in (truncated_at_its_end, with_flipped_bits)),
    *(Corruption(change, Outcome.SAME) for change in (behind_a_link, beside_files_of_others, of_yesterday)),
)


# Images.


def with_nan(path: Path, random: Random) -> None:
    data = values(path).astype(np.float32)
    data[tuple(int(random.integers(size)) for size in data.shape)] = random.choice([np.nan, np.inf, -np.inf])
    rewritten(path, data=data)


def full_of_nan(path: Path, random: Random) -> None:
    rewritten(path, data=np.full_like(values(path), np.nan, dtype=np.float32))


def all_zero(path: Path, random: Random) -> None:
    rewritten(path, data=np.zeros_like(values(path)))


def complex_numbers(path: Path, random: Random) -> None:
    rewritten(path, data=values(path).astype(np.complex64) * 1j)


def in_color(path: Path, random: Random) -> None:
    data = values(path)
    colors = np.zeros(data.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    colors["R"] = 100 * (data > data.mean())
    nib.save(nib.Nifti1Image(colors, nib.load(path).affine), path)


def with_two_frames(path: Path, random: Random) -> None:
    data = values(path)
    rewritten(path, data=np.stack([data, data], -1))


def one_slice(path: Path, random: Random) -> None:
    rewritten(path, data=values(path)[:, :, :1])


def with_axes_swapped(path: Path, random: Random) -> None:
    rewritten(path, data=values(path).transpose(2, 0, 1))


def without_position(path: Path, random: Random) -> None:
    image = nib.load(path)
    header = image.header.copy()
    header["pixdim"][1:4] = 0
    header.set_sform(np.zeros((4, 4)), 1)
    header["qform_code"] = 0
    raw = header.binaryblock + b"\0\0\0\0" + np.asfortranarray(values(path)).tobytes(order="F")
    path.write_bytes(gzip.compress(raw))


def with_nan_affine(path: Path, random: Random) -> None:
    image = nib.load(path)
    header = image.header.copy()
    affine = image.affine.copy()
    affine[int(random.integers(3)), int(random.integers(4))] = np.nan
    header.set_sform(np.eye(4), 2)
    for row, name in zip(affine, ("srow_x", "srow_y", "srow_z"), strict=False):
        header[name] = row
    raw = header.binaryblock + b"\0\0\0\0" + np.asfortranarray(values(path)).tobytes(order="F")
    path.write_bytes(gzip.compress(raw))


def of_many_types(path: Path, random: Random) -> None:
    rewritten(path, dtype=random.choice(["int16", "int32", "float64", "uint16"]))


def big_endian(path: Path, random: Random) -> None:
    rewritten(path, dtype=values(path).dtype.newbyteorder(">"))


def as_nifti_two(path: Path, random: Random) -> None:
    rewritten(path, kind=nib.Nifti2Image)


def in_another_orientation(path: Path, random: Random) -> None:
    """Other order and directions of the axes, and a header that tells them."""
    image = nib.load(path)
    order = random.permutation(3)
    orientation = np.stack([order, random.choice([-1, 1], 3)], 1).astype(float)
    data, affine = nib.orientations.apply_orientation(values(path), orientation), image.affine
    affine = affine @ nib.orientations.inv_ornt_aff(orientation, image.shape)
    rewritten(path, data=np.ascontiguousarray(data), affine=affine)


def with_fractions(path: Path, random: Random) -> None:
    rewritten(path, data=values(path) * np.float32(0.7))


UNUSABLE = (full_of_nan, with_nan, complex_numbers, in_color, with_two_frames, without_position, with_nan_affine)

IMAGES = (
    *FILES,
    *(Corruption(change, Outcome.REFUSED) for change in UNUSABLE),
    *(Corruption(change, Outcome.TOLD) for change in (all_zero, one_slice)),
    *(Corruption(change, Outcome.SAME) for change in (of_many_types, big_endian, as_nifti_two, in_another_orientation)),
    Corruption(with_axes_swapped, Outcome.ANY),
)

LABELS = (
    *FILES,
    *(Corruption(change, Outcome.REFUSED) for change in (*UNUSABLE, with_fractions)),
    *(Corruption(change, Outcome.SAME) for change in (of_many_types, big_endian, as_nifti_two)),
)
"""Of masks and label maps."""


_UNSURE = (in_another_orientation, with_axes_swapped, all_zero, removed)
TRAINED = tuple(Corruption(damage.change, Outcome.ANY) if damage.change in _UNSURE else damage for damage in IMAGES)
"""Of images and labels of a training: these must fit together, labels may be empty, and cases without are left out."""

OF_SOME_CONTRASTS = tuple(
    Corruption(damage.change, Outcome.TOLD) if damage.change is removed else damage for damage in IMAGES
)
"""Of images of contrasts some of which a case may lack, which is told."""


# Configs and metadata.


def with_a_line_less(path: Path, random: Random) -> None:
    lines = path.read_text().splitlines(keepends=True)
    del lines[int(random.integers(len(lines)))]
    path.write_text("".join(lines))


def with_a_tab(path: Path, random: Random) -> None:
    lines = path.read_text().splitlines(keepends=True)
    lines.insert(int(random.integers(1, len(lines))), "\t: [\n")
    path.write_text("".join(lines))


TEXTS = (
    *(Corruption(change, Outcome.REFUSED) for change in (emptied, replaced_by_a_folder, replaced_by_noise, with_a_tab)),
    *(Corruption(change, Outcome.ANY) for change in (truncated, with_a_line_less, removed)),
    *(Corruption(change, Outcome.SAME) for change in (behind_a_link, beside_files_of_others, of_yesterday)),
)
