"""Tests of scripts.reports.alignment_texts."""

import numpy as np

from mri_attention.datasets import Case
from mri_attention.scripts.reports.alignment_texts import alignment_lines, alignment_note
from mri_attention.scripts.running.prediction import Prediction
from mri_attention.transforms.rigid_motion import RigidMotion

MATRIX = np.eye(4)
MATRIX[1, 3] = 2.0
ALIGNMENT = {
    "Reference": "FLAIR",
    "Contrasts": {
        "T1w": {"Moved": True, "LargestShiftMillimeters": 2.0},
        "T2w": {"Moved": False, "LargestShiftMillimeters": 0.42},
    },
}


def test_lines_tell_what_moved_and_what_stayed() -> None:
    motions = {"T1w": RigidMotion.of(MATRIX, np.zeros(3))}
    prediction = Prediction(Case("sub-01"), [], motions, ALIGNMENT)
    moved, stayed = alignment_lines(prediction)
    assert moved == f"T1w was moved by {motions['T1w']}"
    assert stayed == "T2w was not moved: 0.4 mm at most from the FLAIR image"


def test_what_was_found_apart_and_stayed_is_told() -> None:
    apart = {"Reference": "FLAIR", "Contrasts": {"T1w": {"Moved": False, "LargestShiftMillimeters": 50.1}}}
    (line,) = alignment_lines(Prediction(Case("sub-01"), [], {}, apart))
    assert line == "T1w was not moved, though registration finds it up to 50.1 mm from the FLAIR image"


def test_note_tells_what_moved() -> None:
    assert alignment_note(Prediction(Case("sub-01"), [], {}, ALIGNMENT)) == ", T1w moved by up to 2.0 mm"


def test_nothing_is_told_where_nothing_was_measured() -> None:
    prediction = Prediction(Case("sub-01"), [])
    assert alignment_lines(prediction) == []
    assert alignment_note(prediction) == ""
