"use strict";
// The overview, and the connection to the server: a view of everything comes each second.

let lastView = null;
let lastHeard = 0;

const tiles = [
  ["calls", "Calls", (view) => format.whole(view.status.sip.up ? view.status.sip.calls : null), (view) => "ended " + format.whole(endedCalls(view)), (at) => at.calls],
  ["sessions", "Sessions", (view) => format.whole(view.status.media.sessions), (view) => view.status.media.up ? "of " + format.whole(view.status.media.sessions_max) : "", (at) => at.sessions],
  ["packets", "Relayed", (view) => format.whole(lastTrend(view).packets_s) + "/s", () => "packets", (at) => at.packets_s],
  ["bits", "Throughput", (view) => format.bits(lastTrend(view).bits_s), () => "media sent", (at) => at.bits_s],
  ["drops", "Dropped", (view) => format.whole(lastTrend(view).drops_s) + "/s", (view) => format.whole(view.drops.reduce((sum, drop) => sum + drop.count, 0)) + " in all", (at) => at.drops_s],
  ["busy", "Busiest worker", (view) => format.percent(lastTrend(view).busy), (view) => view.workers.length + (view.workers.length === 1 ? " worker" : " workers"), (at) => at.busy],
  ["registered", "Registrations", (view) => format.whole(view.status.sip.registrations), (view) => view.status.sip.up ? format.whole(view.status.sip.connections) + " connections" : "", null],
];

function lastTrend(view) {
  return view.trend.length > 0 ? view.trend[view.trend.length - 1] : {};
}

function endedCalls(view) {
  return view.counters.filter((at) => at.name.startsWith("result.")).reduce((sum, at) => sum + at.count, 0);
}

function showTiles(view) {
  const list = byId("tiles");
  for (const [id, label, value, more, trend] of tiles) {
    let tile = byId("tile-" + id);
    if (!tile) {
      tile = list.appendChild(element("li"));
      tile.id = "tile-" + id;
      tile.append(element("div", "label", label), element("div", "value"), element("div", "more"), element("div", "chart"));
    }
    setText(tile.querySelector(".value"), value(view));
    setText(tile.querySelector(".more"), more(view));
    if (trend) tile.querySelector(".chart").replaceChildren(spark(view.trend.map(trend), id === "busy" ? 1 : 0));
  }
}

const stateClass = { up: "good", ringing: "warn", starting: "dim", answered: "good", ending: "dim", session: "dim" };

function legCells(leg) {
  return [
    [format.mos(leg && leg.mos), "n " + mosClass(leg && leg.mos)],
    [format.percent(lossOf(leg)), "n wide " + lossClass(lossOf(leg))],
    [format.ms(leg && leg.jitter_ms), "n wide"],
  ];
}

// The worst first: that is what is looked for.
function worst(call) {
  const known = (call.legs || []).map((leg) => leg.mos).filter((mos) => mos !== null);
  return known.length > 0 ? Math.min(...known) : 5;
}

function callCells(call) {
  const display = (i) => call.sides && call.sides[i] ? call.sides[i].display : "";
  return [
    [call.caller || call.id, "", display(0), "/calls/" + encodeURIComponent(call.id)],
    [call.callee || "–", "", display(1)],
    [call.state, stateClass[call.state] || ""],
    [format.time(call.talk_s || call.age_s), "n"],
    ...legCells(call.legs[0]), ...legCells(call.legs[1]),
  ];
}

function showCalls(view) {
  const wanted = byId("find").value.trim().toLowerCase();
  const text = (call) => [call.caller, call.callee, call.state, call.id, ...(call.sides || []).map((side) => side.display)].join(" ").toLowerCase();
  const found = view.calls.filter((call) => wanted === "" || text(call).includes(wanted))
    .sort((a, b) => worst(a) - worst(b) || b.age_s - a.age_s || (a.id < b.id ? -1 : 1));
  const all = view.status.sip.up ? view.status.sip.calls : view.calls.length;
  setText(byId("n-calls"), found.length < all ? found.length + " of " + format.whole(all) : format.whole(all));
  fillTable(byId("calls"), found, (call) => call.id, callCells);
}

const clock = (seconds) => new Date(1000 * seconds).toLocaleTimeString("en-GB");

