"""Tests of reading echoes, of BIDS, other NIfTI files and DICOM, and of finding them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mri_attention.datasets import InputError, find_phase_cases, read_echoes
from mri_attention.datasets.phase_cases import name_without_echo
from tests.datasets import dicom_files
from tests.transforms.gradient_echoes import B0, TIMES, save, signal, write_echoes


def four_dimensional(folder: Path, sidecar: dict[str, object] | None = None) -> tuple[Path, Path]:
    echoes = signal()
    phase = save(folder / "sub-1_part-phase_MEGRE.nii.gz", np.angle(echoes), sidecar)
    return phase, save(folder / "sub-1_part-mag_MEGRE.nii.gz", np.abs(echoes), sidecar)


def test_echoes_are_sorted_by_time(tmp_path: Path) -> None:
    paths = write_echoes(tmp_path)
    found = read_echoes(paths["phase"][::-1], paths["magnitude"][::-1])
    assert found.echo_times == list(TIMES)
    np.testing.assert_allclose(found.phase.numpy(), np.angle(signal()), atol=1e-6)
    np.testing.assert_allclose(found.magnitude.numpy(), 1000 * np.abs(signal()), rtol=1e-5)
    assert found.told["MagneticFieldStrength"] == B0


def test_a_file_of_all_echoes_is_as_files_of_each(tmp_path: Path) -> None:
    phase, magnitude = four_dimensional(tmp_path, {"EchoTime": list(TIMES), "MagneticFieldStrength": B0})
    found = read_echoes([phase], [magnitude])
    assert found.echo_times == list(TIMES)
    np.testing.assert_allclose(found.phase.numpy(), np.angle(signal()), atol=1e-6)


def test_times_are_those_given(tmp_path: Path) -> None:
    phase, magnitude = four_dimensional(tmp_path)
    assert read_echoes([phase], [magnitude], [0.001, 0.002, 0.003]).echo_times == [0.001, 0.002, 0.003]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (None, "no EchoTime of 3 echoes"),
        ({"EchoTime": 0.004}, "1 echo times for 3 echoes"),
        ({"EchoTime": [4, 10, 16]}, "4 s is the echo time of no image"),
        ({"EchoTime": [0.004, 0.004, 0.016]}, "several echoes of one time"),
    ],
)
def test_times_that_are_not_told_or_wrong_are_refused(
    told: dict[str, object] | None, message: str, tmp_path: Path
) -> None:
    phase, magnitude = four_dimensional(tmp_path, told)
    with pytest.raises(InputError, match=message):
        read_echoes([phase], [magnitude])


def test_each_time_that_is_not_that_of_its_sidecar_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = write_echoes(tmp_path)
    swapped = [TIMES[0], TIMES[2], TIMES[1]]
    assert read_echoes(paths["phase"], paths["magnitude"], swapped).echo_times == list(TIMES)
    told = [line for line in caplog.messages if "the latter is used" in line]
    assert [(Path(line.split(":")[0]).name, line.split("tells ")[1]) for line in told] == [
        (Path(paths["phase"][n]).name, f"{TIMES[n]:g}, `echo_time` {swapped[n]:g}; the latter is used") for n in (1, 2)
    ]
    caplog.clear()
    phase, magnitude = four_dimensional(tmp_path, {"EchoTime": list(TIMES)})
    read_echoes([phase], [magnitude], list(TIMES))
    assert not caplog.messages
    read_echoes([phase], [magnitude], swapped)
    assert len(caplog.messages) == 2


def test_a_file_given_twice_and_echoes_of_two_fields_are_refused(tmp_path: Path) -> None:
    paths = write_echoes(tmp_path)
    first, second, third = paths["phase"]
    with pytest.raises(InputError, match=r"is given twice as `phase`; give each echo once"):
        read_echoes([first, second, first], paths["magnitude"], list(TIMES))
    with pytest.raises(InputError, match="is given twice as `magnitude`"):
        read_echoes(paths["phase"], [*paths["magnitude"][:2], paths["magnitude"][1]], list(TIMES))
    sidecar = Path(third.replace(".nii.gz", ".json"))
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"MagneticFieldStrength": 7}))
    with pytest.raises(InputError, match=rf"its sidecar or header tells 7 T, that of another echo {B0:g} T"):
        read_echoes(paths["phase"], paths["magnitude"])


def test_phase_and_magnitude_have_to_be_of_the_same_echoes(tmp_path: Path) -> None:
    paths = write_echoes(tmp_path)
    with pytest.raises(InputError, match="2 echoes of magnitude, but 3 of phase"):
        read_echoes(paths["phase"], paths["magnitude"][:2])
    with pytest.raises(InputError, match="in the same order"):
        read_echoes(paths["phase"], paths["magnitude"][::-1])
    with pytest.raises(InputError, match="`magnitude`: is not given"):
        read_echoes(paths["phase"], [])
    small = save(tmp_path / "small.nii.gz", np.abs(signal())[0, :-1], {"EchoTime": TIMES[0]})
    with pytest.raises(InputError, match="an echo lies on another grid"):
        read_echoes(paths["phase"][:1], [small])


def test_what_is_of_the_other_part_is_refused(tmp_path: Path) -> None:
    paths = write_echoes(tmp_path)
    with pytest.raises(InputError, match=r"part-mag_MEGRE.nii.gz: by its name or sidecar it is no phase; give"):
        read_echoes(paths["magnitude"], paths["phase"])
    told = {"EchoTime": TIMES[0], "ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}
    values = np.angle(signal())[0]
    unnamed, named = save(tmp_path / "a.nii.gz", values, told), save(tmp_path / "b.nii.gz", values)
    with pytest.raises(InputError, match=r"a.nii.gz: by its name or sidecar it is no magnitude"):
        read_echoes(paths["phase"][:1], [unnamed])
    with pytest.raises(InputError, match=r"b.nii.gz: values from -3.14\d+ to 3.14\d+ are no magnitude"):
        read_echoes(paths["phase"][:1], [named])


def test_times_that_are_given_go_before_sidecars_that_are_wrong(tmp_path: Path) -> None:
    phase, magnitude = four_dimensional(tmp_path, {"EchoTime": 4})
    assert read_echoes([phase], [magnitude], TIMES).echo_times == list(TIMES)


def dicom_series(folder: Path, times: tuple[float, ...] = (4.0, 10.0)) -> Path:
    """Write magnitude and phase of each echo into one folder, as two series."""
    positions = dicom_files.places(8, dicom_files.directions(), 2.0)
    for number, kind in enumerate(("M", "P")):
        for echo, time in enumerate(times):
            tags = {
                "EchoTime": time,
                "ImageType": ["ORIGINAL", "PRIMARY", kind],
                "MagneticFieldStrength": 3.0,
                "Manufacturer": "SIEMENS",
                "RescaleSlope": 2 if kind == "P" else 1,
                "RescaleIntercept": -4096 if kind == "P" else 0,
            }
            images = dicom_files.slices(positions, SeriesInstanceUID=f"1.2.3.{number}", **tags)
            for place, dataset in enumerate(images):
                dicom_files.save(dataset, folder / f"{number}{echo}{place}.dcm")
    return folder


def test_a_folder_of_dicoms_gives_its_echoes(tmp_path: Path) -> None:
    folder = dicom_series(tmp_path / "dicom")
    found = read_echoes([folder], [folder])
    assert found.echo_times == [0.004, 0.010]
    assert found.told == {"MagneticFieldStrength": 3.0, "Manufacturer": "SIEMENS"}
    np.testing.assert_allclose(found.phase.numpy(), 2 * found.magnitude.numpy() - 4096)


def test_a_folder_without_phase_is_refused(tmp_path: Path) -> None:
    folder = dicom_series(tmp_path / "dicom")
    for file in folder.glob("1*"):
        file.unlink()
    with pytest.raises(InputError, match="holds no phase images; give the folder of the phase series"):
        read_echoes([folder], [folder])


@pytest.mark.parametrize("suffix", ["MEGRE", "GRE", "T2starw"])
def test_bids_folders_are_searched(suffix: str, tmp_path: Path) -> None:
    paths = [write_echoes(tmp_path, TIMES[:2], suffix=suffix, name=name) for name in ("sub-1", "sub-2")]
    found = find_phase_cases(tmp_path)
    assert [case["subject"] for case in found] == ["sub-1", "sub-2"]
    assert [{part: case[part] for part in ("phase", "magnitude")} for case in found] == paths
    assert [case["subject"] for case in find_phase_cases(tmp_path, {"subjects": ["2"]})] == ["sub-2"]


def test_files_of_all_echoes_are_found_and_magnitude_without_part(tmp_path: Path) -> None:
    _, magnitude = four_dimensional(tmp_path / "sub-1" / "anat")
    magnitude.rename(magnitude.with_name("sub-1_MEGRE.nii.gz"))
    (case,) = find_phase_cases(tmp_path)
    assert [Path(file).name for file in case["magnitude"]] == ["sub-1_MEGRE.nii.gz"]


def test_cases_that_are_incomplete_are_refused_or_left_out(tmp_path: Path) -> None:
    write_echoes(tmp_path, name="sub-1")
    Path(write_echoes(tmp_path, name="sub-2")["magnitude"][1]).unlink()
    with pytest.raises(InputError, match="no magnitude beside it"):
        find_phase_cases(tmp_path)
    assert len(find_phase_cases(tmp_path, {"skip_incomplete": True})) == 1
    write_echoes(tmp_path, TIMES[:1], suffix="GRE", name="sub-1")
    with pytest.raises(InputError, match="sub-1 has several scans with part-phase"):
        find_phase_cases(tmp_path, {"subjects": ["1"]})
    (tmp_path / "sub-3" / "anat").mkdir(parents=True)
    with pytest.raises(InputError, match="sub-3 has no image with part-phase"):
        find_phase_cases(tmp_path, {"subjects": ["3"]})
    with pytest.raises(InputError, match="no such folder or datalist"):
        find_phase_cases(tmp_path / "missing")
    with pytest.raises(InputError, match="no subjects"):
        find_phase_cases(tmp_path / "sub-1")


def test_datalists_name_phase_and_magnitude(tmp_path: Path) -> None:
    paths = write_echoes(tmp_path)
    listed = [{part: [str(Path(f).relative_to(tmp_path)) for f in files] for part, files in paths.items()}]
    (tmp_path / "list.json").write_text(json.dumps(listed))
    (case,) = find_phase_cases(tmp_path / "list.json")
    assert {part: case[part] for part in ("phase", "magnitude")} == paths
    (tmp_path / "list.json").write_text(json.dumps([{"phase": listed[0]["phase"]}]))
    with pytest.raises(InputError, match=r"list.json, entry 1: has no magnitude; write"):
        find_phase_cases(tmp_path / "list.json")
    (tmp_path / "list.json").write_text(json.dumps([{"phase": "a.nii.gz", "magnitude": "b.nii.gz"}]))
    with pytest.raises(InputError, match=r"a.nii.gz: no such file; correct"):
        find_phase_cases(tmp_path / "list.json")
    (tmp_path / "list.json").write_text(json.dumps([{"phase": [1], "magnitude": "b.nii.gz"}]))
    with pytest.raises(InputError, match='"phase" is 1, which is no text'):
        find_phase_cases(tmp_path / "list.json")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(InputError, match=r"list.json: no cases in it"):
        find_phase_cases(tmp_path / "list.json")
    (tmp_path / "list.json").write_text(json.dumps(listed * 2))
    with pytest.raises(InputError, match="entry 2: is named sub-1_sub-1_MEGRE as entry 1; list each scan once"):
        find_phase_cases(tmp_path / "list.json")


def test_masks_and_wanted_truths_are_those_of_derivatives(tmp_path: Path) -> None:
    write_echoes(tmp_path)
    assert not {"mask", "label"} & set(find_phase_cases(tmp_path)[0])
    with pytest.raises(
        InputError, match=r"no Chimap in derivatives; add derivatives/\*/sub-1/anat/sub-1_Chimap.nii.gz"
    ):
        find_phase_cases(tmp_path, label="Chimap")
    truth = tmp_path / "derivatives" / "qsm" / "sub-1" / "anat"
    for name in ("Chimap", "desc-brain_mask"):
        save(truth / f"sub-1_{name}.nii.gz", np.ones((2, 2, 2)))
    (case,) = find_phase_cases(tmp_path, label="Chimap")
    assert case["label"] == str(truth / "sub-1_Chimap.nii.gz")
    assert case["mask"] == str(truth / "sub-1_desc-brain_mask.nii.gz")
    assert "label" not in find_phase_cases(tmp_path)[0]


def test_wanted_truths_of_datalists_must_be_there(tmp_path: Path) -> None:
    paths = write_echoes(tmp_path)
    (tmp_path / "list.json").write_text(json.dumps([paths]))
    with pytest.raises(InputError, match='entry 1: has no label; write "label": FILE'):
        find_phase_cases(tmp_path / "list.json", label="Chimap")
    (tmp_path / "list.json").write_text(json.dumps([paths | {"label": paths["phase"][0]}]))
    assert find_phase_cases(tmp_path / "list.json", label="Chimap")[0]["label"] == paths["phase"][0]


def test_results_are_named_without_echo_and_part() -> None:
    assert name_without_echo("sub-1_ses-2_echo-1_part-phase_MEGRE") == "sub-1_ses-2_MEGRE"
    assert name_without_echo("sub-1_echo-1_T2w") == "sub-1_echo-1_T2w"
