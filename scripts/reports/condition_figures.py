"""Pictures of one slice under one condition: mask, reconstructions and their errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from ...transforms.save_derivative import derivative_path
from ..running.bundle import Bundle
from ..running.configuration import Configuration
from .condition_tables import Condition, ConditionResult

ERROR_SHARE = 0.2  # of the reference's maximum, the white of error images


def draw_condition(
    results: Sequence[ConditionResult], pictures: dict[str, Any], mask: NDArray[np.bool_], path: Path
) -> None:
    """Draw the middle slice of the first case: mask and reference, and per network reconstruction and error.

    Args:
        results: of all networks under one condition, their predictions on disk.
        pictures: the bundle's id of this name: suffixes of ``input``, ``result`` and ``reference``.
        mask: of k-space ``(y, x)``, True is sampled.
        path: of the PNG file.
    """
    from matplotlib.figure import Figure

    reference = _middle_slice(results[0], pictures["reference"])
    columns = [("zero-filled", _middle_slice(results[0], pictures["input"]))]
    columns += [(r.evaluation.network, _middle_slice(r, pictures["result"])) for r in results]
    peak = reference.max()
    figure = Figure(figsize=(2.2 * (len(columns) + 1), 4.8), layout="constrained")
    axes = figure.subplots(2, len(columns) + 1)
    _show(axes[0, 0], reference, peak, "reference")
    _show(axes[1, 0], mask, 1, f"{results[0].condition.title} mask")
    for (top, bottom), (name, image) in zip(axes.T[1:], columns, strict=True):
        _show(top, image, peak, name)
        _show(bottom, np.abs(image - reference), ERROR_SHARE * peak, "error x 5")
    figure.savefig(path, dpi=100)


def sampling_mask(
    bundle: Bundle, configs: Sequence[str], settings: dict[str, Any], condition: Condition, subject: str
) -> NDArray[np.bool_]:
    """Return the mask ``(y, x)`` that the workflow draws for the first case of ``subject``."""
    overrides = {**settings, "mask": condition.mask, "acceleration": condition.acceleration}
    parser = Configuration(bundle, configs, overrides).parser
    parser["cases"] = [case for case in parser.get_parsed_content("cases") if case["subject"] == subject][:1]
    case = merged_dataset(parser)[0]
    return np.asarray(case["sampled"][0, 0].numpy(), dtype=bool)


def merged_dataset(parser: Any) -> Any:
    """Build the dataset of ``parser`` anew, after a change of its cases."""
    parser.parse(reset=True)
    return parser.get_parsed_content("dataset")


def _middle_slice(result: ConditionResult, suffix: str) -> NDArray[np.float64]:
    evaluation = result.evaluation
    file = derivative_path(evaluation.output_dir, evaluation.cases[0]["image"][-1], suffix)
    image = nib.as_closest_canonical(nib.load(file))
    volume = np.asarray(image.dataobj, dtype=np.float64)
    return np.rot90(volume[:, :, volume.shape[2] // 2])


def _show(axis: Any, image: NDArray[Any], peak: float, title: str) -> None:
    axis.imshow(image, cmap="gray", vmin=0, vmax=peak)
    axis.set_title(title, fontsize=8)
    axis.set_axis_off()
