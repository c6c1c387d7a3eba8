"""Acquisitions of an ISMRMRD file: which of them are lines of the image, and where they lie in its k-space."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .input_error import InputError

logger = logging.getLogger(__name__)

CALIBRATION, CALIBRATION_AND_IMAGING, REVERSE = 20, 21, 22
"""Numbers of flags, as in the standard's table; number n is bit n - 1."""
NOISE = 19
NOT_OF_THE_IMAGE = (NOISE, CALIBRATION, 23, 24, 26, 27, 28, 29, 30, 31)
"""Noise, calibration alone, navigators, phase correction, feedback, dummies, feedback in real time, surface coil
correction, phase stabilization and its reference."""
COMPRESSED = (53, 54, 55, 56)
FIRST_ONLY = ("contrast", "phase", "repetition", "set")
FEWEST_NOISE = 10  # samples of noise for each coil, below which nothing is known of their covariance
WORST_CONDITION = 1e6  # of the covariance of their noise; beyond, coils are copies of each other
BAD_HEADER = "check how it was converted to ISMRMRD"


def of_the_image(path: Path | str, acquisitions: NDArray[Any]) -> NDArray[Any]:
    """Return the lines of the first image, and warn of others.

    Raises:
        InputError: if there is none, or lines are compressed, phase encoded along two axes, read in reverse, or of
            different numbers of coils.
    """
    heads = acquisitions["head"]
    is_calibration = _has_flag(heads, CALIBRATION) & ~_has_flag(heads, CALIBRATION_AND_IMAGING)
    others = [number for number in NOT_OF_THE_IMAGE if number != CALIBRATION]
    found = acquisitions[~(is_calibration | _has_flag(heads, *others))]
    if not len(found):
        raise InputError.at(path, f"none of {len(acquisitions)} acquisitions is of an image", BAD_HEADER)
    found = _of_the_first(path, found)
    heads = found["head"]
    if _has_flag(heads, *COMPRESSED).any():
        raise InputError.at(path, "the samples are compressed", "write them without compression")
    if heads["idx"]["kspace_encode_step_2"].any():
        raise InputError.at(path, "phase encoding along two axes (3D)", "give slices; transform the third axis first")
    if _has_flag(heads, REVERSE).any():
        raise InputError.at(path, "readouts in reverse (EPI)", "give k-space after EPI correction")
    if len(channels := np.unique(heads["active_channels"])) > 1:
        problem = f"acquisitions of {' and of '.join(map(str, channels[:3]))} coils"
        raise InputError.at(path, problem, "give k-space that all coils measured")
    return found


def noise_covariance(path: Path | str, acquisitions: NDArray[Any], n_coils: int) -> NDArray[np.complex128] | None:
    """Return the covariance of the coils' noise, ``(coil, coil)``, from the noise scans of a file.

    Returns:
        Its mean over the diagonal is one, as scans differ in bandwidth. None where there is no scan, and with a
        warning, where it cannot be read, or has other coils, too few samples, a coil without noise, or equal coils.
    """
    scans = acquisitions[_has_flag(acquisitions["head"], NOISE)]
    if not len(scans) or n_coils == 1:
        return None
    if (scans["head"]["active_channels"] != n_coils).any():
        logger.warning("%s: its noise scan is of other coils, and was not used", path)
        return None
    if _has_flag(scans["head"], *COMPRESSED).any():
        logger.warning("%s: its noise scan is compressed, and was not used", path)
        return None
    try:
        pairs = zip(scans["head"], scans["data"], strict=True)
        lines = [_line(path, head, samples, n_coils) for head, samples in pairs]
    except InputError as error:
        logger.warning("%s; of its noise scan, which was not used", error)
        return None
    noise = np.concatenate(lines, 1).astype(np.complex128)
    power = (np.abs(noise) ** 2).sum(1) / max(1, noise.shape[1])
    if noise.shape[1] < FEWEST_NOISE * n_coils:
        message = "%s: its noise scan has %d samples, and was not used; %d coils need %d"
        logger.warning(message, path, noise.shape[1], n_coils, FEWEST_NOISE * n_coils)
        return None
    if not power.min() > 0:
        message = "%s: its noise scan has nothing of coil %d, and was not used; leave out coils that receive nothing"
        logger.warning(message, path, int(power.argmin()))
        return None
    covariance: NDArray[np.complex128] = noise @ noise.conj().T / noise.shape[1]
    if np.linalg.cond(covariance) > WORST_CONDITION:
        logger.warning("%s: its noise scan has coils that received the same, and was not used; leave one out", path)
        return None
    return covariance / power.mean()


