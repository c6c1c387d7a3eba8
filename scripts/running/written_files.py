"""What an inference workflow wrote for each case, learned from what its engine hands out, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ignite.engine import Engine
    from numpy.typing import NDArray

LESION_MASK = "label-lesion_mask"
"""BIDS suffix of a mask of lesions."""

PROBABILITY = "label-lesion_probseg"
"""BIDS suffix of a map of the probability of lesion."""

BRAIN_MASK = "desc-brain_mask"
"""What the BIDS suffix of a mask of the brain ends with."""


@dataclass(frozen=True)
class Pictures:
    """Which of the images that a workflow writes belong together in a picture, as its config's ``pictures`` tells.

    Attributes:
        result: BIDS suffix of the network's image.
        reference: of the truth.
        input: of what the network got.
        window: gray values of black and white, None for the reference's range.
        error_window: difference shown at full color, None for a fifth of the window.
        unit: of the gray values.
        unguided: overlay of the network without guide, with which the result is compared where it is evaluated too.
        scale: of super-resolution, how many voxels one of the input became along the axes that were magnified.
    """

    result: str
    reference: str
    input: str
    window: tuple[float, float] | None = None
    error_window: float | None = None
    unit: str = ""
    unguided: str | None = None
    scale: float | None = None


class WrittenFiles:
    """Collects, case by case, the files that transforms such as ``SaveDerivatived`` name at ``<key>_path``.

    Args:
        engine: MONAI's evaluator; its batches hold dictionaries, one for each case.

    Attributes:
        files: paths of each case.
        motions: world matrices ``(n_contrasts, 4, 4)`` of each case, its image's ``meta["motion"]``, or None.
        alignments: how the contrasts of each case lay to each other, its image's ``meta["alignment"]``, empty without.
        sampled: mask of k-space ``(y, x)`` of the first case's first slice, its ``sampled``, or None.
    """

    def __init__(self, engine: Engine) -> None:
        from ignite.engine import Events

        self.files: list[list[Path]] = []
        self.motions: list[NDArray[Any] | None] = []
        self.alignments: list[dict[str, Any]] = []
        self.sampled: NDArray[Any] | None = None
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._remember)

    def _remember(self, engine: Engine) -> None:
        import numpy as np

        items: Any = engine.state.output
        batch: Any = engine.state.batch
        if not self.files and "sampled" in batch[0]:
            self.sampled = np.asarray(batch[0]["sampled"][0, 0].cpu(), dtype=bool)
        for item in items:
            paths = [value for key, value in item.items() if str(key).endswith("_path") and isinstance(value, str)]
            self.files.append([Path(path) for path in paths])
            meta = getattr(item.get("image"), "meta", {})
            self.motions.append(np.asarray(meta["motion"]) if "motion" in meta else None)
            self.alignments.append(json.loads(meta.get("alignment") or "{}"))


def file_of(files: Sequence[Path], suffix: str) -> Path | None:
    """Return the one of ``files`` that ends with ``_<suffix>.nii.gz``, or None."""
    return next((file for file in files if file.name.endswith(f"_{suffix}.nii.gz")), None)
