// Tables: a column's heading sorts by it, a field above filters rows, a button copies what is shown as CSV.
const FACTORS = {
  B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, ns: 1e-9, "\u00b5s": 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600,
};
const NUMBER = /^[<\u00b1+ ]*([\u2212-]?)([\d,]*\.?\d+)(?:e([\u2212-]?\d+))?[\s\u00a0]*([^\s\u00a0(]*)/;
const FILTERED_FROM = 8;

// What a cell sorts by: its first number in base units, or its text.
function sortKey(text) {
  const found = NUMBER.exec(text.trim());
  if (!found) return text.trim().toLowerCase();
  const [, sign, digits, power, unit] = found;
  const number = Number(digits.replaceAll(",", "")) * 10 ** Number((power || "0").replace("\u2212", "-"));
  return (sign ? -1 : 1) * number * (FACTORS[unit] ?? 1);
}

function compared(one, other) {
  if (typeof one === typeof other) return one < other ? -1 : one > other ? 1 : 0;
  return typeof one === "number" ? -1 : 1;
}

const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

function sortBy(table, place, direction, given) {
  const heading = table.tHead.rows[0].cells[place];
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  const rows = given.map((row, order) => ({ row, order, key: sortKey(row.cells[place].textContent) }));
  if (direction !== "none") {
    heading.setAttribute("aria-sort", direction);
    const way = direction === "ascending" ? 1 : -1;
    rows.sort((one, other) => way * compared(one.key, other.key) || one.order - other.order);
  }
  table.tBodies[0].append(...rows.map((item) => item.row));
}

function csvOf(table) {
  const quoted = (text) => (/[",\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text);
  return [...table.rows]
    .filter((row) => !row.hidden)
    .map((row) => [...row.cells].map((cell) => quoted(cell.textContent.replace(/\s+/g, " ").trim())).join(","))
    .join("\r\n");
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element("textarea", text);
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

function equip(frame) {
  const table = frame.querySelector("table"), rows = [...table.tBodies[0].rows];
  const name = table.caption ? table.caption.textContent.replace(/\s+/g, " ").trim().slice(0, 60) : "table";
  [...table.tHead.rows[0].cells].forEach((heading, place) => {
    const button = element("button", "", { type: "button", className: "sort" });
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const direction = NEXT[heading.getAttribute("aria-sort") ?? "none"];
      writeView("sort-" + frame.id, direction === "none" ? "" : place + "." + direction);
      sortBy(table, place, direction, rows);
    });
  });
  const [sorted, direction] = (readView().state.get("sort-" + frame.id) ?? "").split(".");
  if (NEXT[direction] && table.tHead.rows[0].cells[sorted]) sortBy(table, Number(sorted), direction, rows);
  const tools = element("div", "", { className: "tools" });
  if (rows.length >= FILTERED_FROM) {
    const filter = element("input", "", { type: "search", placeholder: "Filter rows" });
    filter.setAttribute("aria-label", "Filter the rows of: " + name);
    const select = () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    };
    filter.addEventListener("input", () => {
      writeView("find-" + frame.id, filter.value.trim());
      select();
    });
    filter.value = readView().state.get("find-" + frame.id) ?? "";
    if (filter.value) select();
    tools.append(filter);
  }
  const copy = element("button", "Copy as CSV", { type: "button" });
  copy.setAttribute("aria-label", "Copy as CSV: " + name);
  copy.addEventListener("click", async () => {
    await copied(csvOf(table));
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy as CSV"; }, 1500);
  });
  tools.append(copy);
  frame.before(tools);
}

function startTables() {
  for (const frame of document.querySelectorAll("main .table[id]")) equip(frame);
}