function showTables(view) {
  const at = view.at_ms;
  fillTable(byId("failures"), view.failures.slice(0, 20), (row) => row.id, (row) => [
    [clock(row.at), "dim once"], [row.caller + " to " + row.callee, "", row.cause], [row.result.replaceAll("_", " "), row.result === "busy" || row.result === "no_answer" ? "" : "bad"], [String(row.status || "–"), "n"]]);
  fillTable(byId("drops"), [...view.drops].sort((a, b) => b.count - a.count), (row) => row.reason, (row) => [
    [row.reason, "", row.help], [format.whole(row.count), "n"], [format.whole(rate("drop" + row.reason, row.count, at)), "n"]]);
  fillTable(byId("workers"), view.workers, (row) => row.worker, (row) => [
    [String(row.worker)], [format.percent(row.busy), "n" + (row.busy > 0.8 ? " bad" : ""), undefined, undefined, row.busy || 0],
    [format.whole(rate("worker" + row.worker, row.relayed, at)), "n"], [format.whole(row.handed_over), "n"]]);
  fillTable(byId("interfaces"), view.interfaces, (row) => row.name, (row) => [
    [row.name, "", row.address], [row.up ? "up" : "down", row.up ? "good" : "bad"], [format.whole(rate("rx" + row.name, row.rx_packets, at)), "n"],
    [format.whole(rate("tx" + row.name, row.media_tx_packets, at)), "n"], [format.whole(row.ports_used), "n", "of " + format.whole(row.ports)]]);
  fillTable(byId("registrations"), view.registrations.slice(0, 50), (row) => row.user + " " + row.contact, (row) => [
    [row.user], [row.from], [row.reachable ? "yes" : "no", row.reachable ? "good" : "warn"], [format.time(row.expires_s), "n"]]);
  const registered = view.status.sip.registrations || 0;
  setText(byId("n-registrations"), registered > 50 ? "50 of " + format.whole(registered) : String(registered));
  fillTable(byId("trunks"), view.trunks, (row) => row.trunk, (row) => [
    [row.trunk, "", row.address], [row.state, row.state === "in" ? "good" : "bad", row.fault || ""], [row.living + " of " + row.targets_count, "n"], [format.whole(row.calls), "n"]]);
  fillTable(byId("certificates"), view.certificates, (row) => row.section, (row) => [
    [row.section], [row.names.join(", ") || row.subject, "", row.file], [format.whole(row.days), "n " + (row.days < 7 ? "bad" : row.days < 30 ? "warn" : "good")]]);
  fillTable(byId("counters"), view.counters, (row) => row.name, (row) => [[row.name, "", row.help], [format.whole(row.count), "n"]]);
}

function showPlane(id, status) {
  const word = byId(id).querySelector("b");
  setText(word, status.wanted === false ? "none" : status.up ? "up " + format.time(status.uptime_s) : "away");
  word.className = status.wanted === false ? "dim" : status.up ? "good" : "bad";
}

// Spoken by screen readers: only when something has changed.
function notice(text) {
  const at = byId("notice");
  setText(at, text);
  at.hidden = text === "";
}

function showStatus(status) {
  showPlane("media", status.media);
  showPlane("sip", status.sip);
  notice([status.media.error, status.sip.error].filter((error) => error !== "").join(". "));
  setText(byId("releases"), " · sallyport-web " + status.release + (status.media.up ? " · media " + status.media.release + ", " + status.media.engine.split(" ")[0] + ", " + status.media.memory : "") +
    (status.sip.up ? " · sip " + status.sip.release : ""));
}

function showView(view) {
  lastView = view;
  showStatus(view.status);
  showTiles(view);
  showCalls(view);
  showTables(view);
}

function heard(data) {
  lastHeard = Date.now();
  setText(byId("updated"), "live, " + new Date(data.at_ms || lastHeard).toLocaleTimeString("en-GB"));
}

function listen(url, events) {
  const source = new EventSource(url);
  for (const name in events)
    source.addEventListener(name, (event) => {
      const data = JSON.parse(event.data);
      heard(data);
      events[name](data);
    });
  setInterval(() => {
    if (Date.now() - lastHeard > 5000) setText(byId("updated"), lastHeard === 0 ? "connecting" : "nothing heard for " + format.time((Date.now() - lastHeard) / 1000));
    if (source.readyState === EventSource.CLOSED) location.reload(); // refused: the browser gives up then
  }, 5000);
}

const path = /^\/calls\/(.+)$/.exec(location.pathname);
if (path) {
  byId("one").hidden = false;
  const id = decodeURIComponent(path[1]);
  listen("/events?call=" + encodeURIComponent(id), {
    call: (data) => { showStatus(data.status); showCall(data); },
    gone: callGone,
  });
} else {
  byId("overview").hidden = false;
  byId("find").addEventListener("input", () => { if (lastView) showCalls(lastView); });
  listen("/events", { view: showView });
}
