// Numbers in words, digit for digit as gnn_checkpointing/report/units.py writes them.
const SPACE = "\u00a0", NOTHING = "\u2013";

function exponentOf(value) {
  return Number(Math.abs(value).toExponential(15).split("e")[1]);
}

function fixed(value, decimals) {
  const [whole, part] = Math.abs(value).toFixed(decimals).split(".");
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? "." + part : "");
  return value < 0 && /[1-9]/.test(text) ? "\u2212" + text : text;
}

// To three digits; a value in the middle of two goes to the even one, as in Python.
function rounded(value) {
  const [, kept, digit, power] = /^(-?\d\.\d(\d))50*(e.+)$/.exec(value.toExponential(60)) ?? [];
  return Number(digit % 2 === 0 ? kept + power : value.toPrecision(3));
}

function significant(value) {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return NOTHING;
  return fixed(rounded(value), Math.min(12, Math.max(0, 2 - exponentOf(value))));
}

function plain(value) {
  const text = significant(value);
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

const count = (value) => fixed(value, 0);

function size(bytes) {
  for (const [factor, unit] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]) {
    if (Math.abs(bytes) >= factor) return significant(bytes / factor) + SPACE + unit;
  }
  return significant(bytes) + SPACE + "B";
}

function duration(seconds) {
  for (const [factor, unit] of [[3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "\u00b5s"]]) {
    if (Math.abs(seconds) >= factor * (factor >= 60 ? 2 : 1)) return significant(seconds / factor) + SPACE + unit;
  }
  return significant(seconds / 1e-9) + SPACE + "ns";
}

function interval(low, high) {
  return (low + high).includes("\u2212") ? low + " to " + high : low + "\u2013" + high;
}
