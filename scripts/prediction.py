"""Running inference workflows: what they wrote, lesions and pictures of them, motion between contrasts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Engine, Events

from ..datasets import read_volume
from ..metrics import match_lesions
from ..transforms.derivatives import derivative_path
from ..transforms.registration import RigidMotion
from .bundles import build_workflow, run_workflow
from .figures import overview_figure
from .slices import load_aligned
from .weights import find_weights


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


def predict_cases(bundle: Path, configs: Sequence[str], settings: dict[str, Any]) -> list[Prediction]:
    """Run the inference workflow and describe its results.

    Args:
        bundle: folder of the bundle.
        configs: such as ``("inference",)``, with overlays after it.
        settings: config ids and values, ``cases`` and ``output_dir`` among them.

    Raises:
        InputError: if an input cannot be used, or the weights are missing.
    """
    workflow = build_workflow(bundle, configs, settings, workflow_type="infer")
    find_weights(workflow)
    matrices: list[np.ndarray[Any, Any]] = []

    def remember_motion(engine: Engine) -> None:
        items: Any = engine.state.output
        matrices.extend(np.asarray(item["image"].meta["motion"]) for item in items)

    workflow.parser.get_parsed_content("evaluator").add_event_handler(Events.ITERATION_COMPLETED, remember_motion)
    run_workflow(workflow)
    contrasts, output_dir = workflow.parser.get_parsed_content("contrasts"), Path(settings["output_dir"])
    return [
        _describe(case, output_dir, _motions(case, contrasts, moved) if settings.get("register") else {})
        for case, moved in zip(settings["cases"], matrices, strict=True)
    ]


def _describe(case: dict[str, Any], output_dir: Path, motions: dict[str, RigidMotion]) -> Prediction:
    reference = case["image"][-1]
    name = "_".join(filter(None, (case["subject"], case.get("session"))))
    findings = []
    if (mask := derivative_path(output_dir, reference, "label-lesion_mask")).is_file():
        findings.append(_draw_overview(mask, Path(reference), name))
    own = derivative_path(output_dir, reference, "").name.removesuffix(".nii.gz")
    files = (p.relative_to(output_dir) for p in output_dir.rglob("*") if p.name.startswith(own))
    return Prediction(name, sorted(files), findings, motions)


def _draw_overview(mask_file: Path, reference: Path, name: str) -> str:
    """Draw the picture beside the mask; return number and volume of the lesions."""
    image, mask = load_aligned([reference, mask_file], mask_file)
    voxel_size = mask.header.get_zooms()[:3]
    found = np.asarray(mask.dataobj) > 0
    volumes = match_lesions(found, found, float(np.prod(voxel_size))).predicted_volumes
    finding = f"{len(volumes)} lesions, {volumes.sum() / 1000:.3g} ml"
    picture = overview_figure(np.asarray(image.dataobj), found, voxel_size, f"{name}: {finding}")
    stem = mask_file.name.removesuffix("label-lesion_mask.nii.gz")
    mask_file.with_name(f"{stem}overview.png").write_bytes(picture)
    return finding


def _motions(case: dict[str, Any], contrasts: Iterable[str], matrices: np.ndarray[Any, Any]) -> dict[str, RigidMotion]:
    """Express the world matrices of contrasts that were moved as rotations and shifts of their centers."""
    motions = {}
    for contrast, path, matrix in zip(contrasts, case["image"], matrices, strict=True):
        if not np.array_equal(matrix, np.eye(4)):
            image = read_volume(path, allow_nan=True)
            center = image.affine.numpy() @ [*((np.array(image.shape[1:]) - 1) / 2), 1]
            motions[contrast] = RigidMotion.of(matrix, center[:3])
    return motions
