(() => {
  const { unpacked, make, drawing, swatch, literal, fixed } = profundus;
  const page = JSON.parse(document.getElementById("data").textContent);
  const el = (id) => document.getElementById(id);
  const INK = "#1c2429", MUTED = "#5c6870", GRID = "#eceae5", MODEL = "#0b5fa5";
  const OTHERS = ["#8a8a8a", "#7d4a9e", "#1b7f6b", "#7a6a00", "#8c2f4b"];
  const FONT = getComputedStyle(document.body).fontFamily;
  const unitOf = (kind) => ({ angle: "angle", moment: "moment", model_moment: "moment" })[kind] ?? "excitation";
  const deep = page.muscles.map((muscle, i) => i).filter((i) => page.muscles[i].deep);
  const methods = Object.keys(page.methods);
  const shown = new Set(methods.includes("copy") ? ["copy"] : methods.slice(0, 1));
  let subject = 0;
  let trial = 0;

  // ---------- data ----------
  const cache = new Map();
  function series(t, kind, i) {
    const text = (t.series[kind] ?? t.others?.[kind] ?? [])[i];
    if (!text) return null;
    if (!cache.has(text)) cache.set(text, unpacked(text, page.resolution[unitOf(kind)]));
    return cache.get(text);
  }
  const trials = () => page.trials[subject];
  const drawn = (t) => Object.keys(t.series).length > 0;
  const loadName = (load) => (load === null ? "load not stated" : `${load} kg`);
  const clock = (t) => Array.from({ length: t.samples }, (_, i) => Math.round((t.start + i * t.step) * 1e6) / 1e6);
  const short = (i) => literal(page.muscles[i].name);

  // ---------- curves ----------
  function panels(t) {
    const found = [];
    page.coordinates.forEach((name, i) => found.push({ title: `Motion, ${literal(name)}`, unit: "deg", traces: motion(t, i), height: 90 }));
    page.coordinates.forEach((name, i) => found.push({ title: `Moment, ${literal(name)}`, unit: "N·m", traces: moment(t, i), height: 130 }));
    const groups = new Map();
    page.muscles.forEach((muscle, i) => {
      if (!muscle.deep) groups.set(muscle.group, [...(groups.get(muscle.group) ?? []), i]);
    });
    for (const members of [...groups.values()].flatMap(inFours)) {
      const names = members.map((i) => `<span style="color:${page.muscles[i].color}">${short(i)}</span>`).join(", ");
      found.push({ title: `Measured: ${names}`, unit: page.emgUnit, zero: true, traces: members.flatMap((i) => measured(t, i)), height: 130 });
    }
    for (const i of deep) {
      const title = `<b><span style="color:${page.muscles[i].color}">${literal(page.muscles[i].label)}</span></b>`;
      found.push({ title, unit: page.emgUnit, zero: true, traces: reconstructed(t, i), height: 160 });
    }
    return found.filter((panel) => panel.traces.length);
  }
  const inFours = (list) => list.flatMap((_, k) => (k % 4 ? [] : [list.slice(k, k + 4)]));
  const line = (name, y, style, more = {}) => ({
    type: "scatter", mode: "lines", name, y, line: { width: 1.6, ...style }, hovertemplate: "%{y}", ...more,
  });
  const only = (traces) => traces.filter((trace) => trace.y);
  const motion = (t, i) => only([line("angle", series(t, "angle", i), { color: INK, width: 1.3 })]);
  const moment = (t, i) => only([
    line("measured", series(t, "moment", i), { color: INK, width: 1.3, dash: "dot" }),
    line("model", series(t, "model_moment", i), { color: MODEL, width: 1.9 }),
  ]);
  const measured = (t, i) => only([
    line(`${short(i)} EMG`, series(t, "emg", i), { color: page.muscles[i].color, width: 1.3, dash: "dot" }),
    line(`${short(i)} model`, series(t, "excitation", i), { color: page.muscles[i].color }),
  ]);
  function reconstructed(t, i) {
    const { color } = page.muscles[i];
    const [lower, upper] = [series(t, "lower", i), series(t, "upper", i)];
    const edge = { color: "rgba(0,0,0,0)", width: 0 };
    const band = lower && upper ? [
      line("band, lower edge", lower, edge, { hoverinfo: "skip", hovertemplate: null }),
      line("90 % band", upper, edge, { fill: "tonexty", fillcolor: `${color}2e`, hoverinfo: "skip", hovertemplate: null }),
    ] : [];
    const others = methods.filter((method) => shown.has(method)).map((method) =>
      line(literal(page.methods[method]), series(t, method, i), { color: otherColor(method), width: 1.2 }));
    const mean = line(`${short(i)} model`, series(t, "excitation", i), { color, width: 2.2 });
    if (band.length) {
      mean.customdata = lower.map((low, k) => [low, upper[k]]);
      mean.hovertemplate = "%{y} (%{customdata[0]} to %{customdata[1]})";
    }
    return only([...band, ...others, line("truth", series(t, "truth", i), { color: INK, width: 1.4, dash: "dash" }), mean]);
  }
  const otherColor = (method) => OTHERS[methods.indexOf(method) % OTHERS.length];

  function figure(t, width) {
    const rows = panels(t), gap = 34, foot = 40, head = width < 600 ? 24 : 0;
    const height = rows.reduce((sum, row) => sum + row.height + gap, foot + head);
    const layout = {
      height, margin: { l: width < 600 ? 44 : 58, r: 12, t: 0, b: foot }, showlegend: false, paper_bgcolor: "#fff", plot_bgcolor: "#fff",
      font: { family: FONT, size: 12, color: MUTED }, hovermode: "x unified", dragmode: width < 600 ? false : "zoom",
      hoverlabel: { bgcolor: "#fff", bordercolor: "#cfccc5", font: { size: 11, color: INK } }, annotations: [],
      xaxis: {
        anchor: rows.length > 1 ? `y${rows.length}` : "y", gridcolor: GRID, zeroline: false, ticksuffix: " s", ticks: "outside", ticklen: 7, tickcolor: "rgba(0,0,0,0)", showspikes: true, spikemode: "across",
        spikethickness: 1, spikedash: "solid", spikecolor: "#b9bfc3", hoverformat: ".2f", range: [t.start, t.start + t.step * (t.samples - 1)],
      },
    };
    const traces = [], time = clock(t), whole = height - foot;
    let top = head;
    rows.forEach((row, k) => {
      const id = k ? `y${k + 1}` : "y";
      const [from, to] = [1 - (top + gap) / whole, 1 - (top + gap + row.height) / whole];
      layout[`yaxis${k ? k + 1 : ""}`] = {
        domain: [Math.max(0, to), from], fixedrange: true, gridcolor: GRID, zerolinecolor: "#d7d4cd", nticks: 5, hoverformat: row.unit === "deg" ? ".1f" : ".3~f",
        rangemode: row.zero ? "tozero" : "normal", title: { text: row.unit, font: { size: 11 }, standoff: 6 },
      };
      layout.annotations.push({
        xref: "paper", yref: "paper", x: 0, y: from, xanchor: "left", yanchor: "bottom", align: "left", borderpad: 0, showarrow: false, text: row.title,
        font: { size: 12.5, color: INK }, yshift: 3,
      });
      row.traces.forEach((trace) => traces.push({ ...trace, x: time, xaxis: "x", yaxis: id }));
      top += row.height + gap;
    });
    return { traces, layout };
  }
  function drawCurves() {
    const t = trials()[trial], box = el("plot");
    document.querySelectorAll(".strip").forEach((strip) => strip.setAttribute("aria-pressed", String(Number(strip.dataset.trial) === trial)));
    el("trial").value = String(trial);
    el("which").textContent = `${t.role === "test" ? "test trial" : "fitted trial"}, ${loadName(t.load)}`;
    if (!drawn(t)) { Plotly.purge(box); box.textContent = "The curves of this trial were left out to keep the file small."; return; }
    if (!box.classList.contains("js-plotly-plot")) box.textContent = "";
    const { traces, layout } = figure(t, box.clientWidth);
    const config = {
      responsive: true, displaylogo: false, modeBarButtons: [["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]],
      toImageButtonOptions: { format: "svg", filename: `${page.subjects[subject]}_${t.name}`.replace(/[^\w.-]+/g, "_") },
    };
    Plotly.react(box, traces, layout, config);
  }

  // ---------- key and choices ----------
  function fillKey() {
    const any = (kind) => page.trials.some((list) => list.some((t) => (t.series[kind] ?? []).some(Boolean)));
    const items = [make("li", {}, swatch(MODEL, "", any("lower")), `${page.method}${any("lower") ? " with 90 % band" : ""}`), make("li", {}, swatch(INK, "2 3"), "measured")];
    if (any("truth")) items.push(make("li", {}, swatch(INK, "6 4"), "known truth"));
    for (const method of methods) {
      const box = make("input", { type: "checkbox", checked: shown.has(method) });
      box.addEventListener("change", () => { box.checked ? shown.add(method) : shown.delete(method); drawCurves(); });
      items.push(make("li", {}, make("label", {}, box, swatch(otherColor(method), ""), page.methods[method])));
    }
    el("key").replaceChildren(...items);
  }
  function byLoad() {
    const groups = new Map();
    trials().forEach((t, i) => groups.set(t.load, [...(groups.get(t.load) ?? []), i]));
    return [...groups].sort(([a], [b]) => (a ?? Infinity) - (b ?? Infinity));
  }
  function fillTrials() {
    const groups = ["test", "fit"].flatMap((role) => byLoad().map(([load, members]) => {
      const options = members.filter((i) => trials()[i].role === role).map((i) => make("option", { value: String(i) }, trials()[i].name));
      return options.length ? make("optgroup", { label: `${role === "test" ? "Test" : "Fitted"}, ${loadName(load)}` }, ...options) : null;
    })).filter(Boolean);
    el("trial").replaceChildren(...groups);
    trial = Number(el("trial").options[0].value);
  }

  // ---------- all trials, small ----------
  function strip(i, ceiling) {
    const t = trials()[i], scores = page.scores[subject][t.name] ?? {};
    const picture = drawing("svg", { viewBox: "0 0 140 46", preserveAspectRatio: "none", "aria-hidden": "true" });
    const x = (k) => ((140 * k) / Math.max(1, t.samples - 1)).toFixed(1), y = (v) => (45 - (44 * v) / ceiling).toFixed(1);
    const every = Math.max(1, Math.floor(t.samples / 140));
    const path = (values) => values.map((v, k) => [v, k]).filter(([v, k]) => v !== null && k % every === 0).map(([v, k]) => `${x(k)} ${y(v)}`);
    for (const m of deep) {
      const mean = series(t, "excitation", m), lower = series(t, "lower", m), upper = series(t, "upper", m), { color } = page.muscles[m];
      if (lower && upper) picture.append(drawing("path", { d: `M${[...path(upper), ...path(lower).reverse()].join("L")}Z`, fill: color, opacity: 0.18 }));
      const stroke = { fill: "none", "stroke-width": 1.4, "vector-effect": "non-scaling-stroke" };
      if (mean) picture.append(drawing("path", { d: `M${path(mean).join("L")}`, stroke: color, ...stroke }));
    }
    const said = make("span", { className: "said" });
    for (const m of deep) {
      const score = scores[page.muscles[m].name];
      if (score === undefined) continue;
      const text = make("span", {}, `${page.muscles[m].name} ${fixed(score)}`);
      text.style.color = page.muscles[m].color;
      said.append(text);
    }
    const role = make("span", {}, t.role === "test" ? "test" : "");
    const button = make("button", { type: "button", className: `strip ${t.role}`, title: t.name }, make("span", { className: "name" }, make("span", {}, t.name), role), picture, said);
    button.dataset.trial = String(i);
    button.addEventListener("click", () => { choose(i); el("curves").scrollIntoView(); });
    return button;
  }
  function fillOverview() {
    const tops = trials().flatMap((t) => deep.flatMap((m) => series(t, "upper", m) ?? series(t, "excitation", m) ?? []));
    const ceiling = Math.max(0.05, tops.reduce((top, value) => Math.max(top, value ?? 0), 0));
    el("trials").replaceChildren(...byLoad().map(([load, members]) =>
      make("div", { className: "load" }, make("h4", {}, loadName(load)), make("div", { className: "strips" }, ...members.map((i) => strip(i, ceiling))))));
  }

  // ---------- training ----------
  function decades(values) {
    const logs = values.filter((v) => v !== null).map(Math.log10), low = Math.min(...logs), high = Math.max(...logs);
    const within = high - low > 2.5 ? [1] : high - low > 1 ? [1, 3] : [1, 2, 5], ticks = [];
    for (let k = Math.floor(low); k <= high; k += 1) ticks.push(...within.map((digit) => digit * 10 ** k));
    return { type: "log", tickvals: ticks, ticktext: ticks.map((v) => String(Number(v.toPrecision(3)))) };
  }
  function drawTraining() {
    const box = el("losses"), members = page.training[subject];
    const terms = [...new Set(members.flatMap((member) => Object.keys(member.terms)))];
    if (!terms.length) { Plotly.purge(box); box.replaceChildren(make("p", { className: "empty" }, page.untrained[subject])); return; }
    if (!box.classList.contains("js-plotly-plot")) box.textContent = "";
    const columns = Math.min(terms.length, box.clientWidth < 600 ? 1 : 3), rows = Math.ceil(terms.length / columns), height = rows * 190;
    const layout = { height, margin: { l: 50, r: 10, t: 4, b: 30 }, showlegend: false, font: { family: FONT, size: 11, color: MUTED }, annotations: [], hovermode: "closest" };
    const traces = [];
    terms.forEach((term, k) => {
      const column = k % columns, row = Math.floor(k / columns), id = k ? String(k + 1) : "", gap = 0.08;
      const width = (1 - gap * (columns - 1)) / columns, left = column * (width + gap);
      const top = 1 - row / rows - 26 / height, bottom = 1 - (row + 1) / rows + (row + 1 < rows ? 26 / height : 0);
      const positive = members.every((member) => (member.terms[term] ?? []).every((v) => v === null || v > 0));
      layout[`xaxis${id}`] = { domain: [left, left + width], anchor: `y${id}`, gridcolor: GRID, zeroline: false, nticks: 5 };
      layout[`yaxis${id}`] = { domain: [bottom, top], anchor: `x${id}`, gridcolor: GRID, zeroline: false, ...(positive ? decades(members.flatMap((member) => member.terms[term] ?? [])) : { nticks: 5 }) };
      layout.annotations.push({ xref: "paper", yref: "paper", x: left, y: top, yanchor: "bottom", xanchor: "left", showarrow: false, text: literal(term.replaceAll("_", " ")), font: { size: 12, color: INK } });
      members.forEach((member, m) => {
        if (member.terms[term]) traces.push({ type: "scatter", mode: "lines", x: member.steps, y: member.terms[term], xaxis: `x${id}`, yaxis: `y${id}`, name: `member ${m + 1}`, line: { color: MODEL, width: 1.1 }, opacity: 0.55 });
      });
    });
    Plotly.react(box, traces, layout, { responsive: true, displayModeBar: false });
  }

  // ---------- choosing ----------
  function choose(i) { trial = i; drawCurves(); }
  function chooseSubject(i) {
    subject = i;
    el("subject").value = String(i);
    document.querySelectorAll("[data-subject]").forEach((block) => { block.hidden = Number(block.dataset.subject) !== i; });
    fillTrials();
    fillOverview();
    drawCurves();
    drawTraining();
  }
  function beside(step) {
    const order = [...el("trial").options].map((option) => Number(option.value));
    choose(order[(order.indexOf(trial) + step + order.length) % order.length]);
  }
  el("subject").addEventListener("change", (event) => chooseSubject(Number(event.target.value)));
  el("trial").addEventListener("change", (event) => choose(Number(event.target.value)));
  el("previous").addEventListener("click", () => beside(-1));
  el("next").addEventListener("click", () => beside(1));
  document.querySelectorAll("[data-choose]").forEach((button) => button.addEventListener("click", () => { chooseSubject(Number(button.dataset.choose)); scrollTo(0, 0); }));
  el("copy").addEventListener("click", async () => {
    const range = document.createRange();
    range.selectNodeContents(el("paragraph"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    const copied = navigator.clipboard ? await navigator.clipboard.writeText(el("paragraph").innerText).then(() => true, () => false) : document.execCommand("copy");
    el("copy").textContent = copied ? "Copied" : "Selected: press Ctrl+C";
  });
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
  el("subject").closest("label").hidden = page.subjects.length < 2;
  fillKey();
  chooseSubject(0);
})();
