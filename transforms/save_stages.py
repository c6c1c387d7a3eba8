"""What lies between phase and susceptibility, as BIDS derivatives with sidecars."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..datasets.sidecars import sidecar_of
from ..datasets.writing import replacing
from .load_phase import PROCESSING
from .save_derivative import SaveDerivatived


class Stage(NamedTuple):
    """How a stage is written: BIDS suffix, dtype, unit, and what it is."""

    suffix: str
    dtype: str
    unit: str
    description: str


STAGES: dict[str, Stage] = {
    "fieldmap": Stage("fieldmap", "float32", "Hz", "total field, with that of sources outside of the mask"),
    "localfield": Stage("localfield", "float32", "ppm", "field without that of sources outside of the mask"),
    "phase_mask": Stage("desc-brain_mask", "uint8", "", "where the local field is known"),
    "residual": Stage("desc-residual_phase", "float32", "rad", "root mean square distance of echoes from their line"),
    "phase_noise": Stage("desc-noise_localfield", "float32", "ppm", "standard deviation of the field"),
}
"""By the keys at which :class:`LoadPhased` has them."""


class SaveStagesd(SaveDerivatived):
    """Write the stages of :class:`LoadPhased` as :class:`SaveDerivatived` does, with JSON files of how they were made.

    Args:
        output_dir: folder of the derivative.
        enabled: write them; else data pass unchanged.
        overwrite: replace files that are there already.
        source_key: of the field made of phase.
    """

    def __init__(
        self, output_dir: Path | str, enabled: bool = True, overwrite: bool = False, source_key: str = "image"
    ) -> None:
        suffixes, dtypes = ([getattr(stage, name) for stage in STAGES.values()] for name in ("suffix", "dtype"))
        super().__init__(list(STAGES), output_dir, suffixes, dtypes, source_key, overwrite=overwrite)
        self.enabled = enabled

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write all stages."""
        if not self.enabled:
            return dict(data)
        out = super().__call__(data)
        made = json.loads(out[self.source_key].meta.get(PROCESSING) or "{}")
        for key, stage in STAGES.items():
            told = {"Description": stage.description, **({"Units": stage.unit} if stage.unit else {}), **made}
            with replacing(sidecar_of(Path(out[f"{key}_path"]))) as temporary:
                temporary.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        return out
