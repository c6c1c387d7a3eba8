"""Brain masks of all heads of a BIDS folder, as derivatives, with a datalist that names them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from monai.data import MetaTensor

from ...datasets.bids import MAKER, write_description
from ...datasets.bids_folder import derivative_of
from ...datasets.case import Case, subject_and_session
from ...datasets.file_names import BidsName, is_nifti
from ...datasets.input_error import InputError
from ...datasets.selection import Selection
from ...datasets.volumes import header_of, read_volume, write_volume
from ...datasets.writing import Progress, replacing, reporting
from ...transforms.brain_extraction import BEST_FIRST, extract_brain
from ...transforms.brain_network import require_deepbet
from ...transforms.intensity_faults import repair_intensities
from ...transforms.save_derivative import derivative_path
from ...transforms.skull import shows_skull

logger = logging.getLogger(__name__)

Session = dict[str, Path]
"""Image of each contrast."""


def prepare_brain_masks(source: Path | str, output: Path | str, progress: Progress | None = None) -> list[str]:
    """Write a brain mask for each session, made of the first of T1w, FLAIR and T2w that shows its skull.

    Masks are named ``sub-01/ses-1/anat/sub-01_ses-1_desc-brain_mask.nii.gz`` after their image and lie on its grid.
    ``datalist.json`` names the images of each session, its mask, and as ``label`` its lesion mask
    (``derivatives/*/**/*_label-lesion_mask.nii.gz`` of ``source``), where there is one; sessions whose images show no
    skull have no brain mask there, as they need none.

    Args:
        source: BIDS folder.
        output: folder of the derivatives.
        progress: told the number of sessions done, and of all.

    Returns:
        Names of the sessions, sorted.

    Raises:
        InputError: if deepbet is not installed, the folder has no T1w, FLAIR or T2w image, one cannot be read, or
            no brain is found in it.
    """
    require_deepbet()
    sessions, folder, entries = _find_sessions(Path(source)), Path(output), []
    for (subject, session), images in reporting(sessions.items(), progress):
        heads = (_head(images[name]) for name in BEST_FIRST if name in images)
        found = next((image for image in heads if image is not None), None)
        named = {name: str(path.resolve()) for name, path in images.items()}
        case = Case(subject, session, named, label=_lesions(Path(source), next(iter(images.values()))))
        if found is None:
            logger.warning("%s: shows no skull, and got no mask", next(iter(images.values())))
        else:
            case = replace(case, mask=str(_write_mask(found, folder).relative_to(folder)))
        entries.append({key: value for key, value in case.item().items() if value})
    write_description(folder, "Brain masks", generated_by=MAKER)
    with replacing(folder / "datalist.json") as temporary:
        temporary.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    return ["_".join(filter(None, names)) for names in sessions]


def _find_sessions(source: Path) -> Mapping[tuple[str, str], Session]:
    """Return the first image of each contrast, by subject and session; those after contrast agent come last."""
    if not source.is_dir():
        raise InputError.at(source, "no such folder", "check --source")
    files = [path for place in ("sub-*/anat", "sub-*/ses-*/anat") for path in source.glob(f"{place}/sub-*")]
    sessions: dict[tuple[str, str], Session] = {}
    for path in sorted(filter(is_nifti, files), key=lambda path: ("_ce-" in path.name, len(path.name), path.name)):
        name = BidsName.of(path)
        if name is not None and name.suffix in BEST_FIRST:
            sessions.setdefault(subject_and_session(path), {}).setdefault(name.suffix, path)
    if not sessions:
        problem = f"no {', '.join(BEST_FIRST)} image in it"
        raise InputError.at(source, problem, "give a BIDS folder with sub-*/[ses-*/]anat")
    return {key: sessions[key] for key in sorted(sessions)}


def _lesions(source: Path, image: Path) -> str | None:
    """Return the path of the lesion mask of an image's session; a warning tells where there are several."""
    stem = Case(*subject_and_session(image)).name
    try:
        found = derivative_of(source, image.parent, stem, "label-lesion_mask", Selection())
    except InputError as error:
        logger.warning("%s; write it as `label` into the datalist", str(error).rpartition("; ")[0])
        return None
    return None if found is None else str(found.resolve())


def _head(path: Path) -> MetaTensor | None:
    """Read an image; None if it shows no skull."""
    image = repair_intensities(read_volume(path, allow_nan=True))
    return image if shows_skull(image) else None


def _write_mask(image: MetaTensor, output: Path) -> Path:
    source = Path(image.meta["filename_or_obj"])
    path, mask = derivative_path(output, source, "desc-brain_mask"), extract_brain(image)
    header = header_of(image)
    affine = header.get_best_affine()
    return write_volume(path, mask.as_tensor(), affine, header=header, dtype="uint8", sources=(source,))
