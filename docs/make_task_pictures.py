"""Make the pictures of the README: for each bundle what goes in, what comes out, and the truth, of one case.

    python docs/make_task_pictures.py ../shared/data WORK

Cases are cut from the real images of the first folder to few planes, and evaluated into WORK by the commands below
with the weights that ship, which saw none of them in training; what lies there already is not made anew.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from PIL import Image

HERE = Path(__file__).parent
ALL = slice(None)
EVALUATE = "evaluate {bundle} --dataset-dir {case} --output-dir {out} --baseline "
COMMANDS = {
    "ms_lesion_segmentation_fanet": "predict {bundle} --output-dir {out} --image T1w={case}/sub-19_T1w.nii.gz"
    " --image T2w={case}/sub-19_T2w.nii.gz --image FLAIR={case}/sub-19_FLAIR.nii.gz",
    "qsm_reconstruction_fanet": EVALUATE + "solvers/total_variation",
    "guided_reconstruction_manet": EVALUATE + "networks/compressed_sensing -- --mask random --acceleration 4",
    "guided_super_resolution_sanet": EVALUATE + "networks/bicubic -- --scale 4",
    "brain_super_resolution_cftn": EVALUATE + "networks/cubic",
}
LESJAK = "Image: Lesjak et al., Neuroinformatics 2018;16:51-63, CC-BY (via open_ms_data)"
PHANTOM = "Field simulated in the segmented head of the QSM challenge (Susceptibility-Separation-Phantom, MIT)"
EUN = "Image: FNNDSC/data, Apache-2.0"


def mri_attention(command: str) -> None:
    """Run a command of the project."""
    subprocess.run([Path(sys.executable).with_name("mri-attention"), *command.split()], check=True)


def cut(source: Path, target: Path, planes: tuple[slice, slice, slice]) -> None:
    """Write some planes of the image at ``source``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.load(source).slicer[planes], target)


def cases(data: Path, work: Path) -> dict[str, Path]:
    """Return the input of each bundle, cut from ``data`` into ``work``."""
    folders = {bundle: work / "cases" / bundle for bundle in COMMANDS}
    planes = {bundle: folder / "sub-01" / "anat" for bundle, folder in folders.items()}
    if not (work / "cases").exists():
        for contrast in ("T1w", "T2w"):
            name = f"sub-01_{contrast}.nii.gz"
            head = data / "multicontrast_2d/sub-12/ses-2/anat" / f"sub-12_ses-2_{contrast}.nii.gz"
            brain = data / "ms_lesions/sub-19/anat" / f"sub-19_{contrast}.nii.gz"
            slices = slice(24, 29) if contrast == "T2w" else ALL
            cut(head, planes["guided_reconstruction_manet"] / name, (ALL, ALL, slices))
            cut(brain, planes["guided_super_resolution_sanet"] / name, (ALL, ALL, slice(82, 104, 7)))
        whole = data / "t1_single/sub-eun/anat/sub-eun_T1w.nii.gz"
        part = (slice(48, 208), slice(40, 168), slice(50, 98))
        cut(whole, planes["brain_super_resolution_cftn"] / "sub-01_T1w.nii.gz", part)
        phantom = f"--source {data}/qsm_phantom --output {folders['qsm_reconstruction_fanet']}"
        mri_attention(f"prepare qsm-labels {phantom} --spacing 1,1,1 --b0-direction 0,0,1 --snr 124.6")  # 0.5 ppb
    return {**folders, "ms_lesion_segmentation_fanet": data / "ms_lesions/sub-19/anat"}


def load(folder: Path, name: str) -> np.ndarray:
    """Return the nearest volume below ``folder`` whose file ends with ``name``, in RAS orientation."""
    path = min(folder.glob(f"**/sub-*_{name}.nii.gz"), key=lambda path: len(path.parts))
    return np.asarray(nib.as_closest_canonical(nib.load(path)).dataobj, dtype=np.float32)


