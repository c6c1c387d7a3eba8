"""A case of phase and magnitude in the place of images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...datasets import Case, InputError, read_volume, subject_and_session
from ...datasets.echoes import read_part
from .bundle import Bundle

OVERLAY = "phase"
"""Config of the bundles that take phase."""


def phase_overlay(bundle: Bundle) -> list[str]:
    """Return the config by which a bundle takes phase.

    Raises:
        InputError: if it has none.
    """
    if bundle.config(OVERLAY) is None:
        raise InputError.at("`phase`", f"has no meaning for {bundle.name}", "give its images as `image`")
    return [OVERLAY]


def complete_phase(case: Case) -> Case:
    """Let the first phase stand for the image; without a name the case gets that of it.

    Raises:
        InputError: if there is phase or magnitude alone, or images beside them.
    """
    if case.image or case.kspace:
        other = "image" if case.image else "kspace"
        raise InputError.at(f"`{other}`", "has no meaning with `phase`", "leave it out")
    if not (case.phase and case.magnitude):
        missing = "magnitude" if case.phase else "phase"
        raise InputError.at(f"`{missing}`", "is not given", "give phase and magnitude of every echo")
    subject, session = subject_and_session(case.phase[0])
    names = {} if case.subject else {"subject": subject, "session": session}
    return replace(case, image=[str(case.phase[0])], **names)


def check_phase(case: Case, mask: Path | str | None, allow_nan: bool) -> Case:
    """Read everything once, as :func:`~.case_files.check_case`; add the mask.

    Raises:
        InputError: if a file cannot be used, or the mask has not their shape.
    """
    phases = read_part(case.phase, "phase", allow_nan, timed=False)
    read_part(case.magnitude, "magnitude", allow_nan, timed=False)
    if mask is None:
        return case
    shapes = tuple(read_volume(mask, allow_constant=True).shape[1:]), tuple(phases[0].image.shape[1:])
    if shapes[0] != shapes[1]:
        problem = f"the mask has shape {shapes[0]}, the phase {shapes[1]}"
        raise InputError.at(mask, problem, "give a mask on the grid of the phase")
    return replace(case, mask=str(mask))
