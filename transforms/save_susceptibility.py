"""Susceptibility maps as BIDS derivatives with a sidecar."""

from __future__ import annotations

import json
import logging
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..datasets.sidecars import sidecar_of
from ..datasets.writing import replacing
from .field_plausibility import is_inverted
from .load_phase import PROCESSING
from .reference_region import REFERENCE
from .save_derivative import SaveDerivatived

logger = logging.getLogger(__name__)

PLAUSIBLE_NOISE = (5e-5, 5e-2)  # ppm; the local field of a brain has a standard deviation of about 0.01


class SaveSusceptibilityd(SaveDerivatived):
    """Write susceptibility (ppm) as :class:`SaveDerivatived` does, with a JSON file that says how it was made.

    The sidecar has the units, the direction of B0 that was used (``b0_direction``, in voxel axes), what is zero, the
    names of the sources, of phase also how it became a field, and the standard deviation of the field's noise
    (``noise``; the median in the mask of a map) where it is known. There is a warning in the log of noise that no scan
    has, and where the strongest sources of the brain (``brain``, else ``mask``) are diamagnetic, which is a sign of
    phase with the other sign. Arguments and errors are those of :class:`SaveDerivatived`.
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
            "SusceptibilityReference": out.get(REFERENCE, "mean over the mask is 0"),
            "Sources": [Path(source).name for source in sources.split("\n")],
        }
        sidecar |= json.loads(out[self.source_key].meta.get(PROCESSING) or "{}") | self._noise(out)
        for key in self.key_iterator(out):
            with replacing(sidecar_of(Path(out[f"{key}_path"]))) as temporary:
                temporary.write_text(json.dumps(sidecar, indent=2) + "\n", encoding="utf-8")
        return out

    def _claim(self, path: Path, sources: str) -> None:
        super()._claim(path, sources)
        super()._claim(sidecar_of(path), sources)

    def _noise(self, data: Mapping[Hashable, Any]) -> dict[str, float]:
        """Return what the sidecar says of the noise, and warn of one that is not plausible."""
        if data.get("noise") is None:
            return {}
        values = torch.as_tensor(data["noise"]).as_subclass(torch.Tensor).float().flatten()
        noise = float(values[values.isfinite() & (values > 0)].median()) if values.numel() > 1 else float(values)
        if not PLAUSIBLE_NOISE[0] <= noise <= PLAUSIBLE_NOISE[1]:
            reason = "it may be smoothed or interpolated" if noise < PLAUSIBLE_NOISE[0] else "check its unit"
            place, remedy = data[self.source_key].meta["filename_or_obj"], "set `weight` where the map is noisy or flat"
            logger.warning("%s: its noise is taken for %.3g ppb, %s; %s", place, 1e3 * noise, reason, remedy)
        return {"FieldNoise": round(noise, 7)}

    def _check_sign(self, data: Mapping[Hashable, Any]) -> None:
        mask = next((data[key] for key in ("brain", "mask") if data.get(key) is not None), None)
        for key in self.key_iterator(dict(data)):
            maps = [np.asarray(values.cpu())[0] for values in (data[key], mask) if values is not None]
            if len(maps) == 2 and maps[0].shape == maps[1].shape and is_inverted(*maps):
                problem = "veins and basal ganglia come out diamagnetic, its phase likely has the other sign"
                place = data[self.source_key].meta["filename_or_obj"]
                logger.warning("%s: %s; set `invert` to true to change it", place, problem)
