"""Pairs of fastMRI knees as a BIDS folder of magnitude images, with a datalist that keeps their k-space."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.transforms import CenterSpatialCrop
from numpy.typing import NDArray
from torch import Tensor

from ...datasets.bids import write_description
from ...datasets.fastmri import paired_slices, read_pairs
from ...datasets.input_error import InputError
from ...datasets.kspace import Kspace
from ...datasets.kspace_pixels import with_reconstructed_pixels
from ...datasets.kspace_readers import read_kspace
from ...datasets.volumes import write_volume
from ...datasets.writing import Progress, reporting
from ...operators import zero_filled_image
from ...transforms.load_guided_kspace import is_complete

logger = logging.getLogger(__name__)

SCALE = 1e6  # fastMRI images are far below 1
GUIDE, TARGET = "acq-pd_PDw", "acq-pdfs_PDw"
DATALIST = Path("sourcedata") / "kspace.json"


def prepare_fastmri(
    source: Path | str, output: Path | str, pairs: Path | str, progress: Progress | None = None
) -> list[str]:
    """Write ``sub-<target>`` with ``acq-pd_PDw``, the guide, and ``acq-pdfs_PDw``, the target, of the same grid.

    Magnitudes of the root sum of squares of all coils, cropped to the reconstructed matrix, times 1e6. Voxel sizes come
    from the header, 1 mm where there is none; slices lie along the third axis, and directions are unknown. Slices are
    paired by number, as nothing else tells.

    Phase and coils stay where they are: the datalist ``sourcedata/kspace.json`` has, for each target that was sampled
    completely, its file of k-space in the place of its image, which training and evaluation undersample. A target with
    more slices than its guide is not in it, with a warning.

    Args:
        source: folder with fully sampled files.
        output: folder of the new dataset.
        pairs: list of pairs, see :func:`~.fastmri.read_pairs`.
        progress: told the number of pairs done, and of all.

    Returns:
        Names of the subjects, sorted.

    Raises:
        InputError: as in reading; or if a file is undersampled, or a target comes twice.
    """
    files, output = read_pairs(pairs, source), Path(output)
    names = [f"sub-{''.join(filter(str.isalnum, target.stem))}" for _, target in files]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError.at(pairs, f"{', '.join(twice)} comes twice as target", "keep one line for each")
    entries = []
    for name, (guide_file, target_file) in reporting(list(zip(names, files, strict=True)), progress):
        measured = _full(target_file)
        both = paired_slices(_full(guide_file), measured, target_file)
        for contrast, kspace in zip((GUIDE, TARGET), both, strict=True):
            write_volume(output / _image_file(name, contrast), _image(kspace), _affine(kspace))
        if _keeps_kspace(target_file, measured, both[1]):
            entries.append(_entry(name, target_file))
    if entries:
        (output / DATALIST).parent.mkdir(parents=True, exist_ok=True)
        (output / DATALIST).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    write_description(output, "fastMRI knees, PD and fat-suppressed PD", License="fastMRI data sharing agreement")
    return sorted(names)


def _image_file(name: str, contrast: str) -> Path:
    return Path(name) / "anat" / f"{name}_{contrast}.nii.gz"


def _keeps_kspace(file: Path, measured: Kspace, paired: Kspace) -> bool:
    n_slices, n_paired = len(measured.data), len(paired.data)
    if n_slices == n_paired and is_complete(measured):
        return True
    reason = "is not complete" if n_slices == n_paired else f"has {n_slices} slices, its guide has {n_paired}"
    logger.warning("%s: its k-space %s, so that %s does not list it", file, reason, DATALIST)
    return False


def _entry(name: str, file: Path) -> dict[str, Any]:
    guide, reference = (str(Path("..") / _image_file(name, contrast)) for contrast in (GUIDE, TARGET))
    return {"subject": name, "image": {GUIDE: guide}, "kspace": str(file.resolve()), "reference": reference}


def _full(path: Path) -> Kspace:
    kspace = read_kspace(path)
    if kspace.sampled_fraction < 0.5:  # zero padding and partial Fourier leave more
        problem = f"{100 * kspace.sampled_fraction:.0f} % of k-space are sampled"
        raise InputError.at(path, problem, "give fully sampled files (train, val)")
    return with_reconstructed_pixels(path, kspace)


def _image(kspace: Kspace) -> Tensor:
    """Return ``(x, y, slice)``."""
    size = kspace.attributes.get("recon_matrix", kspace.data.shape[-2:])
    slices = [zero_filled_image(torch.from_numpy(coils))[0] for coils in kspace.data]  # one by one, for memory
    image: Tensor = CenterSpatialCrop(size)(torch.stack(slices))
    return SCALE * image.permute(2, 1, 0)


def _affine(kspace: Kspace) -> NDArray[np.float64]:
    y, x, z = kspace.attributes.get("voxel_size", (1.0, 1.0, 1.0))
    return np.diag([x, y, z, 1.0])
