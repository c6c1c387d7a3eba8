// The viewer of one case. The page holds the images, NiiVue draws them; nothing is loaded and nothing is sent.
"use strict";

const COLORMAPS = {
  difference: { R: [5, 67, 247, 214, 103], G: [48, 147, 247, 96, 0], B: [97, 195, 247, 77, 31], A: [255, 255, 255, 255, 255], I: [0, 64, 128, 191, 255] },
  lesions: { R: [63, 63], G: [208, 208], B: [255, 255], A: [0, 255], I: [0, 255] },
  truth: { R: [255, 255], G: [210, 210], B: [77, 77], A: [0, 255], I: [0, 255] },
  other: { R: [255, 255], G: [105, 105], B: [200, 200], A: [0, 255], I: [0, 255] },
  brain: { R: [53, 53], G: [199, 199], B: [89, 89], A: [0, 255], I: [0, 255] },
  probability: { R: [91, 91, 221, 252], G: [15, 15, 81, 255], B: [109, 109, 58, 164], A: [0, 255, 255, 255], I: [0, 1, 128, 255] },
};
const ALL_PLANES = 3; // NiiVue's SLICE_TYPE.MULTIPLANAR; 0, 1 and 2 are axial, coronal and sagittal
const LAYOUT = [
  { sliceType: 0, position: [0, 0, 0.62, 1] },
  { sliceType: 1, position: [0.62, 0, 0.38, 0.5] },
  { sliceType: 2, position: [0.62, 0.5, 0.38, 0.5] },
];
const WHOLE = [0, 0, 0, 1]; // of no shift and no zoom

const element = (id) => document.getElementById(id);
const elements = (selector) => [...document.querySelectorAll(selector)];

class Viewer {
  constructor(data) {
    this.data = data;
    this.shown = data.first;
    this.lesion = null;
    this.hidden = false; // overlays, by the space bar
    this.nv = new niivue.Niivue({
      isRadiologicalConvention: true,
      showAllOrientationMarkers: true,
      multiplanarShowRender: 0,
      multiplanarPadPixels: 4,
      crosshairColor: [0.25, 0.85, 0.35, 0.8],
      crosshairWidth: 0.25,
      crosshairWidthUnit: "percent",
      crosshairGap: 5,
      fontColor: [0.95, 0.65, 0.1, 1],
      dragAndDropEnabled: false,
      loadingText: "",
      logLevel: "error",
      mouseEventConfig: {
        leftButton: { primary: 8, withShift: 9, withCtrl: 8 }, // DRAG_MODE: 8 crosshair, 9 windowing
        rightButton: 3, // pan
        centerButton: 3,
      },
    });
  }

  async open() {
    await this.nv.attachToCanvas(element("canvas"));
    for (const [name, colors] of Object.entries(COLORMAPS)) this.nv.addColormap(name, colors);
    this.images = await Promise.all(this.data.images.map(unpack));
    this.overlays = await Promise.all(this.data.overlays.map(unpack));
    this.nv.onLocationChange = (location) => this.tell(location);
    this.nv.onIntensityChange = () => this.showWindow();
    this.show();
    this.goTo(this.data.start);
    this.setPlanes(ALL_PLANES);
    this.listen();
    element("message").hidden = true;
  }

  /** Draw the chosen image with the chosen overlays; the place stays. */
  show() {
    const nv = this.nv;
    const image = this.images[this.shown];
    const opacity = this.hidden ? 0 : Number(element("opacity")?.value ?? 0) / 100;
    const chosen = elements("#overlays input:checked").map((box) => this.overlays[box.value]);
    for (const overlay of chosen) overlay.opacity = opacity;
    nv.volumes = [image, ...chosen];
    nv.back = image;
    nv.overlays = chosen;
    nv.updateGLVolume();
    nv.createOnLocationChange();
    elements("#images input[type=radio]").forEach((button, number) => (button.checked = number === this.shown));
    this.showWindow();
  }

  showWindow() {
    const image = this.images[this.shown];
    const { unit, colors } = this.data.images[this.shown];
    element("low").value = rounded(image.cal_min);
    element("high").value = rounded(image.cal_max);
    element("unit").textContent = unit;
    element("scale").hidden = colors === "gray";
    element("scale-low").textContent = rounded(image.cal_min);
    element("scale-high").textContent = rounded(image.cal_max);
  }

  setWindow(low, high) {
    if (!(low < high)) return;
    const image = this.images[this.shown];
    [image.cal_min, image.cal_max] = [low, high];
    this.show();
  }

  /** Move the crosshair to a place (mm; right, anterior, superior). */
  goTo(place) {
    this.nv.scene.crosshairPos = this.nv.mm2frac(place, 0, true);
    this.nv.createOnLocationChange();
    this.nv.drawScene();
  }

  goToLesion(number) {
    if (!this.data.lesions.length) return;
    this.lesion = (number + this.data.lesions.length) % this.data.lesions.length;
    this.goTo(this.data.lesions[this.lesion]);
    elements("#lesions tbody tr").forEach((row, index) => {
      row.setAttribute("aria-current", index === this.lesion);
      if (index === this.lesion) row.scrollIntoView({ block: "nearest" });
    });
  }

