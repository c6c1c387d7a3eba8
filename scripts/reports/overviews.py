"""One picture of what a network made of a case, and one line on what is in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...metrics import match_lesions
from ..running.prediction import Prediction
from ..running.written_files import BRAIN_MASK, LESION_MASK, file_of
from .alignment_texts import alignment_note
from .axial_slices import load_aligned
from .image_figures import image_overview_figure
from .lesion_figures import overview_figure
from .lesion_volume import volume_interval, volume_text
from .shown_results import beside, shown_result


def write_overview(prediction: Prediction) -> tuple[str, Path] | None:
    """Draw the picture beside the results; return what there is to tell and the picture's path, None without images."""
    result = shown_result(prediction.files)
    if result is None:
        return None
    is_mask = result.name.endswith(f"_{LESION_MASK}.nii.gz")
    draw = _lesion_overview if is_mask else _image_overview
    finding, picture = draw(result, prediction, file_of(prediction.files, BRAIN_MASK))
    path = beside(result, "overview.png")
    path.write_bytes(picture)
    return finding, path


def _image_overview(result: Path, prediction: Prediction, brain: Path | None) -> tuple[str, bytes]:
    """Return the size of the image, and its picture."""
    (image, *masks), voxel_size = load_aligned([result, *([brain] if brain else [])], result)
    suffix = result.name.removesuffix(".nii.gz").rpartition("_")[2]
    sizes = " x ".join(map(str, image.shape)), " x ".join(f"{v:.2f}" for v in voxel_size)
    window = prediction.pictures.window if prediction.pictures else None
    title = prediction.case.name + alignment_note(prediction)
    picture = image_overview_figure(image, voxel_size, title, window, next(iter(masks), None))
    return f"{suffix}: {sizes[0]} voxels of {sizes[1]} mm", picture


def _lesion_overview(mask_file: Path, prediction: Prediction, brain: Path | None) -> tuple[str, bytes]:
    """Return number and volume of the lesions, and the picture of them."""
    files = [Path(prediction.case.image[-1]), mask_file, *([brain] if brain else [])]
    (image, mask, *masks), voxel_size = load_aligned(files, mask_file)
    found = mask > 0
    volumes = match_lesions(found, found, float(np.prod(voxel_size))).predicted_volumes
    finding = f"{len(volumes)} lesions, {volume_text(volumes.sum() / 1000, volume_interval(prediction))}"
    title = f"{prediction.case.name}: {finding}{alignment_note(prediction)}"
    return finding, overview_figure(image, found, voxel_size, title, next(iter(masks), None))
