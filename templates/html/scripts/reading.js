// Reading a drawing: a mark that is pointed at, or reached by the arrow keys, tells its numbers; a box drawn with the
// mouse, or the plus key, is zoomed into.
const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function startReading(charts) {
  for (const drawing of document.querySelectorAll(".panel > [role=img]")) {
    const own = charts.filter((chart) => drawing.contains(chart.group));
    const marks = [...drawing.querySelectorAll("[data-numbers]")].flatMap((group) => {
      const told = group.closest("[data-told]").dataset.told, numbers = group.dataset.numbers.split("\u00b6");
      return [...group.querySelectorAll(".mark")].map((mark, place) => {
        const parts = [policyOf(group), ...numbers[place].split("\u00a6")];
        return { mark, text: parts.reduce((text, part) => text.replace("{}", () => part), told) };
      });
    });
    if (marks.length) readable(drawing, marks, own);
    downloadable(drawing);
  }
}

function readable(drawing, marks, own) {
  const tip = element("p", "", { className: "tip", hidden: true });
  tip.setAttribute("role", "status");
  drawing.after(tip);
  drawing.tabIndex = 0;
  let chosen = null;
  const tell = (each) => {
    chosen?.mark.classList.remove("chosen");
    chosen = each;
    tip.hidden = !each;
    tip.textContent = each?.text ?? "";
    each?.mark.classList.add("chosen");
  };
  const seen = () => marks.filter(({ mark }) => mark.getBoundingClientRect().width && mark.parentNode.style.display !== "none");
  const centre = ({ mark }) => {
    const box = mark.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const nearest = (x, y, within, known = seen()) => {
    let best = null, least = within;
    for (const each of known) {
      const [a, b] = centre(each), far = Math.hypot(a - x, b - y);
      if (far < least) [best, least] = [each, far];
    }
    return best;
  };
  drawing.addEventListener("pointermove", (event) => tell(nearest(event.clientX, event.clientY, 24)));
  drawing.addEventListener("pointerleave", () => tell(null));
  drawing.addEventListener("focus", () => { if (!chosen) tell(seen()[0] ?? null); });
  drawing.addEventListener("blur", () => tell(null));
  drawing.addEventListener("keydown", (event) => {
    const [right, down] = STEPS[event.key] ?? [];
    if (right !== undefined && chosen) {
      event.preventDefault();
      const [x, y] = centre(chosen);
      // Of the marks on that side the one that is nearest along the arrow, where sideways counts double.
      const ahead = seen().filter((each) => {
        const [a, b] = centre(each);
        return each !== chosen && right * (a - x) + down * (b - y) > 0.5;
      });
      const cost = (each) => {
        const [a, b] = centre(each), along = right * (a - x) + down * (b - y);
        return along + 2 * Math.abs(right ? b - y : a - x);
      };
      const [next] = ahead.sort((one, other) => cost(one) - cost(other));
      if (next) tell(next);
    } else if (["+", "="].includes(event.key) && chosen) {
      const [x, y] = centre(chosen);
      for (const chart of own) zoomAround(chart, x, y);
    } else if (["-", "0", "Escape"].includes(event.key)) {
      for (const chart of own) zoomed(chart, null);
    }
  });
  for (const chart of own) brushed(drawing, chart);
}

function shares(chart, x, y) {
  const box = chart.group.querySelector(".plot").getBoundingClientRect();
  const frame = chart.group.ownerSVGElement.getBoundingClientRect(), scale = frame.width / chart.group.ownerSVGElement.viewBox.baseVal.width;
  const left = frame.x + chart.left * scale, top = frame.y + chart.top * scale;
  return [(x - left) / (chart.width * scale), 1 - (y - top) / (chart.height * scale), box];
}

function zoomed(chart, window) {
  chart.before ??= { ...chart.now };
  const cut = (axis, [low, high]) => ({ ...axis, low: valueAt(axis, low), high: valueAt(axis, high) });
  chart.now = window ? { x: cut(chart.now.x, window.x), y: cut(chart.now.y, window.y) } : chart.before;
  if (!window) chart.before = null;
  redraw(chart);
}

function zoomAround(chart, clientX, clientY) {
  const [x, y] = shares(chart, clientX, clientY);
  zoomed(chart, { x: [x - 0.25, x + 0.25], y: [y - 0.25, y + 0.25] });
}

function brushed(drawing, chart) {
  const svg = chart.group.ownerSVGElement, inside = (share) => share >= 0 && share <= 1;
  let start = null, box = null;
  svg.addEventListener("pointerdown", (event) => {
    const at = shares(chart, event.clientX, event.clientY);
    if (event.pointerType === "touch" || !inside(at[0]) || !inside(at[1])) return;
    start = at;
    box = svgElement("rect", { class: "brush" });
    chart.group.append(box);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!start) return;
    const [x, y] = shares(chart, event.clientX, event.clientY).map((share) => Math.min(1, Math.max(0, share)));
    for (const [name, value] of Object.entries({
      x: chart.left + chart.width * Math.min(x, start[0]), y: chart.top + chart.height * (1 - Math.max(y, start[1])),
      width: chart.width * Math.abs(x - start[0]), height: chart.height * Math.abs(y - start[1]),
    })) box.setAttribute(name, value);
  });
  svg.addEventListener("pointerup", (event) => {
    if (!start) return;
    const at = shares(chart, event.clientX, event.clientY), sorted = (one, other) => [one, other].sort((a, b) => a - b);
    const window = { x: sorted(start[0], at[0]), y: sorted(start[1], at[1]) };
    box.remove();
    start = null;
    if (window.x[1] - window.x[0] > 0.03 && window.y[1] - window.y[0] > 0.03) zoomed(chart, window);
  });
  svg.addEventListener("dblclick", () => zoomed(chart, null));
}

// A drawing as a file: it takes the style of drawings along, and has the page's colours.
function fileOf(svg) {
  const copy = svg.cloneNode(true), style = getComputedStyle(svg), [, , width, height] = svg.getAttribute("viewBox").split(" ");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("color", style.color);
  copy.setAttribute("font-family", style.fontFamily);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.prepend(svgElement("style", {}, document.getElementById("drawings").textContent),
    svgElement("rect", { width, height, fill: getComputedStyle(document.body).backgroundColor }));
  return "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(copy));
}

function saved(address, name) {
  element("a", "", { href: address, download: name }).click();
}

function downloadable(drawing) {
  const svg = drawing.querySelector("svg"), name = svg.dataset.name || "figure", tools = element("p", "", { className: "drawing-tools" });
  const title = drawing.parentNode.querySelector("h3").textContent;
  const button = (text, act) => {
    const made = element("button", text, { type: "button" });
    made.setAttribute("aria-label", `Save as ${text}: ${title}`);
    made.addEventListener("click", act);
    tools.append(made);
  };
  button("SVG", () => saved(fileOf(svg), name + ".svg"));
  button("PNG", () => {
    const image = new Image(), [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    image.addEventListener("load", () => {
      const canvas = element("canvas", "", { width: 4 * width, height: 4 * height });
      canvas.getContext("2d").drawImage(image, 0, 0, 4 * width, 4 * height);
      saved(canvas.toDataURL("image/png"), name + ".png");
    });
    image.src = fileOf(svg);
  });
  drawing.parentNode.append(tools);
}
