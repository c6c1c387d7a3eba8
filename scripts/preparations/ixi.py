"""The IXI data set (brain-development.org) as a BIDS folder of aligned T1w and T2w images."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from ...datasets.bids import write_description
from ...datasets.volumes import header_of, read_volume, write_volume
from ...datasets.writing import Progress, reporting
from ...transforms.registration import register_rigid
from ...transforms.volume_grids import resample_to
from .renaming import find_named

logger = logging.getLogger(__name__)

NAME = re.compile(r"IXI(\d+)-[^-]+-\d+-(T1|T2)\.nii(\.gz)?")


def prepare_ixi(source: Path | str, output: Path | str, progress: Progress | None = None) -> list[str]:
    """Write ``sub-IXI<number>`` with the T2w as it is, and the T1w on its grid.

    IXI's T1w is sagittal and its T2w axial, of other voxels and not aligned: the T1w is registered rigidly to the T2w
    and resampled to its grid by linear interpolation, zero outside of its field of view.

    Args:
        source: folder with the files of the archives ``IXI-T1.tar`` and ``IXI-T2.tar``, in subfolders or not.
        output: folder of the new dataset.
        progress: told the number of subjects done, and of all.

    Returns:
        Names of the subjects, sorted. Subjects that lack one of the two are left out, with a warning.

    Raises:
        InputError: if the source is missing or has no subject with both; and as in reading, registering, writing.
    """
    remedy = "give the folder into which IXI-T1.tar and IXI-T2.tar were unpacked"
    subjects = find_named(Path(source), _name, ("T1w", "T2w"), remedy)
    for subject, files in reporting(subjects.items(), progress):
        _write_subject(Path(output) / subject / "anat" / subject, files["T1w"], files["T2w"])
    write_description(output, "IXI, T1w aligned with T2w", License="CC BY-SA 3.0")
    return list(subjects)


def _name(file: str) -> tuple[str, str] | None:
    match = NAME.fullmatch(file)
    return (f"sub-IXI{match[1]}", f"{match[2]}w") if match else None


def _write_subject(stem: Path, t1w_file: Path, t2w_file: Path) -> None:
    t1w, t2w = read_volume(t1w_file), read_volume(t2w_file)
    motion = register_rigid(t1w, t2w)
    logger.info("%s registered to the T2w: %s", t1w_file, motion)
    aligned = resample_to(motion.apply(t1w), t2w)
    for contrast, image in (("T1w", aligned), ("T2w", t2w)):
        path, header = stem.with_name(f"{stem.name}_{contrast}.nii.gz"), header_of(t2w)
        write_volume(path, image.as_tensor(), t2w.affine, header=header, sources=(t1w_file, t2w_file))
