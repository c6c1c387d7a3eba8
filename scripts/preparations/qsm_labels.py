"""Label maps as subjects with known susceptibility and the field that it makes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...datasets.bids import write_description
from ...datasets.input_error import InputError
from ...datasets.regions import Regions, read_region_names, regions_of_tissues
from ...datasets.volumes import read_volume
from ...datasets.writing import Progress, reporting
from ...operators.b0_direction import voxel_size_from_affine
from ...simulation.anatomy import Anatomy, list_images, read_label_map
from ...simulation.deformation import Grid, Sampler, SmoothDeformation
from ...simulation.field_protocol import SPACING, FieldProtocol, draw_protocol
from ...simulation.qsm_subject import write_qsm_subject
from ...simulation.susceptibility import SUSCEPTIBILITIES, simulate_susceptibility
from ...simulation.tissues import BRAIN_TISSUES

Volume = NDArray[np.float32]
BORDER = 0.5  # voxels, standard deviation by which labels' borders are softened: partial volume
_Head = tuple[Volume, NDArray[np.bool_], NDArray[np.float64], Regions]
"""Susceptibility (ppm), brain mask and the affine of both, and the regions on their grid."""


def prepare_qsm_labels(
    source: Path | str,
    output: Path | str,
    protocol: FieldProtocol | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[str]:
    """Write a subject with ``localfield``, ``Chimap``, ``desc-brain_mask`` and ``dseg`` for each ``*_dseg.nii.gz``.

    Where ``dseg.tsv`` in the source has a column ``susceptibility_ppm``, every label has that value, and the brain is
    ``*_label-brain_mask.nii.gz`` beside the label map. Otherwise labels are FreeSurfer's and their susceptibilities are
    drawn by :func:`simulate_susceptibility`; the label maps that are written are then of its tissues. Where protocols
    are drawn, so are the voxel size and a slight deformation of these heads.

    Args:
        source: folder with label maps.
        output: folder of the new dataset.
        protocol: how the fields are measured; drawn for each subject by :func:`draw_protocol` if it is None.
        seed: of susceptibilities, noise and protocols; each subject has its own stream.
        progress: told the number of subjects done, and of all.

    Returns:
        Names of the subjects, sorted.

    Raises:
        InputError: if the source is missing or has no label maps, several of one subject, or one that cannot be used.
    """
    source, output = Path(source), Path(output)
    if not source.is_dir():
        raise InputError.at(source, "no such folder", "check --source")
    paths, values = list_images(source, "_dseg", "label maps"), read_values(source / "dseg.tsv")
    labels = read_region_names(source / "dseg.tsv") if values else {}
    subjects = [path.name.partition("_")[0] for path in paths]
    if twice := next((path for path, name in zip(paths, subjects, strict=True) if subjects.count(name) > 1), None):
        raise InputError.at(twice, "one of several label maps of one subject", "keep one, or rename their subjects")
    write_description(output, "Local fields of known susceptibility")
    for number, path in reporting(list(enumerate(paths)), progress):
        rng = np.random.default_rng([seed, number])
        if values:
            chi, brain, affine, regions = _with_values(path, values, labels)
            drawn = protocol or draw_protocol(rng, float(affine[0, 0]))
        else:
            spacing = None if protocol else float(rng.uniform(*SPACING))
            drawn = protocol or draw_protocol(rng, float(spacing or 1))
            chi, brain, affine, regions = _drawn(path, drawn.b0_direction, spacing, rng)
        write_qsm_subject(output, subjects[number], chi, brain, affine, drawn, rng, regions=regions)
    return subjects


def read_values(table: Path) -> dict[int, float]:
    """Return the susceptibility (ppm) of each label, empty where the table has none.

    Raises:
        InputError: if an index or value is no number.
    """
    if not table.is_file():
        return {}
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    try:
        return {int(r["index"]): float(r["susceptibility_ppm"]) for r in rows if r.get("susceptibility_ppm")}
    except (KeyError, ValueError) as error:
        remedy = "give the columns index and susceptibility_ppm as numbers"
        raise InputError.at(table, f"cannot be read ({error})", remedy) from error


def _with_values(path: Path, values: dict[int, float], names: dict[int, str]) -> _Head:
    mask_file = path.with_name(path.name.replace("_dseg.", "_label-brain_mask."))
    image = read_volume(path)
    labels, brain = image[0].numpy().astype(int), read_volume(mask_file, allow_constant=True)[0].numpy() > 0
    if labels.shape != brain.shape:
        problem = f"has shape {brain.shape}, its label map {labels.shape}"
        raise InputError.at(mask_file, problem, "give the mask on the grid of the label map")
    table = np.zeros(max(labels.max(), *values) + 1, np.float32)
    table[list(values)] = list(values.values())
    affine = np.diag([*voxel_size_from_affine(image.affine.numpy()).tolist(), 1.0])
    box = ndimage.find_objects(brain.astype(np.int8))[0]
    box = tuple(slice(max(axis.start - 8, 0), axis.stop + 8) for axis in box)
    return table[labels[box]], brain[box], affine, Regions(labels[box].astype(np.int16), names)


def _drawn(
    path: Path, b0_direction: tuple[float, float, float], spacing: float | None, rng: np.random.Generator
) -> _Head:
    """Draw the susceptibility of a label map, on its grid, or with a spacing (mm) on cubic voxels and deformed."""
    anatomy = read_label_map(path)
    names = [name for name in anatomy.names if name in BRAIN_TISSUES]
    brain = np.asarray(ndimage.binary_fill_holes(anatomy.read("brain") > 0))
    tissues = {name: anatomy.read(name) * brain for name in names}
    tissues["csf"] = tissues["csf"] + brain * np.clip(1 - np.sum(list(tissues.values()), axis=0), 0, 1)
    sizes = np.linalg.norm(anatomy.affine[:3, :3], axis=0)
    regions = regions_of_tissues(tissues, list(SUSCEPTIBILITIES))
    blur = BORDER * np.maximum(spacing or 0, sizes) / sizes
    tissues = {name: ndimage.gaussian_filter(part, blur) * brain for name, part in tissues.items() if part.any()}
    if spacing is not None:
        sampler, sizes = _deformed(anatomy, spacing, rng), np.full(3, spacing)
        tissues = {name: sampler(part) for name, part in tissues.items()}
        brain = sampler(brain.astype(np.float32)) > 0.5
        tissues = {name: part * brain for name, part in tissues.items()}
        regions = regions_of_tissues(tissues, list(SUSCEPTIBILITIES))
    chi = simulate_susceptibility(tissues, list(sizes), rng, b0_direction=b0_direction)
    return chi, brain, np.diag([*sizes, 1.0]), regions


def _deformed(anatomy: Anatomy, spacing: float, rng: np.random.Generator) -> Sampler:
    """Sample an anatomy, slightly deformed, on cubic voxels, whose number of slices is a multiple of six."""
    shape = np.array(anatomy.shape)
    extent = shape * np.linalg.norm(anatomy.affine[:3, :3], axis=0) + 8
    extent[2] = np.ceil(extent[2] / spacing / 6) * 6 * spacing
    center = anatomy.affine[:3, :3] @ ((shape - 1) / 2) + anatomy.affine[:3, 3]
    grid = Grid.around(tuple(center), tuple(extent), (spacing,) * 3)
    deformation = SmoothDeformation(rng, tuple(center), anisotropy=0.03, magnitude=2.0)
    return Sampler(deformation(grid), anatomy.shape, anatomy.affine)
