"use strict";
// A call's own page: both legs side by side.

const callHistory = new Map(); // of a stream's leg: MOS and packets a second, as long as the page is open

function remember(name, value) {
  const list = callHistory.get(name) || [];
  list.push(value);
  if (list.length > 120) list.shift();
  callHistory.set(name, list);
  return list;
}

const legRows = [
  ["How it is heard"],
  ["MOS", (leg) => [format.mos(leg.mos), mosClass(leg.mos)]],
  ["Loss", (leg) => [format.percent(lossOf(leg)) + " (" + format.whole(leg.lost) + " of " + format.whole(leg.expected) + ")", lossClass(lossOf(leg))]],
  ["Jitter", (leg) => [format.ms(leg.jitter_ms)]],
  ["Last packet", (leg) => [leg.silent_ms === null ? "never" : leg.silent_ms < 2000 ? "now" : format.time(leg.silent_ms / 1000) + " ago", leg.silent_ms === null || leg.silent_ms > 2000 ? "warn" : ""]],
  ["What the far end reports"],
  ["Round trip", (leg) => [format.ms(leg.far_end.round_trip_ms)]],
  ["Loss there", (leg) => [leg.far_end.lost === null ? "no report" : format.percent(leg.far_end.lost_share) + " (" + format.whole(leg.far_end.lost) + ")"]],
  ["Jitter there", (leg) => [format.ms(leg.far_end.jitter_ms)]],
  ["Media"],
  ["Far end", (leg) => [leg.remote + (leg.latched ? " (latched)" : "")]],
  ["Our end", (leg) => [leg.local + " (" + leg.interface + ")"]],
  ["Encryption in", (leg) => [leg.suite || (leg.transport === "srtp" ? "no key yet" : "none: " + leg.transport), leg.suite ? "" : "warn"]],
  ["Encryption out", (leg) => [leg.suite_out || (leg.transport === "srtp" ? "no key yet" : "none: " + leg.transport), leg.suite_out ? "" : "warn"]],
  ["Direction", (leg) => [leg.sends && leg.receives ? "both ways" : leg.sends ? "sends only" : leg.receives ? "listens only" : "on hold"]],
  ["SSRC", (leg) => [leg.ssrc.toString(16).padStart(8, "0") + (leg.ssrcs > 1 ? " and " + (leg.ssrcs - 1) + " more" : "")]],
  ["Traffic"],
  ["Packets in", (leg) => [format.whole(leg.packets_in)]],
  ["Packets out", (leg) => [format.whole(leg.packets_out)]],
  ["RTCP in, out", (leg) => [format.whole(leg.rtcp_in) + ", " + format.whole(leg.rtcp_out)]],
  ["Dropped", (leg) => [leg.drops.length === 0 ? "none" : leg.drops.map((drop) => drop.reason + " " + format.whole(drop.count)).join(", "), leg.drops.length === 0 ? "" : "warn"]],
];

function streamSection(stream) {
  const section = element("section");
  section.dataset.id = stream.id;
  const table = element("table", "legs");
  const head = table.createTHead().insertRow();
  head.append(element("th"));
  for (const name of ["A, the caller", "B, the callee"]) {
    const cell = element("th", "", name);
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const name of ["MOS, trend", "Packets/s, trend"]) {
    const row = body.insertRow();
    row.append(element("th", "", name), element("td"), element("td"));
  }
  for (const [name, show] of legRows) {
    const row = body.insertRow();
    const label = element("th", "", name);
    label.scope = "row";
    row.append(label);
    if (show) row.append(element("td"), element("td"));
    else { row.className = "group"; label.colSpan = 3; }
  }
  section.append(element("h2"), table);
  return section;
}

function fillStream(section, stream, at) {
  const rows = section.querySelector("tbody").rows;
  setText(section.querySelector("h2"), stream.id.includes("/") ? "Stream " + stream.id.split("/")[1] : "Media");
  stream.legs.forEach((leg, i) => {
    const name = stream.id + i;
    rows[0].cells[i + 1].replaceChildren(spark(remember(name + "mos", leg.mos), 4.5));
    rows[1].cells[i + 1].replaceChildren(spark(remember(name + "packets", rate(name, leg.packets_in, at))));
    legRows.forEach(([, show], k) => {
      if (!show) return;
      const cell = rows[k + 2].cells[i + 1];
      const [text, classes] = show(leg);
      setText(cell, text);
      cell.className = classes || "";
      if (k === legRows.length - 1) cell.title = leg.drops.map((drop) => drop.reason + ": " + drop.help).join("\n");
    });
  });
}

function sideName(side) {
  return side.display ? side.display + " (" + side.name + ")" : side.name;
}

function showCall(data) {
  const call = data.call;
  const title = call ? call.caller + " to " + call.callee : "Session " + data.id;
  setText(byId("one-title"), title);
  document.title = title + " – Sallyport";
  const facts = byId("one-facts");
  facts.replaceChildren();
  const fact = (name, value) => {
    const part = facts.appendChild(element("span", "", name + " "));
    part.append(element("b", "", value));
  };
  if (call) {
    fact("State", call.state);
    fact("for", format.time(call.age_s));
    if (call.talk_s > 0) fact("talking", format.time(call.talk_s));
    fact("Caller", sideName(call.sides[0]) + " at " + call.sides[0].peer);
    fact("Callee", sideName(call.sides[1]) + " at " + call.sides[1].peer);
    if (call.sides[0].codecs) fact("Codecs", call.sides[0].codecs);
  }
  fact("Call", data.id);
  const streams = byId("streams");
  const known = new Map([...streams.children].map((at) => [at.dataset.id, at]));
  for (const stream of data.streams) {
    const section = known.get(stream.id) || streams.appendChild(streamSection(stream));
    known.delete(stream.id);
    fillStream(section, stream, data.at_ms);
  }
  for (const section of known.values()) section.remove();
}

function callGone() {
  const facts = byId("one-facts");
  facts.replaceChildren(element("b", "", "This call is over, or there never was one of that name."));
}
