"""Susceptibility maps as BIDS derivatives with a sidecar."""

from __future__ import annotations

import json
import logging
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.sidecars import sidecar_of
from ..datasets.writing import replacing
from .field_plausibility import is_inverted
from .save_derivative import SaveDerivatived

logger = logging.getLogger(__name__)


class SaveSusceptibilityd(SaveDerivatived):
    """Write susceptibility (ppm) as :class:`SaveDerivatived` does, with a JSON file that says how it was made.

    The sidecar has the units, the direction of B0 that was used (``b0_direction``, in voxel axes), what is zero, and
    the names of the sources. Where the strongest sources of the brain (``brain``, else ``mask``) are diamagnetic, which
    is a sign of phase with the other sign, there is a warning in the log. Arguments and errors are those of
    :class:`SaveDerivatived`.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write the map and the sidecar at every key."""
        out = super().__call__(data)
        self._check_sign(out)
        sources = str(out[self.source_key].meta.get("sources", out[self.source_key].meta["filename_or_obj"]))
        sidecar = {
            "Units": "ppm",
            "B0Direction": np.asarray(out["b0_direction"], dtype=float).round(6).tolist(),
            "B0DirectionFrame": "voxel axes",
            "SusceptibilityReference": "mean over the mask is 0",
            "Sources": [Path(source).name for source in sources.split("\n")],
        }
        for key in self.key_iterator(out):
            with replacing(sidecar_of(Path(out[f"{key}_path"]))) as temporary:
                temporary.write_text(json.dumps(sidecar, indent=2) + "\n", encoding="utf-8")
        return out

    def _claim(self, path: Path, sources: str) -> None:
        super()._claim(path, sources)
        super()._claim(sidecar_of(path), sources)

    def _check_sign(self, data: Mapping[Hashable, Any]) -> None:
        mask = next((data[key] for key in ("brain", "mask") if data.get(key) is not None), None)
        for key in self.key_iterator(dict(data)):
            maps = [np.asarray(values.cpu())[0] for values in (data[key], mask) if values is not None]
            if len(maps) == 2 and maps[0].shape == maps[1].shape and is_inverted(*maps):
                problem = "veins and basal ganglia come out diamagnetic, its phase likely has the other sign"
                place = data[self.source_key].meta["filename_or_obj"]
                logger.warning("%s: %s; set `invert` to true to change it", place, problem)
