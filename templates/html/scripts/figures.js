// Figures: policies and convolutions can be hidden in all of them at once, and logarithmic axes made linear.
const WORDS = { size, duration, plain, count, ratio: plain, percent: (share) => plain(100 * share) };
const LINE = /M([^a-zA-Z]*)(?:l([^a-zA-Z]*))?/g, NUMBERS = /-?\d*\.?\d+/g;

function policyOf(part) {
  return [...part.classList].find((name) => name.startsWith("p:")).slice(2);
}

function svgElement(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

function axisOf(text) {
  const [kind, low, high, words, named] = text.split(" ");
  return { log: kind === "log", low: Number(low), high: Number(high), words: WORDS[words], named };
}

function shareOf(axis, value) {
  if (!axis.log) return (value - axis.low) / (axis.high - axis.low);
  return value > 0 ? Math.log(value / axis.low) / Math.log(axis.high / axis.low) : -1;
}

function valueAt(axis, share) {
  return axis.log ? axis.low * (axis.high / axis.low) ** share : axis.low + share * (axis.high - axis.low);
}

// Round values between the ends: 1-2-5 over decades or powers of two, or even steps where that gives fewer than two.
function ticksOf(axis) {
  const low = Math.min(axis.low, axis.high), high = Math.max(axis.low, axis.high), binary = axis.words === size;
  if (axis.log) {
    for (const leading of binary ? [[1], [1], [1]] : [[1, 2, 5], [1, 3], [1]]) {
      const base = binary ? 2 : 10, found = [];
      for (let power = Math.floor(Math.log(low) / Math.log(base)); base ** power <= high; power += 1) {
        found.push(...leading.map((digit) => digit * base ** power));
      }
      const kept = found.filter((value) => value >= low && value <= high);
      const every = binary ? Math.ceil(kept.length / 6) : 1;
      if (kept.length >= 2 && (binary || kept.length <= 7)) return kept.filter((_, place) => place % every === 0);
    }
  }
  const unit = binary ? 2 ** (10 * Math.floor(Math.log2(high) / 10)) : 1;
  const raw = (high - low) / unit / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = unit * power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, number) => (first + number) * step);
}

function tickText(axis, value) {
  if (value === 0) return "0";
  const [number, unit] = axis.words(value).split(SPACE);
  return (number.includes(".") ? number.replace(/\.?0+$/, "") : number) + (unit ? SPACE + unit : "");
}

// A path with each of its lines of data through `move`; shapes around a value begin with a small m, and stay.
function movedPath(d, move) {
  return d.replace(LINE, (_, first, steps = "") => {
    let [x, y] = first.match(NUMBERS).map(Number), line = "M" + move(x, y);
    const found = (steps.match(NUMBERS) ?? []).map(Number);
    for (let place = 0; place < found.length; place += 2) {
      x += found[place];
      y += found[place + 1];
      line += "L" + move(x, y);
    }
    return line;
  });
}

// One chart: its frame, its own axes and those that it is drawn on now.
function chartOf(group) {
  const [left, top, right, bottom] = group.dataset.frame.split(" ").map(Number);
  const own = { x: axisOf(group.dataset.x), y: axisOf(group.dataset.y) };
  const paths = [...group.querySelectorAll(".plot path")].map((part) => [part, part.getAttribute("d")]);
  const ticks = {};
  for (const kind of ["x", "y"]) {
    const found = group.querySelector(`:scope > .${kind}`);
    ticks[kind] = { group: found, first: [...found.childNodes] };
  }
  const names = [...group.querySelectorAll(":scope > g > .name")].map((name) => ({
    name, at: name.dataset.at.split(" ").map(Number), text: name.querySelector("text"),
    lead: name.querySelector("path"), d: name.querySelector("path").getAttribute("d"),
  }));
  return { group, left, top, width: right - left, height: bottom - top, own, now: { ...own }, paths, ticks, names };
}