  /** Tell where the crosshair is, and the values there. */
  tell(location) {
    const [x, y, z] = location.mm;
    const sides = [x < 0 ? "L" : "R", y < 0 ? "P" : "A", z < 0 ? "I" : "S"];
    const place = [x, y, z].map((value, axis) => `${sides[axis]} ${Math.abs(value).toFixed(1)}`).join(", ");
    const values = location.values.map((value, layer) => {
      const known = layer ? this.data.overlays[this.overlays.indexOf(this.nv.volumes[layer])] : this.data.images[this.shown];
      return `${known.name}: ${rounded(value.value)}${known.unit ? " " + known.unit : ""}`;
    });
    element("place").textContent = `${place} mm\n${values.join("; ")}`;
  }

  listen() {
    elements("#images input[type=radio]").forEach((button) => button.addEventListener("change", () => this.choose(Number(button.value))));
    elements("#overlays input[type=checkbox]").forEach((box) => box.addEventListener("change", () => this.unhide()));
    element("opacity")?.addEventListener("input", () => this.unhide());
    for (const id of ["low", "high"]) element(id).addEventListener("change", () => this.setWindow(Number(element("low").value), Number(element("high").value)));
    element("reset").addEventListener("click", () => this.setWindow(...this.data.images[this.shown].window));
    elements("#lesions tbody tr").forEach((row) => row.addEventListener("click", () => this.goToLesion(Number(row.dataset.lesion))));
    element("planes").addEventListener("change", (event) => this.setPlanes(Number(event.target.value)));
    element("sides").addEventListener("change", (event) => this.nv.setRadiologicalConvention(event.target.value === "radiological"));
    element("smooth").addEventListener("change", (event) => this.nv.setInterpolation(!event.target.checked));
    document.addEventListener("keydown", (event) => this.press(event), true);
    element("canvas").addEventListener("keyup", (event) => event.stopImmediatePropagation(), true); // NiiVue's own keys
  }

  choose(number) {
    if (number >= this.images.length) return;
    this.shown = number;
    this.show();
  }

  unhide() {
    this.hidden = false;
    element("opacity-value").textContent = `${element("opacity").value} %`;
    this.show();
  }

  setPlanes(planes) {
    this.nv.clearCustomLayout();
    this.nv.setSliceType(planes);
    if (planes === ALL_PLANES) this.nv.setCustomLayout(LAYOUT);
  }

  setOpacity(value) {
    if (!element("opacity")) return;
    element("opacity").value = value;
    this.unhide();
  }

  press(event) {
    if (event.target.matches("input[type=number], select") || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " " && event.target.matches("button, summary, input")) return; // which it presses
    if (event.key.startsWith("Arrow") && event.target.matches("input")) return;
    const step = event.shiftKey ? 10 : 1;
    const actions = {
      ArrowUp: () => this.nv.moveCrosshairInVox(0, 0, step),
      ArrowDown: () => this.nv.moveCrosshairInVox(0, 0, -step),
      ArrowLeft: () => this.nv.moveCrosshairInVox(this.towards(-step), 0, 0),
      ArrowRight: () => this.nv.moveCrosshairInVox(this.towards(step), 0, 0),
      PageUp: () => this.nv.moveCrosshairInVox(0, step, 0),
      PageDown: () => this.nv.moveCrosshairInVox(0, -step, 0),
      " ": () => ((this.hidden = !this.hidden), this.show()),
      "+": () => this.setOpacity(Number(element("opacity")?.value) + 10),
      "-": () => this.setOpacity(Number(element("opacity")?.value) - 10),
      n: () => this.goToLesion(this.lesion === null ? 0 : this.lesion + 1),
      p: () => this.goToLesion(this.lesion === null ? -1 : this.lesion - 1),
      r: () => this.nv.setPan2Dxyzmm(WHOLE),
    };
    const action = /^[1-9]$/.test(event.key) ? () => this.choose(Number(event.key) - 1) : actions[event.key];
    if (!action && event.target !== element("canvas")) return;
    event.stopPropagation();
    if (!action) return;
    event.preventDefault();
    action();
  }

  /** Turn voxels to the right of the picture into voxels to the patient's right. */
  towards(step) {
    return this.nv.getRadiologicalConvention() ? -step : step;
  }
}

async function unpack(volume) {
  const { nifti, colors, window } = volume;
  delete volume.nifti; // half of the memory
  const options = { name: "volume.nii.gz", colormap: colors, cal_min: window[0], cal_max: window[1] };
  return niivue.NVImage.loadFromBase64({ base64: nifti, ...options });
}

function rounded(value) {
  return String(Number(value.toPrecision(3)));
}

async function start() {
  const source = element("case");
  const viewer = new Viewer(JSON.parse(source.textContent));
  source.remove();
  window.viewer = viewer;
  await viewer.open();
  document.body.dataset.state = "ready";
}

start().catch((error) => {
  document.body.dataset.state = "failed";
  element("message").hidden = false;
  element("message").textContent = `The images cannot be shown (${error.message ?? error}). The browser has to have WebGL2; the static picture beside this page shows some slices.`;
});
