"""How the contrasts of a case lay to each other, in words."""

from __future__ import annotations

from ...transforms.alignment import LIMIT
from ..running.prediction import Prediction


def alignment_lines(prediction: Prediction) -> list[str]:
    """Tell what was moved, and what lay near enough to stay."""
    moved = [f"{contrast} was moved by {motion}" for contrast, motion in prediction.motions.items()]
    return [*moved, *_stayed(prediction)]


def alignment_note(prediction: Prediction) -> str:
    """Tell what was moved, for the title of a picture; empty where nothing was."""
    found = prediction.alignment.get("Contrasts", {}).items()
    shifts = {name: about["LargestShiftMillimeters"] for name, about in found if about["Moved"]}
    return "".join(f", {name} moved by up to {shift:.1f} mm" for name, shift in shifts.items())


def _stayed(prediction: Prediction) -> list[str]:
    found = prediction.alignment.get("Contrasts", {}).items()
    shifts = {name: about["LargestShiftMillimeters"] for name, about in found if not about["Moved"]}
    reference = prediction.alignment.get("Reference")
    return [
        f"{name} was not moved, though registration finds it up to {shift:.1f} mm from the {reference} image"
        if shift > LIMIT
        else f"{name} was not moved: {shift:.1f} mm at most from the {reference} image"
        for name, shift in shifts.items()
    ]