function retick(chart, kind) {
  const { group, first } = chart.ticks[kind], axis = chart.now[kind];
  group.replaceChildren(...(axis === chart.own[kind] ? first : []));
  if (axis === chart.own[kind]) return;
  const { left, top, width, height } = chart, labelled = first.some((node) => node.tagName === "text");
  for (const value of ticksOf(axis)) {
    const share = shareOf(axis, value), x = left + share * width, y = top + (1 - share) * height;
    const d = kind === "x" ? `M${x} ${top + height}V${top}` : `M${left} ${y}H${left + width}`;
    group.append(svgElement("path", { d }));
    const place = kind === "x" ? { x, y: top + height + 12 } : { x: left - 4, y: y + 3 };
    if (labelled) group.append(svgElement("text", place, tickText(axis, value)));
  }
}

// Each name goes along with what it names; those that would touch are moved apart, and those out of sight hidden.
function rename(chart, move, moved) {
  const { left, top, width, height } = chart, shown = [];
  for (const each of chart.names) {
    each.lead.setAttribute("d", each.d ?? "");
    each.text.removeAttribute("transform");
    const [x, y] = move(...each.at);
    each.name.style.visibility = x < -1 || x > width + 1 || y < -1 || y > height + 1 ? "hidden" : "";
    if (moved && !each.name.style.visibility) shown.push({ ...each, x: left + x, y: top + y });
  }
  shown.sort((one, other) => one.y - other.y);
  let last = -Infinity;
  for (const each of shown) {
    const box = each.text.getBBox(), beside = each.name.dataset.side === "near";
    const x = beside ? Math.min(each.x + 7, left + width - box.width) : box.x;
    const y = Math.max(each.y, last + box.height);
    last = y;
    each.text.setAttribute("transform", `translate(${x - box.x} ${y - box.y - box.height / 2})`);
    each.lead.setAttribute("d", `M${each.x} ${each.y}L${x - 2} ${y}`);
  }
}

function redraw(chart) {
  const { own, now, width, height } = chart, moved = own.x !== now.x || own.y !== now.y;
  const move = (x, y) => [
    width * shareOf(now.x, valueAt(own.x, x / width)),
    height * (1 - shareOf(now.y, valueAt(own.y, 1 - y / height))),
  ];
  const pair = (x, y) => move(x, y).map((at) => at.toFixed(2)).join(" ");
  for (const [part, d] of chart.paths) part.setAttribute("d", moved ? movedPath(d, pair) : d);
  retick(chart, "x");
  retick(chart, "y");
  rename(chart, moved ? move : (x, y) => [x, y], moved);
}

function linear(axis) {
  return axis.log ? { ...axis, log: false, low: 0 } : axis;
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

// The marks of a series are one path in the page; to be read, each becomes a path of its own.
function parted(path) {
  const pieces = path.getAttribute("d").split(/(?=M)/).map((d) => {
    const mark = path.cloneNode();
    mark.setAttribute("d", d);
    mark.setAttribute("class", "mark");
    return mark;
  });
  path.replaceWith(...pieces);
}

function startFigures() {
  document.querySelectorAll(".plot .marks").forEach(parted);
  const parts = [...document.querySelectorAll("figure svg [class*='p:']")];
  const panels = [...document.querySelectorAll(".panel[data-convolution]")];
  const charts = [...document.querySelectorAll("figure svg .chart")].map(chartOf);
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
  const draw = () => {
    for (const chart of charts) {
      const change = scale.value === "linear" ? linear : (axis) => axis;
      chart.now = { x: change(chart.own.x), y: change(chart.own.y) };
      redraw(chart);
    }
    for (const figure of document.querySelectorAll("figure")) sayAxes(figure, charts);
  };
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
  startReading(charts);
}

// Below each figure: which kind of axis it is drawn on now.
function sayAxes(figure, charts) {
  const line = figure.querySelector(".axes"), chart = charts.find((each) => figure.contains(each.group));
  if (!line || !chart) return;
  const kinds = Object.entries(chart.now).filter(([, axis]) => axis.named).map(([, axis]) => (axis.log ? "logarithmic" : "linear"));
  const which = kinds.length === 2 ? "Both axes are" : `The ${chart.now.x.named ? "horizontal" : "vertical"} axis is`;
  line.textContent = kinds[0] === kinds.at(-1)
    ? `${which} ${kinds[0]}.` : `The horizontal axis is ${kinds[0]}, the vertical axis ${kinds[1]}.`;
}
