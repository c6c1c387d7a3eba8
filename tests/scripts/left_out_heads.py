"""Patients with lesions that a network, which is too sure by a known factor, was not trained on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from tests.scripts.conftest import write_image

BUNDLE = "ms_lesion_segmentation_fanet"
SHAPE = (30, 28, 26)
VISITS = (("sub-01", ""), ("sub-02", ""), ("sub-03", "ses-1"), ("sub-03", "ses-2"))
SEEDS = (0, 1)
SCALE = 2.0
"""Of the logits: the temperature that puts them right."""


def images_of(seed: int, scale: float = SCALE) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return a map of probability, the truth, and the mask at 0.5."""
    generator = np.random.default_rng(seed)
    logits = ndimage.gaussian_filter(generator.normal(size=SHAPE), 1.5)
    logits = 2.5 * logits / logits.std() - 3
    truth = generator.random(SHAPE) < expit(logits)
    probability = expit(scale * logits).astype(np.float32)
    return probability, truth, probability >= 0.5


def write_comparison(folder: Path, visits: Sequence[tuple[str, str]] = VISITS) -> Path:
    """Write what ``compare --leave-one-out`` leaves of these visits, with their true masks in a BIDS folder beside."""
    plans: dict[str, list[dict[str, Any]]] = {}
    for number, (subject, session) in enumerate(visits):
        name, place = "_".join(filter(None, (subject, session))), Path(subject, session, "anat")
        label = folder / "data" / "derivatives" / "truth" / place / f"{name}_label-lesion_mask.nii.gz"
        flair = str(folder / "data" / place / f"{name}_FLAIR.nii.gz")
        case = {"subject": subject, "session": session, "image": [flair], "label": str(label)}
        plans.setdefault(subject, []).append(case)
        probability, truth, mask = images_of(number)
        for seed in SEEDS:
            test = folder / "out" / f"left-out-{subject}" / f"default-{seed}" / "test" / place
            write_image(test / f"{name}_label-lesion_probseg.nii.gz", probability, np.eye(4))
            write_image(test / f"{name}_label-lesion_mask.nii.gz", mask.astype(np.uint8), np.eye(4))
        write_image(label, truth.astype(np.uint8), np.eye(4))
    for subject, cases in plans.items():
        plan = {"bundle": BUNDLE, "overlays": [], "settings": {}, "test cases": cases}
        (folder / "out" / f"left-out-{subject}" / "plan.json").write_text(json.dumps(plan))
    return folder / "out"


def write_evaluation(folder: Path, visits: Sequence[tuple[str, str]] = VISITS) -> Path:
    """Write what ``evaluate`` leaves of these visits, with their images and true masks in a BIDS folder beside."""
    write_comparison(folder, visits)
    for test in (folder / "out").glob(f"left-out-*/default-{SEEDS[0]}/test"):
        shutil.copytree(test, folder / "evaluated", dirs_exist_ok=True)
    shutil.rmtree(folder / "out")
    for number, (subject, session) in enumerate(visits):
        name = "_".join(filter(None, (subject, session)))
        write_image(
            folder / "data" / subject / session / "anat" / f"{name}_FLAIR.nii.gz", images_of(number)[0], np.eye(4)
        )
    made_with = {"bundle": BUNDLE, "configs": ["configs/inference.yaml", "configs/evaluate.yaml"]}
    record = {"provenance": made_with | {"dataset": str(folder / "data")}}
    (folder / "evaluated" / "summary.json").write_text(json.dumps(record))
    return folder / "evaluated"
