"""Label maps as subjects with known susceptibility and the field that it makes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from scipy import ndimage

from ...datasets.bids import write_description
from ...datasets.input_error import InputError
from ...datasets.regions import Regions, read_region_names
from ...datasets.volumes import read_volume
from ...datasets.writing import Progress, reporting
from ...operators.b0_direction import voxel_size_from_affine
from ...simulation.anatomy import list_images
from ...simulation.field_protocol import SPACING, FieldProtocol, draw_protocol
from ...simulation.gradient_echo import EchoProtocol
from ...simulation.phase_subject import simulate_scan, write_scan
from ...simulation.qsm_subject import write_qsm_subject
from .qsm_heads import QSMHead, draw_head


def prepare_qsm_labels(
    source: Path | str,
    output: Path | str,
    protocol: FieldProtocol | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    echoes: EchoProtocol | None = None,
    texture: float = 1.0,
) -> list[str]:
    """Write a subject with ``localfield``, ``Chimap``, ``desc-brain_mask`` and ``dseg`` for each ``*_dseg.nii.gz``.

    Where ``dseg.tsv`` in the source has a column ``susceptibility_ppm``, every label has that value, and the brain is
    ``*_label-brain_mask.nii.gz`` beside the label map. Otherwise the susceptibilities of its tissues are drawn, see
    :func:`draw_head`, and the label maps that are written are of these. Where protocols are drawn, so are the voxel
    size and a slight deformation of these heads.

    Args:
        source: folder with label maps.
        output: folder of the new dataset.
        protocol: how the fields are measured; drawn for each subject by :func:`draw_protocol` if it is None.
        seed: of susceptibilities, noise and protocols; each subject has its own stream.
        progress: told the number of subjects done, and of all.
        echoes: write phase and magnitude of these, with what is around the brain, instead of a local field.
        texture: factor of the spreads of susceptibility within tissues, where susceptibilities are drawn.

    Returns:
        Names of the subjects, sorted.

    Raises:
        InputError: if the source is missing or has no label maps, several of one subject, or one that cannot be used,
            or an image beside one is not on its grid; or if a texture is asked for where susceptibilities are told.
    """
    output = Path(output)
    paths, values, labels = _label_maps(Path(source))
    if values and texture != 1:
        problem = "tells the susceptibility of every label, so that tissues have no texture to be changed"
        raise InputError.at(Path(source) / "dseg.tsv", problem, "leave --texture out")
    write_description(output, "Phase and magnitude" if echoes else "Local fields of known susceptibility")
    for number, path in reporting(list(enumerate(paths)), progress):
        rng, name = np.random.default_rng([seed, number]), path.name.partition("_")[0]
        drawn, (chi, brain, affine, regions) = _head(path, values, labels, protocol, rng, texture)
        if echoes is None:
            write_qsm_subject(output, name, chi, brain, affine, drawn, rng, regions=regions)
        else:
            scan = simulate_scan(chi, brain, affine, drawn.b0_direction, drawn.spacing, echoes, rng)
            write_scan(output, name, scan, echoes)
    return [path.name.partition("_")[0] for path in paths]


def read_head(source: Path, number: int, seed: int = 0) -> tuple[str, QSMHead]:
    """Return name and head of one of the label maps of a folder, on its own grid.

    Raises:
        InputError: as :func:`prepare_qsm_labels` does.
    """
    paths, values, labels = _label_maps(source)
    path, rng = paths[number], np.random.default_rng([seed, number])
    return path.name.partition("_")[0], _head(path, values, labels, FieldProtocol(), rng)[1]


def _label_maps(source: Path) -> tuple[list[Path], dict[int, float], dict[int, str]]:
    """Return the label maps, and susceptibilities and names of labels where a table tells them."""
    if not source.is_dir():
        raise InputError.at(source, "no such folder", "check --source")
    paths, values = list_images(source, "_dseg", "label maps"), read_values(source / "dseg.tsv")
    labels = read_region_names(source / "dseg.tsv") if values else {}
    subjects = [path.name.partition("_")[0] for path in paths]
    if twice := next((path for path, name in zip(paths, subjects, strict=True) if subjects.count(name) > 1), None):
        raise InputError.at(twice, "one of several label maps of one subject", "keep one, or rename their subjects")
    return paths, values, labels


def _head(
    path: Path,
    values: dict[int, float],
    labels: dict[int, str],
    protocol: FieldProtocol | None,
    rng: np.random.Generator,
    texture: float = 1.0,
) -> tuple[FieldProtocol, QSMHead]:
    """Return how the field is measured and the head, drawn where protocol or values do not tell."""
    if values:
        head = _with_values(path, values, labels)
        return protocol or draw_protocol(rng, float(head[2][0, 0])), head
    spacing = None if protocol else float(rng.uniform(*SPACING))
    drawn = protocol or draw_protocol(rng, float(spacing or 1))
    return drawn, draw_head(path, drawn.b0_direction, spacing, rng, texture)


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


def _with_values(path: Path, values: dict[int, float], names: dict[int, str]) -> QSMHead:
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