def whitened(kspace: NDArray[np.complex64], covariance: NDArray[np.complex128]) -> NDArray[np.complex64]:
    """Combine coils so that their noise is white: ``L^-1 y``, with the Cholesky factor L of its covariance.

    Pruessmann et al. 2001, Magn Reson Med 46:638, doi:10.1002/mrm.1241, appendix A.

    Args:
        kspace: ``(slice, coil, ...)``.
        covariance: ``(coil, coil)``.
    """
    inverse = np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.complex64)
    return np.ascontiguousarray(np.einsum("ij,sj...->si...", inverse, kspace))


def _of_the_first(path: Path | str, acquisitions: NDArray[Any]) -> NDArray[Any]:
    """Keep the first encoding, contrast, phase, repetition and set, telling so where there are several."""
    for name in ("encoding", *FIRST_ONLY):
        numbers = encodings(acquisitions) if name == "encoding" else acquisitions["head"]["idx"][name]
        if len(held := np.unique(numbers)) > 1:
            logger.warning("%s: k-space of %d %ss, only the first is reconstructed", path, len(held), name)
        acquisitions = acquisitions[numbers == held[0]]
    return acquisitions


def encodings(acquisitions: NDArray[Any]) -> NDArray[Any]:
    """Return to which of the header's encodings each acquisition belongs."""
    heads = acquisitions["head"]
    has_number = "encoding_space_ref" in (heads.dtype.names or ())
    return np.asarray(heads["encoding_space_ref"] if has_number else np.zeros(len(heads), int))


def _has_flag(heads: NDArray[Any], *numbers: int) -> NDArray[np.bool_]:
    bits = np.uint64(sum(1 << (number - 1) for number in numbers))
    return np.asarray((heads["flags"].astype(np.uint64) & bits) != 0)


def placed(
    path: Path | str, acquisitions: NDArray[Any], n_readout: int, n_lines: int, shift: int
) -> tuple[NDArray[np.complex64], NDArray[np.int64]]:
    """Sum lines into ``(slice, coil, readout, line)``, and count them in ``(slice, 1, readout, line)``.

    Args:
        path: named in errors.
        acquisitions: from :func:`of_the_image`.
        n_readout: of the encoded matrix.
        n_lines: of the encoded matrix.
        shift: from the number of a line to its column.

    Raises:
        InputError: if a slice has no lines, or a line has other samples than its header tells or lies beyond the
            matrix.
    """
    heads = acquisitions["head"]
    held, slices = np.unique(heads["idx"]["slice"], return_inverse=True)
    if missing := sorted(set(range(int(held[0]), int(held[-1]))) - set(held.tolist())):
        raise InputError.at(path, f"no lines of slice {missing[0]} (of {held[0]} to {held[-1]})", "copy it again")
    n_coils = int(heads["active_channels"][0])
    kspace = np.zeros((len(held), n_coils, n_readout, n_lines), np.complex64)
    counts = np.zeros((len(held), 1, n_readout, n_lines), int)
    for number, head, samples in zip(slices, heads, acquisitions["data"], strict=True):
        line = _line(path, head, samples, n_coils)
        start = n_readout // 2 - int(head["center_sample"]) + int(head["discard_pre"])
        column = int(head["idx"]["kspace_encode_step_1"]) + shift
        if not (0 <= start <= n_readout - line.shape[1] and 0 <= column < n_lines):
            place = f"line {column} of {n_lines}, samples {start} to {start + line.shape[1]} of {n_readout}"
            raise InputError.at(path, f"an acquisition lies beyond the encoded matrix ({place})", BAD_HEADER)
        kspace[number, :, start : start + line.shape[1], column] += line
        counts[number, :, start : start + line.shape[1], column] += 1
    return kspace, counts


def _line(path: Path | str, head: Any, samples: Any, n_coils: int) -> NDArray[np.complex64]:
    """Return ``(coil, sample)`` without what is to be discarded."""
    numbers = np.asarray(samples, np.float32)
    n_samples = int(head["number_of_samples"])
    if numbers.size != 2 * n_coils * n_samples:
        problem = f"an acquisition has {numbers.size // 2} samples, its header tells {n_coils} coils of {n_samples}"
        raise InputError.at(path, problem, BAD_HEADER)
    line: NDArray[np.complex64] = numbers.view(np.complex64).reshape(n_coils, n_samples)
    return line[:, int(head["discard_pre"]) : n_samples - int(head["discard_post"])]


def slice_positions(acquisitions: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return where the slices lie (RAS, mm), ``(slice, 3)`` in the order of their numbers; None if no file tells."""
    heads = acquisitions["head"]
    if "position" not in (heads.dtype.names or ()):
        return None
    first = np.unique(heads["idx"]["slice"], return_index=True)[1]
    positions = np.asarray(heads["position"][first], np.float64) * (-1, -1, 1)
    return positions if len(np.unique(positions.round(3), axis=0)) == len(positions) > 1 else None
