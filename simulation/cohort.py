"""Simulate a cohort of heads with multiple-sclerosis lesions and write it as a BIDS dataset."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from ..datasets.bids import MAKER, write_description
from ..datasets.input_error import InputError
from ..datasets.regions import regions_of_tissues, write_region_names
from ..datasets.volumes import read_volume, write_volume
from ..datasets.writing import Progress, reporting
from .acquisition import acquire
from .anatomy import BRAIN_CENTER, Anatomy, list_images, mni_anatomy, read_label_map
from .deformation import Grid, Sampler, SmoothDeformation
from .effects import Effects
from .head import Head
from .lesion_masks import shares_from_mask
from .lesions import grow_lesions, lesion_places, settle
from .protocols import draw_protocols
from .qsm_subject import draw_protocol, write_qsm_subject
from .susceptibility import SUSCEPTIBILITIES, simulate_susceptibility
from .tissue_maps import is_tissue_map, own_lesions, read_tissue_map
from .tissues import BRAIN_TISSUES, TISSUES, plain_tissues

Volume = NDArray[np.float32]

BRAIN_EXTENT = (156.0, 192.0, 152.0)
HEAD_EXTENT = (208.0, 248.0, 216.0)
MILDEST = (0.35, 0.8)  # share of change in the mildest lesion of a subject


def simulate_dataset(  # noqa: PLR0913 - the options of one command
    output: Path,
    *,
    n_subjects: int = 8,
    seed: int = 0,
    spacing: float = 1.0,
    anatomies: Path | Sequence[Path] | None = None,
    lesion_masks: Path | None = None,
    skull: bool = False,
    slice_thickness: float | None = None,
    first_subject: int = 1,
    susceptibility: bool = False,
    without: Sequence[str] = (),
    misaligned: bool = False,
    progress: Progress | None = None,
) -> list[str]:
    """Write a BIDS folder of simulated subjects: T1w, T2w, FLAIR, PDw; lesion, brain and tissue maps in derivatives.

    The subject with a number is the same whatever other subjects are made with it.

    Args:
        output: folder to make; subjects are added to it if it exists.
        n_subjects: how many.
        seed: of all randomness.
        spacing: voxel size (mm) of the grid that all contrasts share.
        anatomies: folders of ``*_dseg.nii.gz`` label maps, of FreeSurfer's numbers, or of 1 fluid, 2 gray, 3 white
            matter, whose subjects carry their own lesions (``*_label-lesion_mask.nii.gz`` in ``derivatives``) where
            they have some; the MNI152 template's maps otherwise.
        lesion_masks: folder with ``*mask.nii.gz`` lesion masks in MNI152 space; half of the subjects carry one, half
            carry lesions from the growth model, or all the latter where it is None.
        skull: keep the skull; otherwise everything outside the brain is zero.
        slice_thickness: thickness (mm) of axial slices of every contrast, written on its coarse grid; if None, T1w, T2w
            and PDw have the blur of slices of 1 to 3.5 mm that were interpolated to ``spacing``.
        first_subject: number of the first subject.
        susceptibility: add ``localfield`` with a drawn direction of B0, noise and slice thickness, and in
            ``derivatives/qsm`` ``Chimap``, ``desc-brain_mask`` and ``dseg`` (tissues) of its own grid.
        without: names of :data:`~.effects.EFFECTS` to leave out; the others are drawn as before.
        misaligned: leave T1w, T2w and PDw of half of the subjects up to a voxel from FLAIR; all are aligned otherwise.
        progress: called with the number of finished and of all subjects.

    Returns:
        The subjects' names.

    Raises:
        InputError: if a folder holds no label maps or masks, or a map cannot be used.
        ValueError: if ``n_subjects`` or ``spacing`` is not positive, slices are thinner than ``spacing``, or a name
            is no effect's.
    """
    if n_subjects < 1 or spacing <= 0 or (slice_thickness is not None and slice_thickness < spacing):
        raise ValueError(f"cannot simulate with {n_subjects=}, {spacing=}, {slice_thickness=}")
    folders = [anatomies] if isinstance(anatomies, Path) else anatomies or []
    maps = [path for folder in folders for path in list_images(folder, "_dseg", "label maps")]
    Effects((), without)
    masks = list_images(lesion_masks, "mask", "lesion masks") if lesion_masks else []
    write_description(output, "Simulated heads with multiple-sclerosis lesions")
    names = []
    for number in reporting(range(first_subject, first_subject + n_subjects), progress):
        rng = np.random.default_rng([seed, number])
        anatomy = read_anatomy(maps[rng.integers(len(maps))], skull) if maps else mni_anatomy(skull)
        mask = masks[rng.integers(len(masks))] if masks and rng.random() < 0.5 else None
        effects = Effects((seed, number), without, misaligned)
        head = effects.on_head(make_head(anatomy, rng, spacing, skull, mask))
        names.append(f"sub-{number:03d}")
        _write_subject(output, names[-1], head, rng, effects, skull, slice_thickness)
        if susceptibility:
            _write_susceptibility(output, names[-1], head, np.random.default_rng([seed, number, 1]))
    return names


def read_anatomy(path: Path, skull: bool = False) -> Anatomy:
    """Read a label map of either kind, with the lesions of its patient where there are some.

    Raises:
        InputError: if the map cannot be used, or has no skull where one is asked for.
    """
    if not is_tissue_map(read_volume(path, allow_constant=True).numpy()):
        return read_label_map(path, skull)
    if skull:
        raise InputError.at(path, "has fluid, gray and white matter, but no skull", "simulate it without one")
    return read_tissue_map(path, own_lesions(path))


def make_head(
    anatomy: Anatomy,
    rng: np.random.Generator,
    spacing: float = 1.0,
    skull: bool = False,
    lesion_mask: Path | None = None,
) -> Head:
    """Deform an anatomy to a random brain volume of 1.0 to 1.4 l and give it lesions: its own where it has some."""
    grid = Grid.around(BRAIN_CENTER, HEAD_EXTENT if skull else BRAIN_EXTENT, (spacing,) * 3)
    brain_volume = np.clip(rng.normal(1180, 100), 1000, 1400)
    scale = (brain_volume / anatomy.brain_volume) ** (1 / 3)
    points = SmoothDeformation(rng, BRAIN_CENTER, scale=scale)(grid)
    deformed = Sampler(points, anatomy.shape, anatomy.affine)
    names = [name for name in anatomy.names if name in (TISSUES if skull else BRAIN_TISSUES)]
    tissues = {name: deformed(anatomy.read(name)) for name in names}
    brain = _brain_with_fluid(deformed(anatomy.read("brain")) > 0.5, spacing)
    if not skull:
        tissues = {name: fraction * brain for name, fraction in tissues.items()}
    known: list[str] = [name for name in ("ventricles", "choroid_plexus", "lesions") if name in anatomy.names]
    regions = {name: deformed(anatomy.read(name)) for name in known}
    own = regions.pop("lesions", np.zeros(grid.shape, np.float32))
    if own.any():
        shares = own
    elif lesion_mask is None:
        below, fluid = deformed(anatomy.read("infratentorial")), regions["ventricles"]
        places = lesion_places(tissues["white_matter"], tissues["gray_matter"], fluid, below, spacing)
        shares = grow_lesions(places, int(rng.lognormal(3.6, 0.7)) + 4, spacing, rng)
    else:
        shares = shares_from_mask(lesion_mask, grid, rng)
    tissues, lesions = _insert_lesions(tissues, shares, spacing, rng)
    return Head(grid, tissues, brain, lesions, regions)


def _brain_with_fluid(brain: NDArray[np.bool_], spacing: float) -> NDArray[np.bool_]:
    """What brain extraction leaves: the brain, holes and sulci closed, and about 1 mm around it."""
    closed = ndimage.binary_fill_holes(ndimage.binary_closing(brain, iterations=max(round(3 / spacing), 1)))
    return ndimage.binary_dilation(closed, iterations=max(round(1 / spacing), 1))


def _insert_lesions(
    tissues: dict[str, Volume], shares: Volume, spacing: float, rng: np.random.Generator
) -> tuple[dict[str, Volume], NDArray[np.bool_]]:
    """Let lesions displace tissue, in white matter fully, in gray matter partly, in fluid not at all."""
    gray = sum(tissues[name] for name in BRAIN_TISSUES if name in tissues and name not in ("white_matter", "csf"))
    open_share = np.clip(tissues["white_matter"] + 0.6 * np.asarray(gray), 0, 1)
    shares = shares * np.clip(1.6 * open_share - 0.1, 0, 1)
    amount, lesions = settle(shares, spacing**3, rng, mildest=rng.uniform(*MILDEST))
    displaced = {name: fraction * (1 - amount) for name, fraction in tissues.items() if name != "csf"}
    displaced["lesion"] = amount * sum(tissues[name] for name in displaced)
    displaced["csf"] = tissues["csf"]
    return displaced, lesions


def _write_subject(
    output: Path,
    name: str,
    head: Head,
    rng: np.random.Generator,
    effects: Effects,
    skull: bool,
    slice_thickness: float | None,
) -> None:
    anat = output / name / "anat"
    for contrast, protocol in draw_protocols(rng).items():
        image, affine, thickness = acquire(head.tissues, protocol, head.grid, contrast, rng, slice_thickness)
        image = effects.on_image(image, tuple(np.abs(np.diag(affine)[:3])), contrast)
        if not skull:
            image = image * _on_grid(head.brain, head.grid, image.shape, affine)
        write_volume(anat / f"{name}_{contrast}.nii.gz", image, affine, dtype="int16")
        fields = protocol.sidecar() | {"SliceThickness": round(thickness, 2), "Simulated": True}
        (anat / f"{name}_{contrast}.json").write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    derivatives = output / "derivatives" / "simulator"
    write_description(derivatives, "Truth of the simulation", generated_by=MAKER)
    regions = regions_of_tissues(plain_tissues(head.tissues), list(TISSUES))
    for suffix, volume in {
        "label-lesion_mask": head.lesions,
        "desc-brain_mask": head.brain,
        "dseg": regions.labels,
    }.items():
        path = derivatives / name / "anat" / f"{name}_{suffix}.nii.gz"
        write_volume(path, volume.astype(np.uint8), head.grid.affine, dtype="uint8")
    write_region_names(derivatives, {0: "background"} | regions.names)


def _write_susceptibility(output: Path, name: str, head: Head, rng: np.random.Generator) -> None:
    spacing = float(head.grid.affine[0, 0])
    tissues = plain_tissues(head.tissues)
    regions, drawn = regions_of_tissues(tissues, list(SUSCEPTIBILITIES)), draw_protocol(rng, spacing)
    b0_direction = drawn.b0_direction
    chi = simulate_susceptibility(tissues, (spacing,) * 3, rng, head.lesions, b0_direction=b0_direction)
    write_qsm_subject(output, name, chi, head.brain, head.grid.affine, drawn, rng, regions=regions)


def _on_grid(
    mask: NDArray[np.bool_], grid: Grid, shape: tuple[int, ...], affine: NDArray[np.float64]
) -> NDArray[np.bool_]:
    if shape == mask.shape:
        return mask
    points = torch.from_numpy(Grid((shape[0], shape[1], shape[2]), affine).points())
    return Sampler(points, mask.shape, grid.affine)(mask.astype(np.float32)) > 0.5
