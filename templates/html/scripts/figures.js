// Figures: policies and convolutions can be hidden in all of them at once, and their logarithmic axes made linear.
const WORDS = { size, duration, plain };
const same = (at) => at;

function policyOf(part) {
  return [...part.classList].find((name) => name.startsWith("p:")).slice(2);
}

function axisOf(text) {
  const [kind, low, high, words] = text.split(" ");
  return { log: kind === "log", low: Number(low), high: Number(high), words: WORDS[words] };
}

// From a place on a logarithmic axis to that of the same value on a linear one, which begins at 0.
function stretched(axis, start, end) {
  if (!axis.log) return same;
  return (at) => {
    const value = axis.low * (axis.high / axis.low) ** ((at - start) / (end - start));
    return start + (end - start) * value / axis.high;
  };
}

function ticksOf(axis) {
  const unit = axis.words === size ? 2 ** (10 * Math.floor(Math.log2(axis.high) / 10)) : 1;
  const raw = axis.high / unit / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = unit * power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw);
  return Array.from({ length: Math.floor(axis.high / step) + 1 }, (_, number) => number * step);
}

function tickText(axis, value) {
  const [number, unit] = axis.words(value).split(SPACE);
  if (value === 0) return "0";
  return (number.includes(".") ? number.replace(/\.?0+$/, "") : number) + (unit ? SPACE + unit : "");
}

function svgElement(name, attributes, text) {
  const made = document.createElementNS(document.querySelector("svg").namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

function linearTicks(x, y, [left, top, right, bottom]) {
  const group = svgElement("g", { class: "linear" }), moveX = (value) => left + (right - left) * value / x.high;
  const moveY = (value) => bottom - (bottom - top) * value / y.high;
  for (const value of x.log ? ticksOf(x) : []) {
    group.append(
      svgElement("path", { d: `M${moveX(value)} ${bottom}V${top}` }),
      svgElement("text", { x: moveX(value), y: bottom + 13, "text-anchor": "middle" }, tickText(x, value)),
    );
  }
  for (const value of y.log ? ticksOf(y) : []) {
    group.append(
      svgElement("path", { d: `M${left} ${moveY(value)}H${right}` }),
      svgElement("text", { x: left - 4, y: moveY(value) + 3, "text-anchor": "end" }, tickText(y, value)),
    );
  }
  return group;
}

// Puts back what an attribute was at first, or moves it from there.
function moved(mark, name, change) {
  const first = mark.dataset[name] ?? mark.getAttribute(name);
  mark.dataset[name] = first;
  mark.setAttribute(name, change(first));
}

function stretch(svg, linear) {
  const frame = svg.dataset.frame.split(" ").map(Number), [left, top, right, bottom] = frame;
  const x = axisOf(svg.dataset.x), y = axisOf(svg.dataset.y);
  const moveX = linear ? stretched(x, left, right) : same, moveY = linear ? stretched(y, bottom, top) : same;
  const pair = (_, one, other) => moveX(Number(one)) + " " + moveY(Number(other));
  for (const part of svg.querySelectorAll(".data, .lead")) {
    // A lead runs from the last point to a name, which stays.
    const pairs = part.classList.contains("lead") ? /(-?[\d.]+) (-?[\d.]+)/ : /(-?[\d.]+) (-?[\d.]+)/g;
    for (const path of part.querySelectorAll(":not(defs) > path")) moved(path, "d", (d) => d.replace(pairs, pair));
    for (const mark of part.querySelectorAll("use[x]")) {
      moved(mark, "x", (at) => moveX(Number(at)));
      moved(mark, "y", (at) => moveY(Number(at)));
    }
  }
  for (const [kind, axis] of [["xtick", x], ["ytick", y]]) {
    for (const tick of svg.querySelectorAll("." + kind)) tick.style.display = linear && axis.log ? "none" : "";
  }
  svg.querySelector(".linear")?.remove();
  if (linear) svg.firstElementChild.after(linearTicks(x, y, frame));
}

function choicesOf(title, names, hidden, show) {
  const group = element("fieldset", "");
  group.append(element("legend", title));
  for (const name of names) {
    const label = element("label", ""), box = element("input", "", { type: "checkbox", checked: !hidden.has(name) });
    label.append(box, " " + name);
    box.addEventListener("change", () => {
      if (box.checked) hidden.delete(name); else hidden.add(name);
      writeView("hide", [...hidden].join(","));
      show();
    });
    group.append(label);
  }
  return group;
}

function startFigures() {
  const parts = [...document.querySelectorAll("figure svg [class*='p:']")];
  const panels = [...document.querySelectorAll(".panel[data-convolution]")];
  const axes = [...document.querySelectorAll("svg[data-frame]")].filter((svg) => /log/.test(svg.dataset.x + svg.dataset.y));
  const convolutions = new Set(panels.map((panel) => panel.dataset.convolution));
  const policies = new Set(parts.map(policyOf).filter((name) => !convolutions.has(name)));
  if (!parts.length) return;
  const hidden = new Set((readView().state.get("hide") ?? "").split(",").filter(Boolean));
  const show = () => {
    for (const part of parts) part.style.display = hidden.has(policyOf(part)) ? "none" : "";
    for (const panel of panels) panel.hidden = hidden.has(panel.dataset.convolution);
  };
  const box = element("details", "", { className: "choices" });
  box.append(element("summary", "Shown in figures"));
  box.append(choicesOf("Policies", policies, hidden, show), choicesOf("Convolutions", convolutions, hidden, show));
  const label = element("label", "Logarithmic axes "), scale = element("select", "");
  scale.append(element("option", "as they are", { value: "" }), element("option", "made linear", { value: "linear" }));
  scale.value = readView().state.get("axes") === "linear" ? "linear" : "";
  const draw = () => { for (const svg of axes) stretch(svg, scale.value === "linear"); };
  scale.addEventListener("change", () => {
    writeView("axes", scale.value);
    draw();
  });
  label.append(scale);
  box.append(label);
  document.querySelector(".contents").append(box);
  if (hidden.size) show();
  if (scale.value) draw();
  box.open = hidden.size > 0 || scale.value !== "";
}
