"""Pairs of fastMRI knees as a BIDS folder of magnitude images."""

from __future__ import annotations

from pathlib import Path

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

SCALE = 1e6  # fastMRI images are far below 1


def prepare_fastmri(
    source: Path | str, output: Path | str, pairs: Path | str, progress: Progress | None = None
) -> list[str]:
    """Write ``sub-<target>`` with ``acq-pd_PDw``, the guide, and ``acq-pdfs_PDw``, the target, of the same grid.

    Magnitudes of the root sum of squares of all coils, cropped to the reconstructed matrix, times 1e6; phase and coils
    are lost. Voxel sizes come from the header, 1 mm where there is none; slices lie along the third axis, and
    directions are unknown. Slices are paired by number, as nothing else tells.

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
    for name, (guide_file, target_file) in reporting(list(zip(names, files, strict=True)), progress):
        both = paired_slices(_full(guide_file), _full(target_file), target_file)
        for contrast, kspace in zip(("acq-pd_PDw", "acq-pdfs_PDw"), both, strict=True):
            path = output / name / "anat" / f"{name}_{contrast}.nii.gz"
            write_volume(path, _image(kspace), _affine(kspace))
    write_description(output, "fastMRI knees, PD and fat-suppressed PD", License="fastMRI data sharing agreement")
    return sorted(names)


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
