"use strict";
// Draws the figures; what is chosen in one of many points is chosen in its table too.

const ALL = "all";
const CHOICES = { strategy_chosen: "strategy", devices_chosen: "devices" };

function within(range, text) {
  const number = Number(text);
  return !range || (number >= Math.min(...range) && number <= Math.max(...range));
}

function chooses(state, marks) {
  for (const [signal, mark] of Object.entries(CHOICES)) {
    if (state[signal] !== undefined && state[signal] !== ALL && marks[mark] !== String(state[signal])) return false;
  }
  const brush = state.brushed || {};
  return within(brush.x, marks.x) && within(brush.y, marks.y);
}

function follow(view, table) {
  const rows = Array.from(table.tBodies[0].rows);
  const count = document.getElementById(table.id + "-count");
  const state = {};
  const update = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !chooses(state, row.dataset);
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = shown === rows.length ? `${rows.length} rows` : `${shown} of ${rows.length} rows chosen`;
  };
  const known = Object.keys(view.getState().signals);
  for (const signal of [...Object.keys(CHOICES), "brushed"].filter((name) => known.includes(name))) {
    view.addSignalListener(signal, (name, value) => { state[name] = value; update(); });
  }
  update();
}

// Long titles are wrapped, and long names and legends made smaller, where the page is narrow.
function wrapped(texts, letters) {
  const lines = [];
  for (const text of [].concat(texts || [])) {
    let line = "";
    for (const word of text.split(" ")) {
      if (line && line.length + word.length + 1 > letters) { lines.push(line); line = word; }
      else line = line ? `${line} ${word}` : word;
    }
    lines.push(line);
  }
  return lines;
}

function fitted(spec, width) {
  const title = spec.title;
  title.text = wrapped(title.text, Math.floor(width / 8.5));
  title.subtitle = wrapped(title.subtitle, Math.floor(width / 7));
  spec.config.legend.columns = Math.max(1, Math.min(6, Math.floor((width - 180) / 105)));
  if (width < 480) spec.config.axisY = { labelLimit: 160, labelFontSize: 10 };
  return spec;
}

for (const figure of document.querySelectorAll("figure.chart")) {
  const place = figure.querySelector(".drawn");
  const spec = JSON.parse(figure.querySelector("script").textContent);
  const actions = { export: true, source: false, compiled: false, editor: false };
  vegaEmbed(place, fitted(spec, place.clientWidth), { renderer: "svg", actions, ast: false }).then(({ view }) => {
    const table = document.getElementById(figure.dataset.table || "");
    if (table) follow(view, table);
    figure.dataset.drawn = "true";
  }).catch((error) => { place.textContent = `This figure could not be drawn: ${error.message}`; });
}
