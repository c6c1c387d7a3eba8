"""Give real heads more lesions: a few labelled or healthy scans become many, with true anatomy and noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..datasets.bids import MAKER, Case, find_cases, write_description
from ..datasets.input_error import InputError
from ..datasets.volumes import read_volume, write_volume
from ..datasets.writing import Progress, reporting
from .anatomy import list_images
from .deformation import Grid
from .lesion_masks import shares_from_mask
from .lesions import settle
from .protocols import draw_protocols, signals

Volume = NDArray[np.float32]

CONTRASTS = ("T1w", "T2w", "FLAIR")
LABEL = "label-lesion_mask"
CONTRAST_SPREAD = 0.25  # of the logarithm of a lesion's difference from white matter, drawn for each contrast


def implant_dataset(
    output: Path,
    heads: Path,
    lesion_masks: Path,
    *,
    n_subjects: int = 8,
    seed: int = 0,
    subjects: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> list[str]:
    """Write a BIDS folder of real heads that carry lesions from masks of other patients, beside their own.

    Heads are taken in turn, masks at random. In a voxel with a share ``s`` of lesion, the intensity grows by
    ``s (L / W - 1) w``: ``w`` is the head's own white matter, ``L`` and ``W`` are the signals of lesion and white
    matter in a protocol that the simulator draws. What is added has no noise, what is there keeps its own.

    Args:
        output: folder to make.
        heads: BIDS folder of brain-extracted T1w, T2w and FLAIR on one grid in MNI152 space; a lesion label is kept.
        lesion_masks: folder with ``*mask.nii.gz`` in MNI152 space.
        n_subjects: how many to write.
        seed: of all randomness; the subject with a number is the same whatever others are made with it.
        subjects: heads to use, all by default.
        progress: called with the number of finished and of all subjects.

    Returns:
        The new subjects' names.

    Raises:
        InputError: if ``heads`` lacks a file, a head's contrasts are on different or oblique grids, or there are no
            masks.
        ValueError: if ``n_subjects`` is not positive.
    """
    if n_subjects < 1:
        raise ValueError(f"cannot make {n_subjects=}")
    cases = find_cases(heads, CONTRASTS, LABEL, subjects, require_label=False)
    masks = list_images(lesion_masks, "mask", "lesion masks")
    write_description(output, "Real heads with implanted lesions")
    write_description(output / "derivatives" / "implanted", "Lesions, real and implanted", generated_by=MAKER)
    names = []
    for number in reporting(range(1, n_subjects + 1), progress):
        rng = np.random.default_rng([seed, number])
        case = cases[(number - 1) % len(cases)]
        names.append(f"sub-{case['subject'].removeprefix('sub-')}x{number:03d}")
        _write_subject(output, names[-1], case, masks[rng.integers(len(masks))], rng)
    return names


def implant(
    images: dict[str, Volume], shares: Volume, rng: np.random.Generator, voxel_volume: float = 1.0
) -> tuple[dict[str, Volume], NDArray[np.bool_]]:
    """Add lesions to T1w, T2w and FLAIR images ``(x, y, z)`` of one brain-extracted head.

    White matter is the brightest quarter of the brain on T1w. Fluid, dark on FLAIR, takes no lesions.

    Args:
        images: by contrast, zero outside the brain.
        shares: of lesion in each voxel, 0.5 at the border.
        rng: source of all randomness.
        voxel_volume: in mm^3.

    Returns:
        The new images and the mask of the implanted lesions.
    """
    brain = np.all([image > 0 for image in images.values()], axis=0)
    t1w = images["T1w"]
    white = brain & (t1w >= np.percentile(t1w[brain], 75))
    levels = {contrast: float(np.median(image[white])) for contrast, image in images.items()}
    shares = shares * brain * np.clip((images["FLAIR"] / levels["FLAIR"] - 0.5) / 0.25, 0, 1)
    amount, lesions = settle(shares, voxel_volume, rng)
    protocols = draw_protocols(rng)
    changed = {}
    for contrast, image in images.items():
        values = signals(protocols[contrast], rng)
        difference = abs(values["lesion"] / values["white_matter"]) - 1
        added = amount * (difference * np.exp(rng.normal(0, CONTRAST_SPREAD)) * levels[contrast])
        changed[contrast] = np.maximum(image + added, 0).astype(np.float32)
    return changed, lesions


def _write_subject(output: Path, name: str, case: Case, mask: Path, rng: np.random.Generator) -> None:
    volumes = {contrast: read_volume(path) for contrast, path in zip(CONTRASTS, case["image"], strict=True)}
    affine = volumes["FLAIR"].affine.numpy()
    for contrast, path in zip(CONTRASTS, case["image"], strict=True):
        volume = volumes[contrast]
        if volume.shape != volumes["FLAIR"].shape or not np.allclose(volume.affine.numpy(), affine, atol=1e-3):
            raise InputError.at(
                path, "is not on the FLAIR's grid", "resample the contrasts to one grid in MNI152 space"
            )
    if not np.allclose(affine[:3, :3], np.diag(np.diag(affine[:3, :3])), atol=1e-3):
        raise InputError.at(case["image"][-1], "its axes are oblique", "resample it to MNI152 space")
    images = {contrast: volume.numpy()[0] for contrast, volume in volumes.items()}
    grid = Grid(images["FLAIR"].shape, affine)
    shares = shares_from_mask(mask, grid, rng)
    changed, lesions = implant(images, shares, rng, float(abs(np.linalg.det(affine[:3, :3]))))
    if "label" in case:
        lesions |= read_volume(case["label"], allow_constant=True).numpy()[0] > 0
    for contrast, image in changed.items():
        write_volume(output / name / "anat" / f"{name}_{contrast}.nii.gz", image, affine)
    label = output / "derivatives" / "implanted" / name / "anat" / f"{name}_{LABEL}.nii.gz"
    write_volume(label, lesions, affine, dtype="uint8")
