"""Brain images as files: volumes, BIDS folders and datalists."""

from .bids import find_cases, select, split, write_description
from .input_error import InputError
from .volumes import header_of, read_volume, write_volume

__all__ = [
    "InputError",
    "find_cases",
    "header_of",
    "read_volume",
    "select",
    "split",
    "write_description",
    "write_volume",
]
