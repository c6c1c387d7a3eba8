"""Running inference workflows: what they wrote, findings and pictures, motion between contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...datasets import read_volume
from ...metrics import match_lesions
from ...transforms.registration import RigidMotion
from ..reports.axial_slices import load_aligned
from ..reports.image_figures import image_overview_figure
from ..reports.lesion_figures import overview_figure
from .bundles import build_workflow, read_pictures, run_workflow
from .network_description import require_same_network
from .onnx_network import OnnxNetwork
from .weights import load_weights, without_loaders
from .written_files import WrittenFiles, file_of

if TYPE_CHECKING:
    from monai.bundle import ConfigParser

LESION_MASK = "label-lesion_mask"


@dataclass(frozen=True)
class Prediction:
    """What was found in one case.

    Attributes:
        name: of the case.
        files: results, relative to the output folder.
        findings: lines that tell what is in them.
        motions: rotation and translation of the contrasts that were moved, by contrast.
    """

    name: str
    files: list[Path]
    findings: list[str] = field(default_factory=list)
    motions: dict[str, RigidMotion] = field(default_factory=dict)

    def lines(self, output_dir: Path) -> list[str]:
        """Return what to tell the user, given where the output folder is."""
        moved = [f"  {contrast} was moved by {motion}" for contrast, motion in self.motions.items()]
        return [
            self.name,
            *(f"  {finding}" for finding in self.findings),
            *moved,
            *(f"  {output_dir / file}" for file in self.files),
        ]


def predict_cases(
    bundle: Path, configs: Sequence[str], settings: dict[str, Any], onnx_file: Path | None = None
) -> list[Prediction]:
    """Run the inference workflow and describe its results.

    Args:
        bundle: folder of the bundle.
        configs: such as ``("inference",)``, with overlays after it.
        settings: config ids and values, ``cases`` and ``output_dir`` among them.
        onnx_file: runs in the place of the torch network.

    Raises:
        InputError: if an input cannot be used, the ONNX file is not there or of another network, or the weights are
            missing or not those that were shipped.
    """
    overrides = {**without_loaders(bundle, configs), **settings}
    if onnx_file is not None:
        overrides["network"] = {"_target_": f"{OnnxNetwork.__module__}.{OnnxNetwork.__name__}", "file": str(onnx_file)}
    workflow = build_workflow(bundle, configs, overrides, workflow_type="infer")
    parser = workflow.parser
    if onnx_file is None:
        load_weights(workflow, shipped_by=None if "model_file" in settings else bundle)
    else:
        require_same_network(parser, onnx_file)
    written = WrittenFiles(parser.get_parsed_content("evaluator"))
    run_workflow(workflow)
    pictures, output_dir = read_pictures(parser), Path(settings["output_dir"])
    predictions = []
    for case, files, motions in zip(settings["cases"], written.files, written.motions, strict=True):
        name = "_".join(filter(None, (case["subject"], case.get("session"))))
        findings, overviews = _overview(case, name, files, pictures.window if pictures else None)
        names = sorted(path.relative_to(output_dir) for path in (*files, *overviews))
        moved = _motions(dict(zip(_names(parser, case), case["image"], strict=True)), motions)
        predictions.append(Prediction(name, names, findings, moved))
    return predictions


def _overview(
    case: dict[str, Any], name: str, files: Sequence[Path], window: tuple[float, float] | None
) -> tuple[list[str], list[Path]]:
    """Draw the picture beside the results; return what there is to tell and the picture's path."""
    mask = file_of(files, LESION_MASK)
    result = mask or next((file for file in files if file.name.endswith(".nii.gz")), None)
    if result is None:
        return [], []
    stem, _, suffix = result.name.removesuffix(".nii.gz").rpartition("_")
    if mask is not None:
        finding, picture = _lesion_overview(mask, Path(case["image"][-1]), name)
        stem = mask.name.removesuffix(f"_{LESION_MASK}.nii.gz")
    else:
        image = load_aligned([result], result)[0]
        size = " x ".join(f"{v:.2f}" for v in image.header.get_zooms()[:3])
        finding = f"{suffix}: {' x '.join(map(str, image.shape))} voxels of {size} mm"
        picture = image_overview_figure(np.asarray(image.dataobj), image.header.get_zooms()[:3], name, window)
    path = result.with_name(f"{stem}_overview.png")
    path.write_bytes(picture)
    return [finding], [path]


def _lesion_overview(mask_file: Path, reference: Path, name: str) -> tuple[str, bytes]:
    """Return number and volume of the lesions, and the picture of them."""
    image, mask = load_aligned([reference, mask_file], mask_file)
    voxel_size = mask.header.get_zooms()[:3]
    found = np.asarray(mask.dataobj) > 0
    volumes = match_lesions(found, found, float(np.prod(voxel_size))).predicted_volumes
    finding = f"{len(volumes)} lesions, {volumes.sum() / 1000:.3g} ml"
    return finding, overview_figure(np.asarray(image.dataobj), found, voxel_size, f"{name}: {finding}")


def _names(parser: ConfigParser, case: dict[str, Any]) -> list[str]:
    """Names of the images of ``case``; a file of k-space stands for the target's."""
    names: list[str] = parser.get_parsed_content("contrasts")
    if "kspace" in case:
        target = parser.get_parsed_content("target")
        return [name for name in names if name != target]
    return names


def _motions(paths: dict[str, str], matrices: NDArray[Any] | None) -> dict[str, RigidMotion]:
    """Express the world matrices of contrasts that were moved as rotations and shifts of their centers."""
    motions: dict[str, RigidMotion] = {}
    if matrices is None:
        return motions
    for (contrast, path), matrix in zip(paths.items(), matrices, strict=True):
        if not np.array_equal(matrix, np.eye(4)):
            image = read_volume(path, allow_nan=True)
            center = image.affine.numpy() @ [*((np.array(image.shape[1:]) - 1) / 2), 1]
            motions[contrast] = RigidMotion.of(matrix, center[:3])
    return motions
