"""Brain images as files: volumes, k-space, BIDS folders and datalists."""

from .bids import find_cases, select, split, write_description
from .case import Case, subject_and_session
from .echoes import Echoes, read_echoes
from .fastmri import paired_slices, read_pairs
from .input_error import InputError
from .kspace import Kspace
from .kspace_readers import read_kspace
from .number_signs import require_same_place
from .phase_cases import find_phase_cases
from .readers import keep_images
from .selection import Selection
from .volumes import header_of, read_volume, write_volume

__all__ = [
    "Case",
    "Echoes",
    "InputError",
    "Kspace",
    "Selection",
    "find_cases",
    "find_phase_cases",
    "header_of",
    "keep_images",
    "paired_slices",
    "read_echoes",
    "read_kspace",
    "read_pairs",
    "read_volume",
    "require_same_place",
    "select",
    "split",
    "subject_and_session",
    "write_description",
    "write_volume",
]
