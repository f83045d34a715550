"use strict";
// What both pages draw with. Text goes in as text, never as markup: names are strangers'.

const byId = (id) => document.getElementById(id);

function element(name, classes, text) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

function drawing(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const format = {
  whole: (n) => n === null || n === undefined ? "–" : Math.round(n).toLocaleString("en").replaceAll(",", "\u202f"),
  percent: (share) => share === null || share === undefined ? "–" : (100 * share).toFixed(share < 0.0995 ? 1 : 0) + "\u202f%",
  bits: (n) => {
    if (n === null || n === undefined) return "–";
    if (n >= 1e9) return (n / 1e9).toFixed(2) + " Gbit/s";
    if (n >= 1e6) return (n / 1e6).toFixed(2) + " Mbit/s";
    return Math.round(n / 1e3) + " kbit/s";
  },
  time: (s) => {
    if (s === null || s === undefined) return "–";
    const two = (n) => String(n).padStart(2, "0");
    const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    if (h >= 48) return Math.floor(h / 24) + " d " + h % 24 + " h";
    return (h > 0 ? h + ":" + two(m) : m) + ":" + two(Math.floor(s) % 60);
  },
  ms: (n) => n === null || n === undefined ? "–" : n.toFixed(n < 10 ? 1 : 0) + " ms",
  mos: (n) => n === null || n === undefined ? "–" : n.toFixed(2),
};

// G.107 annex B: above 4.03 satisfied, below 3.6 many are not.
const mosClass = (mos) => mos === null || mos === undefined ? "dim" : mos >= 4.03 ? "good" : mos >= 3.6 ? "warn" : "bad";
const lossOf = (leg) => leg && leg.expected > 0 ? Math.max(0, leg.lost) / leg.expected : null;
const lossClass = (share) => share === null ? "dim" : share < 0.005 ? "" : share < 0.02 ? "warn" : "bad";

// A line over the area below it; unknown points are gaps.
function spark(values, most) {
  const svg = drawing("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" });
  const known = values.filter((value) => value !== null);
  const top = Math.max(most || 0, ...known, 1e-9);
  const x = (i) => (values.length < 2 ? 100 : 100 * i / (values.length - 1)).toFixed(2);
  const y = (value) => (28 - 26 * value / top).toFixed(2);
  for (let i = 0; i < values.length;) {
    if (values[i] === null) { i++; continue; }
    const begin = i;
    const points = [];
    while (i < values.length && values[i] !== null) { points.push(x(i) + "," + y(values[i])); i++; }
    svg.append(drawing("polygon", { class: "area", points: x(begin) + ",30 " + points.join(" ") + " " + x(i - 1) + ",30" }),
      drawing("polyline", { class: "edge", points: points.join(" ") }));
  }
  return svg;
}

// Rows by their key: those that stay keep their place in the keyboard's order, and the focus.
// cells: for each column [text, class, sub, href], or a node.
function fillTable(body, rows, keyOf, cellsOf) {
  const old = new Map();
  for (const row of body.rows) old.set(row.dataset.key, row);
  let before = null;
  for (const item of rows) {
    const key = String(keyOf(item));
    const row = old.get(key) || element("tr");
    old.delete(key);
    row.dataset.key = key;
    cellsOf(item).forEach((cell, i) => fillCell(row, i, cell));
    const place = before ? before.nextSibling : body.firstChild;
    if (row !== place) body.insertBefore(row, place);
    before = row;
  }
  for (const row of old.values()) row.remove();
  const empty = body.closest("section").querySelector(".empty");
  empty.hidden = rows.length > 0;
  body.parentNode.hidden = rows.length === 0;
}

function fillCell(row, i, [text, classes, sub, href, share]) {
  const cell = row.cells[i] || row.appendChild(element("td"));
  const wanted = classes || "";
  if (cell.className !== wanted) cell.className = wanted;
  if (!cell.firstChild) {
    if (share !== undefined) {
      const bar = drawing("svg", { class: "bar", viewBox: "0 0 64 8", "aria-hidden": "true" });
      bar.append(drawing("rect", { class: "all", width: 64, height: 8, rx: 2 }), drawing("rect", { class: "part", height: 8, rx: 2 }));
      cell.append(bar);
    }
    cell.append(element(href ? "a" : "span"));
    if (sub !== undefined) cell.append(element("span", "sub"));
  }
  if (share !== undefined) cell.querySelector(".part").setAttribute("width", (64 * Math.min(1, share || 0)).toFixed(1));
  const main = cell.querySelector(href ? "a" : "span:not(.sub)");
  if (href && main.getAttribute("href") !== href) main.href = href;
  setText(main, text);
  if (sub !== undefined) setText(cell.querySelector(".sub"), sub);
}

const rememberedRates = new Map();

// How fast a counter rises, between two views; null: not known yet.
function rate(name, value, at) {
  const before = rememberedRates.get(name);
  if (!before || at > before.at) rememberedRates.set(name, { value, at, rate: before && value >= before.value ? 1000 * (value - before.value) / (at - before.at) : null });
  return rememberedRates.get(name).rate;
}