def axial(volume: np.ndarray, z: float, margins: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Return a plane in radiological convention; ``z`` and the margins left out are shares of the volume's axes."""
    (x, y), (left, front) = volume.shape[:2], margins
    sides, ends = round(left * x), round(front * y)
    return volume[sides : x - sides, ends : y - ends, int(z * volume.shape[2])][::-1].T[::-1]


def strip(panels: dict[str, np.ndarray], credit: str, window: tuple[float, float] | None = None) -> plt.Figure:
    """Draw ``panels`` side by side, in the gray values of ``window`` or of each of them."""
    height, width = next(iter(panels.values())).shape
    inches = 8.8 / len(panels) * height / width + 0.5
    figure, row = plt.subplots(1, len(panels), figsize=(8.8, inches), facecolor="black")
    figure.subplots_adjust(0.004, 0.2 / inches, 0.996, 1 - 0.3 / inches, wspace=0.02)
    for axes, (title, image) in zip(row, panels.items(), strict=True):
        low, high = window or (0, np.percentile(image[image > 0], 99.5))
        axes.imshow(image, cmap="gray", vmin=low, vmax=high)
        axes.set_title(title, color="white", fontsize=10, pad=4)
        axes.set_axis_off()
    figure.text(0.006, 0.05 / inches, credit, color="darkgray", fontsize=6.5)
    return figure


def save(figure: plt.Figure, bundle: str) -> None:
    """Write ``figure`` in few colors, for the sake of its size."""
    path = HERE / "tasks" / f"{bundle}.png"
    figure.savefig(path, dpi=100, facecolor="black")
    Image.open(path).convert("RGB").quantize(96).save(path, optimize=True)


def lesions(case: Path, out: Path) -> plt.Figure:
    """Draw the contrasts and, on the FLAIR, the lesions of FA-Net and of the raters."""
    truth = load(case.parents[1] / "derivatives/consensus/sub-19", "label-lesion_mask") > 0
    z = float(np.argmax(truth.sum((0, 1))) + 0.5) / truth.shape[2]
    panels = {name: axial(load(case, name), z, (0.1, 0.14)) for name in ("T1w", "T2w", "FLAIR")}
    figure = strip({**panels, "FA-Net red, raters green": panels["FLAIR"]}, LESJAK)
    for mask, color in ((truth, "lime"), (load(out, "label-lesion_mask") > 0, "red")):
        figure.axes[-1].contour(axial(mask, z, (0.1, 0.14)), [0.5], colors=color, linewidths=0.8)
    return figure


def susceptibility(case: Path, out: Path) -> plt.Figure:
    """Draw field, maps and truth in one window of ppm."""
    volumes = {
        "local field (x 3)": 3 * load(case / "sub-phantom", "localfield"),
        "FA-QSMnet": load(out / "sub-phantom", "Chimap"),
        "truth": load(case / "derivatives", "Chimap"),
    }
    return strip(
        {title: axial(volume, 0.45, (0.08, 0.06)) for title, volume in volumes.items()}, PHANTOM, (-0.12, 0.18)
    )


def images(volumes: dict[str, np.ndarray], credit: str, margins: tuple[float, float]) -> plt.Figure:
    """Draw the middle plane of ``volumes`` by their titles, in the gray values of the last one."""
    panels = {title: axial(volume, 0.5, margins) for title, volume in volumes.items()}
    last = panels[next(reversed(panels))]
    return strip(panels, credit, (0, float(np.percentile(last[last > 0], 99.7))))


def reconstruction(case: Path, out: Path) -> plt.Figure:
    """Draw the zero-filled image, compressed sensing, MANet and the truth."""
    volumes = {
        "a quarter of k-space": load(out, "desc-input_T2w"),
        "compressed sensing": load(out / "baselines", "rec-manet_T2w"),
        "MANet, with a T1w": load(out, "rec-manet_T2w"),
        "truth": load(out, "desc-reference_T2w"),
    }
    return images(volumes, LESJAK, (0.12, 0.05))


def guided(case: Path, out: Path) -> plt.Figure:
    """Draw the T2w of low resolution, the T1w, SANet and the truth."""
    volumes = {
        "T2w, pixels 4 times as wide": load(out, "desc-input_T2w"),
        "T1w": load(case, "T1w"),
        "SANet": load(out, "rec-sanet_T2w"),
        "truth": load(out, "desc-reference_T2w"),
    }
    scale = np.percentile(volumes["truth"], 99.7) / np.percentile(volumes["T1w"], 99.7)
    return images({**volumes, "T1w": scale * volumes["T1w"]}, LESJAK, (0.1, 0.14))


def volumes(case: Path, out: Path) -> plt.Figure:
    """Draw the T1w of low resolution, cubic interpolation, CFTN and the truth."""
    panels = {
        "T1w, voxels twice as wide": load(out, "desc-input_T1w"),
        "cubic interpolation": load(out / "baselines", "rec-cftn_T1w"),
        "CFTN": load(out, "rec-cftn_T1w"),
        "truth": load(out, "desc-reference_T1w"),
    }
    return images(panels, EUN, (0, 0))


PICTURES = dict(zip(COMMANDS, (lesions, susceptibility, reconstruction, guided, volumes), strict=True))


def main() -> None:
    """Evaluate what is not evaluated yet, and draw."""
    work = Path(sys.argv[2])
    for bundle, case in cases(Path(sys.argv[1]), work).items():
        out = work / bundle
        if not out.exists():
            mri_attention(COMMANDS[bundle].format(bundle=bundle, case=case, out=out))
        save(PICTURES[bundle](case, out), bundle)


if __name__ == "__main__":
    main()
