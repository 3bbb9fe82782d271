// The view: what was chosen stands in the address after a ~, so that it can be linked. The theme is its simplest part.
function readView() {
  const [place, state] = location.hash.slice(1).split("~");
  return { place, state: new URLSearchParams(state ?? "") };
}

function writeView(name, value) {
  const { place, state } = readView();
  if (value) state.set(name, value); else state.delete(name);
  const text = state.toString();
  history.replaceState(null, "", "#" + place + (text ? "~" + text : ""));
}

const THEMES = { "": "as the system", light: "light", dark: "dark" };

function startThemes() {
  const label = element("label", "Theme ", { className: "theme" });
  const choice = element("select", "");
  choice.append(...Object.entries(THEMES).map(([value, text]) => element("option", text, { value })));
  const show = (theme) => { document.documentElement.style.colorScheme = theme; };
  choice.value = THEMES[readView().state.get("theme")] ? readView().state.get("theme") : "";
  show(choice.value);
  choice.addEventListener("change", () => {
    show(choice.value);
    writeView("theme", choice.value);
  });
  label.append(choice);
  document.querySelector(".masthead").append(label);
}

// A link within the page keeps the view: its address is the new place with the old state.
function keepView(event) {
  const state = new URL(event.oldURL).hash.split("~")[1];
  if (state && !location.hash.includes("~")) history.replaceState(null, "", location.hash + "~" + state);
}
