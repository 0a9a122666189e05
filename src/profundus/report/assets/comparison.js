(() => {
  const { unpacked, make, swatch, literal, fixed } = profundus;
  const page = JSON.parse(document.getElementById("data").textContent);
  const el = (id) => document.getElementById(id);
  const INK = "#1c2429", MUTED = "#5c6870", GRID = "#eceae5", TRUTH = page.truth;
  const FONT = getComputedStyle(document.body).fontFamily;
  const DASHES = { solid: "", dash: "6 3", dot: "2 2.5", dashdot: "6 2 2 2" };
  const WORSE = [[0, "#fffaf0"], [0.25, "#fde3b3"], [0.5, "#f3aa5c"], [0.75, "#b85c1c"], [1, "#4f1f0a"]]; // one hue, darker is worse
  const SIDES = [[0, "#5e3c99"], [0.25, "#b2abd2"], [0.5, "#f7f7f5"], [0.75, "#fdb863"], [1, "#b35806"]]; // too small, right, too large
  const METRICS = {
    nrmse: { name: page.errorName, scale: WORSE, ends: (top) => [0, top], color: (v) => v, digits: 2 },
    r: { name: "r", scale: WORSE.map(([at], k) => [at, WORSE[WORSE.length - 1 - k][1]]), ends: () => [0, 1], color: (v) => v, digits: 2 },
    amplitude: { name: "amplitude / truth", scale: SIDES, ends: () => [-1.6, 1.6], color: (v) => Math.log2(Math.max(v, 0.05)), digits: 2 },
  };
  const methods = new Map(page.methods.map((method) => [method.id, method]));
  const shown = new Set(page.shown);
  const narrow = () => el("forest").clientWidth < 640;
  const loadName = (load) => (load === null ? "load not stated" : `${load} kg`);

  // ---------- drawing ----------
  function draw(id, traces, layout) {
    const box = el(id), small = narrow();
    box.classList.toggle("small", small);
    if (!traces.length) { Plotly.purge(box); box.replaceChildren(make("p", { className: "empty" }, page.empty[id] ?? "Nothing to draw.")); return; }
    if (!box.classList.contains("js-plotly-plot")) box.textContent = "";
    const base = {
      showlegend: false, paper_bgcolor: "#fff", plot_bgcolor: "#fff", font: { family: FONT, size: small ? 11 : 12, color: MUTED },
      hovermode: "closest", dragmode: small ? false : "zoom", hoverlabel: { bgcolor: "#fff", bordercolor: "#cfccc5", font: { size: 11, color: INK } },
    };
    Plotly.react(box, traces, { ...base, ...layout }, { responsive: true, displayModeBar: false });
  }
  const axis = (k) => (k ? String(k + 1) : "");
  const title = (text, x, y, more = {}) => ({
    xref: "paper", yref: "paper", x, y, xanchor: "left", yanchor: "bottom", align: "left", showarrow: false, text, borderpad: 0, yshift: 3,
    font: { size: 12.5, color: INK }, ...more,
  });
  // Where panel k of a grid stands, as shares of the plot; `gap` and `rowGap` are pixels, `label` is kept free at the left of each column.
  function place(k, { columns, rows, width, height, gap = 40, rowGap = 50, head = 24, label = 0 }) {
    const column = k % columns, row = Math.floor(k / columns), wide = (width - gap * (columns - 1)) / columns;
    const tall = (height - head * 1 - rowGap * (rows - 1)) / rows, left = column * (wide + gap), top = head + row * (tall + rowGap);
    return { x: [(left + label) / width, Math.min(1, (left + wide) / width)], y: [Math.max(0, 1 - (top + tall) / height), 1 - top / height], column, row, wide: wide - label, tall };
  }
  // A method's name behind a dot of its color; ours in bold.
  function named({ name, short, color, ours }) {
    const text = literal(narrow() ? short : name);
    return `<span style="color:${color}">●</span> ${ours ? `<b>${text}</b>` : text}`;
  }

  // ---------- error against the copy ----------
  function drawForest() {
    const muscles = page.deep.filter(({ name }) => (page.ratios[name] ?? []).length), small = narrow();
    const columns = small ? 1 : Math.min(2, muscles.length), rows = Math.ceil(muscles.length / columns);
    const most = Math.max(1, ...muscles.map(({ name }) => page.ratios[name].length));
    const width = el("forest").clientWidth - 14, rowGap = 60, height = rows * most * 25 + (rows - 1) * rowGap + 24;
    const layout = { height: height + 34, margin: { l: 4, r: 10, t: 0, b: 34 }, annotations: [], shapes: [] }, traces = [];
    const every = muscles.flatMap(({ name }) => page.ratios[name].flatMap((row) => [row.ratio, row.scaled, row.low, row.high, page.ceiling[name]])).filter((v) => v > 0);
    const ends = [Math.log10(Math.min(0.8, ...every) * 0.92), Math.log10(Math.max(1.25, ...every) * 1.08)];
    muscles.forEach(({ name, label }, k) => {
      const list = page.ratios[name], id = axis(k), panel = place(k, { columns, rows, width, height, gap: 26, rowGap, label: small ? 116 : 226 });
      layout[`xaxis${id}`] = { domain: [panel.x[0], panel.x[1] - 58 / width], anchor: `y${id}`, type: "log", range: ends, gridcolor: GRID, zeroline: false, fixedrange: true, tickangle: 0, ...ratioTicks(ends, small ? 5 : 8) };
      layout[`yaxis${id}`] = {
        domain: panel.y, anchor: `x${id}`, range: [list.length - 0.4, -0.6], tickvals: list.map((_, i) => i), fixedrange: true, gridcolor: "rgba(0,0,0,0)", zeroline: false,
        ticktext: list.map((row) => `${named(methods.get(row.method))}  `), tickfont: { color: INK },
      };
      layout.annotations.push(title(`<b>${literal(label)}</b>`, small ? 0 : panel.x[0], panel.y[1]), title("nearer in", 1, 1, { x: panel.x[1], y: panel.y[1], xanchor: "right", font: { size: 11, color: MUTED } }));
      layout.shapes.push({ type: "line", xref: `x${id}`, yref: `y${id} domain`, x0: 1, x1: 1, y0: 0, y1: 1, line: { color: INK, width: 1 }, layer: "below" });
      if (page.ceiling[name]) {
        layout.shapes.push({ type: "line", xref: `x${id}`, yref: `y${id} domain`, x0: page.ceiling[name], x1: page.ceiling[name], y0: 0, y1: 1, line: { color: MUTED, width: 1.2, dash: "dot" }, layer: "below" });
        layout.annotations.push({ xref: `x${id}`, yref: `y${id} domain`, x: Math.log10(page.ceiling[name]), y: 0, xanchor: "left", yanchor: "bottom", showarrow: false, text: "own pattern", font: { size: 10, color: MUTED } });
      }
      list.forEach((row, i) => {
        const method = methods.get(row.method);
        if (method.ours) layout.shapes.push({ type: "rect", xref: `x${id} domain`, yref: `y${id}`, x0: 0, x1: 1, y0: i - 0.46, y1: i + 0.46, fillcolor: "#0b5fa514", line: { width: 0 }, layer: "below" });
        const said = `${literal(method.name)}: × ${fixed(row.ratio)}${row.low === null ? "" : ` (${fixed(row.low)} to ${fixed(row.high)})`}, time course × ${row.scaled === null ? "–" : fixed(row.scaled)}<extra></extra>`;
        const bar = row.low === null ? {} : { error_x: { type: "data", symmetric: false, array: [row.high - row.ratio], arrayminus: [row.ratio - row.low], color: method.color, thickness: 2, width: 0 } };
        traces.push({ type: "scatter", mode: "markers", x: [row.ratio], y: [i], xaxis: `x${id}`, yaxis: `y${id}`, marker: { color: method.color, size: method.ours ? 12 : 9 }, hovertemplate: said, ...bar });
        if (row.scaled !== null) traces.push({ type: "scatter", mode: "markers", x: [row.scaled], y: [i], xaxis: `x${id}`, yaxis: `y${id}`, marker: { color: method.color, size: 8, symbol: "diamond-open", line: { width: 1.6 } }, hovertemplate: said });
        layout.annotations.push({ xref: "paper", yref: `y${id}`, x: panel.x[1], y: i, xanchor: "right", showarrow: false, text: row.method === "copy" ? "" : `${row.wins} of ${row.n}`, font: { size: 11, color: MUTED } });
      });
    });
    draw("forest", traces, layout);
  }
  function ratioTicks([low, high], most) {
    const all = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 20, 50].filter((v) => Math.log10(v) >= low && Math.log10(v) <= high);
    const kept = all.length > most ? all.filter((v) => [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50].includes(v)) : all;
    return { tickvals: kept, ticktext: kept.map((v) => `×${v}`) };
  }

  // ---------- every person, every load ----------
  function drawCells() {
    const metric = METRICS[el("metric").value], small = narrow(), { columns } = page.cells, width = el("cells").clientWidth;
    const muscles = page.deep.filter(({ name }) => page.cells.values[name]), label = small ? 112 : 232, foot = 30;
    const one = page.methods.length * (small ? 18 : 22), height = muscles.length * (one + 64) + foot;
    const traces = [], layout = { height, margin: { l: label, r: small ? 8 : 70, t: 0, b: foot }, annotations: [], shapes: [] };
    const cell = (width - label - 70) / Math.max(1, columns.length), first = columns.map((c, i) => (i === 0 || columns[i - 1].subject !== c.subject ? i : -1)).filter((i) => i >= 0);
    const middle = first.map((start, k) => (start + (first[k + 1] ?? columns.length) - 1) / 2);
    muscles.forEach(({ name, label: said }, k) => {
      const values = page.cells.values[name][el("metric").value], id = axis(k), inner = height - foot;
      const known = values.flat().filter((v) => v !== null).sort((a, b) => a - b), ends = metric.ends(Math.min(1, known[Math.floor(0.95 * known.length)] ?? 1) || 1);
      const top = 1 - (k * (one + 64) + 46) / inner, bottom = Math.max(0, top - one / inner);
      traces.push({
        type: "heatmap", z: values.map((row) => row.map((v) => (v === null ? null : metric.color(v)))), customdata: values.map((row) => row.map((v, i) => [columns[i].subject, loadName(columns[i].load), v === null ? "–" : fixed(v)].map(literal))),
        xaxis: `x${id}`, yaxis: `y${id}`, zmin: ends[0], zmax: ends[1], colorscale: metric.scale, xgap: cell > 12 ? 1 : 0, ygap: 1, showscale: !small,
        colorbar: { x: 1.008, xanchor: "left", y: (top + bottom) / 2, len: top - bottom, lenmode: "fraction", thickness: 9, outlinewidth: 0, ...(metric === METRICS.amplitude ? { tickvals: [-1, 0, 1], ticktext: ["×½", "×1", "×2"] } : { nticks: 4 }) },
        text: values.map((row) => row.map((v) => (v === null ? "" : fixed(v, metric.digits)))), texttemplate: cell >= 26 ? "%{text}" : "", textfont: { size: 10 },
        y: page.methods.map((_, i) => i), x: columns.map((_, i) => i), hovertemplate: "%{customdata[0]}, %{customdata[1]}: " + `${metric.name} %{customdata[2]}<extra></extra>`,
      });
      layout[`yaxis${id}`] = { domain: [bottom, top], anchor: `x${id}`, autorange: "reversed", fixedrange: true, showgrid: false, zeroline: false, tickvals: page.methods.map((_, i) => i), ticktext: page.methods.map((m) => `${named(m)} `), tickfont: { color: INK } };
      const every = cell >= 14;
      layout[`xaxis${id}`] = { domain: [0, 1], anchor: `y${id}`, showgrid: false, zeroline: false, fixedrange: true, tickangle: 0, tickvals: every ? columns.map((_, i) => i) : [], ticktext: every ? columns.map((c) => (c.load === null ? "?" : c.load)) : [], ticklen: 0, tickfont: { size: 10 } };
      layout.annotations.push(title(`<b>${literal(said)}</b>`, 0, top, { yshift: 17, xshift: small ? -104 : 0 }));
      const step = Math.max(1, Math.ceil((small ? 34 : 40) / (((cell * columns.length) / first.length) || 1)));
      middle.forEach((x, i) => { if (i % step === 0) layout.annotations.push(title(literal(page.subjects[i]), x, top, { xref: `x${id}`, xanchor: "center", yshift: 1, font: { size: 10.5, color: MUTED } })); });
      first.slice(1).forEach((x) => layout.shapes.push({ type: "line", xref: `x${id}`, yref: `y${id} domain`, x0: x - 0.5, x1: x - 0.5, y0: 0, y1: 1, line: { color: "#fff", width: cell > 12 ? 5 : 2 } }));
      if (every && k === muscles.length - 1) layout.annotations.push({ xref: "paper", yref: "paper", x: 0, y: bottom, xanchor: "right", yanchor: "top", showarrow: false, text: "load, kg ", font: { size: 10, color: MUTED }, yshift: -2 });
    });
    draw("cells", traces, layout);
  }

  // ---------- time courses of everybody ----------
  const cache = new Map();
  function series(text, unit = "excitation") {
    if (!text) return null;
    const key = `${unit}:${text}`;
    if (!cache.has(key)) cache.set(key, unpacked(text, page.resolution[unit]));
    return cache.get(key);
  }
  function drawMaps() {
    const m = Number(el("muscle").value), small = narrow(), width = el("maps").clientWidth - 66;
    const lines = page.trials.flatMap((list, s) => list.filter((t) => t.turn === 0).map((t) => ({ s, t })));
    const panels = [{ name: "Truth", of: (t) => t.truth[m] }, ...page.methods.map((method) => ({ name: method.name, id: method.id, of: (t) => t.answers[method.id]?.excitation[m] }))]
      .map((panel) => ({ ...panel, z: lines.map(({ t }) => series(panel.of(t))) })).filter((panel) => panel.z.some(Boolean));
    const columns = small ? 2 : 4, rows = Math.ceil(panels.length / columns), tall = Math.max(96, Math.min(240, lines.length * 5));
    const height = rows * tall + (rows - 1) * 34 + 24, layout = { height: height + 60, margin: { l: small ? 48 : 56, r: 10, t: 0, b: 60 }, annotations: [], hovermode: "closest" }, traces = [];
    const truths = (panels[0]?.z ?? []).flatMap((row) => row ?? []).filter((v) => v !== null).sort((a, b) => a - b), top = Math.max(0.02, truths[Math.floor(0.995 * truths.length)] ?? 1);
    const starts = lines.map(({ s }, i) => (i === 0 || lines[i - 1].s !== s ? i : -1)).filter((i) => i >= 0), most = Math.max(1, Math.floor(tall / 13));
    const kept = starts.filter((_, i) => i % Math.ceil(starts.length / most) === 0), seconds = Math.max(...lines.map(({ t }) => t.step * (t.samples - 1)));
    const step = Math.min(...lines.map(({ t }) => t.step)) * (lines.length > 60 ? 4 : 2), clock = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => i * step);
    panels.forEach((panel, k) => {
      const id = axis(k), at = place(k, { columns, rows, width, height, gap: small ? 14 : 18, rowGap: 34 }), last = k + columns >= panels.length;
      traces.push({
        type: "heatmap", z: panel.z.map((row, i) => clock.map((time) => row?.[Math.round(time / lines[i].t.step)] ?? null)), x: clock, y: lines.map((_, i) => i), xaxis: `x${id}`, yaxis: `y${id}`,
        zmin: 0, zmax: top, colorscale: "Cividis", showscale: k === 0, customdata: lines.map(({ s, t }) => clock.map(() => literal(`${page.subjects[s]}, ${loadName(t.load)}`))), hovertemplate: "%{customdata}, %{x:.2f} s: %{z:.3f}<extra></extra>",
        colorbar: { orientation: "h", x: 0, xanchor: "left", y: 0, yanchor: "top", ypad: 30, len: small ? 0.6 : 0.3, thickness: 8, nticks: 5, outlinewidth: 0, tickformat: ".0%", tickfont: { size: 10 } },
      });
      layout[`xaxis${id}`] = { domain: at.x, anchor: `y${id}`, zeroline: false, showgrid: false, fixedrange: true, ticksuffix: " s", nticks: 5, showticklabels: last, tickfont: { size: 10 } };
      layout[`yaxis${id}`] = { domain: at.y, anchor: `x${id}`, autorange: "reversed", fixedrange: true, zeroline: false, showgrid: false, tickvals: kept, ticktext: kept.map((i) => literal(page.subjects[lines[i].s])), showticklabels: at.column === 0, tickfont: { size: 10 } };
      layout.annotations.push(title(panel.id ? named(methods.get(panel.id)) : "<b>Truth</b>", at.x[0], at.y[1], { font: { size: small ? 11 : 12 } }));
    });
    draw("maps", traces, layout);
  }

  // ---------- curves ----------
  const chosen = () => page.trials[Number(el("subject").value)].filter((t) => t.turn === Number(el("turn").value));
  const clock = (t) => Array.from({ length: t.samples }, (_, i) => Math.round((t.start + i * t.step) * 1e6) / 1e6);
  const faint = (color) => `${color}26`;
  function lines(t, kind, k) {
    const found = [], unit = kind === "moment" ? "moment" : "excitation", x = clock(t);
    const line = (name, y, style, more = {}) => ({ type: "scatter", mode: "lines", name, x, y, line: { width: 1.6, ...style }, hovertemplate: "%{y:.3~f}", ...more });
    for (const { id, name, color, dash, ours } of page.methods.filter((method) => shown.has(method.id))) {
      const answer = t.answers[id] ?? {}, y = series(answer[kind]?.[k], unit), [lower, upper] = [series(answer.lower?.[k]), series(answer.upper?.[k])];
      if (!y) continue;
      if (kind === "excitation" && lower && upper) {
        const edge = { line: { width: 0, color: "rgba(0,0,0,0)" }, hoverinfo: "skip", hovertemplate: null };
        found.push(line("lower edge", lower, {}, edge), line("90 % band", upper, {}, { ...edge, fill: "tonexty", fillcolor: faint(color) }));
      }
      found.push(line(literal(name), y, { color, dash, width: ours ? 2.3 : 1.6 }));
    }
    const truth = series((kind === "moment" ? t.moment : t.truth)[k], unit);
    return truth ? [...found, line(kind === "moment" ? "inverse dynamics" : "truth", truth, { color: TRUTH, width: 1.7 })] : found;
  }
  function drawGrid(id, kind, names, unit) {
    const list = chosen(), small = narrow(), columns = small ? 1 : list.length, width = el(id).clientWidth - 60, traces = [];
    const panels = names.flatMap((name, k) => list.map((t) => ({ name, t, traces: lines(t, kind, k) }))).filter((panel) => panel.traces.length || !small);
    const rows = Math.ceil(panels.length / Math.max(1, columns)), tall = small ? 120 : 165, height = rows * tall + (rows - 1) * 40 + 26;
    const layout = { height: height + 34, margin: { l: 48, r: 12, t: 0, b: 34 }, annotations: [], hovermode: "x unified" };
    panels.forEach((panel, k) => {
      const at = place(k, { columns, rows, width, height, gap: 44, rowGap: 40, head: 26 }), a = axis(k), last = k + columns >= panels.length;
      layout[`xaxis${a}`] = { domain: at.x, anchor: `y${a}`, gridcolor: GRID, zeroline: false, ticksuffix: " s", nticks: 6, hoverformat: ".2f", showticklabels: last, ...(k ? { matches: "x" } : {}) };
      layout[`yaxis${a}`] = { domain: at.y, anchor: `x${a}`, gridcolor: GRID, zerolinecolor: "#d7d4cd", fixedrange: true, nticks: 5, rangemode: kind === "moment" ? "normal" : "tozero", ...(at.column ? {} : { title: { text: unit, font: { size: 11 }, standoff: 4 } }) };
      layout.annotations.push(title(`<b>${literal(panel.name)}</b>, ${literal(loadName(panel.t.load))}`, at.x[0], at.y[1]));
      panel.traces.forEach((trace) => traces.push({ ...trace, xaxis: `x${a}`, yaxis: `y${a}` }));
    });
    draw(id, traces, layout);
  }
  function drawCurves() {
    const list = chosen();
    el("named").textContent = list.map((t) => `${loadName(t.load)}: ${t.name}`).join("   ");
    drawGrid("envelopes", "excitation", page.deep.map(({ label }) => label), "fraction of max.");
    drawGrid("moments", "moment", page.coordinates, "N·m");
    fillExplained(list);
  }
  function fillExplained(list) {
    const scores = page.r2[Number(el("subject").value)], shownR2 = (v) => make("td", {}, v === undefined || v === null ? "–" : fixed(v));
    const rows = page.methods.filter(({ id }) => scores[id]).flatMap(({ id, name, color, ours }) => page.coordinates.map((coordinate) => {
      const dot = make("i", { className: "dot" });
      dot.style.background = color;
      const label = page.coordinates.length > 1 ? `${name}, ${coordinate}` : name, found = scores[id][coordinate] ?? {};
      return make("tr", { className: ours ? "ours" : "" }, make("th", { scope: "row" }, dot, label), ...list.map((t) => shownR2(found[t.name])), shownR2(found.all));
    }));
    const head = make("tr", {}, ...["R² of the moment", ...list.map((t) => loadName(t.load)), "all trials"].map((text) => make("th", { scope: "col" }, text)));
    el("explained").replaceChildren(rows.length ? make("div", { className: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))) : make("p", { className: "empty" }, "No method has a moment of its own."));
  }

  // ---------- amplitude ----------
  function drawLevels() {
    const muscles = page.deep.filter(({ name }) => page.levels[name]), small = narrow(), columns = small ? 1 : Math.min(2, muscles.length), rows = Math.ceil(muscles.length / Math.max(1, columns));
    const width = el("levels").clientWidth - 60, height = rows * 290 + (rows - 1) * 50 + 24, traces = [], key = small ? 150 : 70,
      layout = { height: height + 34 + key, margin: { l: 48, r: 12, t: 0, b: 34 + key }, annotations: [], shapes: [], showlegend: true, legend: { orientation: "h", x: 0, y: -34 / height, yanchor: "top", font: { size: 11, color: INK } } };
    muscles.forEach(({ name, label }, k) => {
      const found = page.levels[name], id = axis(k), at = place(k, { columns, rows, width, height, gap: 54 }), spread = 0.84 / (found.rows.length + 1);
      layout[`xaxis${id}`] = { domain: at.x, anchor: `y${id}`, range: [-0.5, found.loads.length - 0.5], tickvals: found.loads.map((_, i) => i), ticktext: found.loads.map((load) => `${load} kg`), showgrid: false, zeroline: false, fixedrange: true };
      layout[`yaxis${id}`] = { domain: at.y, anchor: `x${id}`, gridcolor: GRID, zeroline: false, rangemode: "tozero", tickformat: ".0%", nticks: 6, fixedrange: true };
      layout.annotations.push(title(`<b>${literal(label)}</b>${found.note}`, at.x[0], at.y[1]));
      found.physiology.forEach((range, i) => { if (range) layout.shapes.push({ type: "rect", xref: `x${id}`, yref: `y${id}`, x0: i - 0.46, x1: i + 0.46, y0: range[0], y1: range[1], fillcolor: "#1b7f6b2b", line: { width: range[0] === range[1] ? 5 : 0, color: "#1b7f6b55" }, layer: "below" }); });
      found.loads.slice(1).forEach((_, i) => layout.shapes.push({ type: "line", xref: `x${id}`, yref: `y${id} domain`, x0: i + 0.5, x1: i + 0.5, y0: 0, y1: 1, line: { color: GRID, width: 1 } }));
      found.rows.forEach((row, j) => {
        const method = row.method === null ? { name: "truth", short: "truth", color: TRUTH, marker: "line-ew-open" } : methods.get(row.method);
        const there = row.levels.map((level, i) => [level, i]).filter(([level]) => level !== null), x = there.map(([, i]) => i + (j + 1 - (found.rows.length + 1) / 2) * spread);
        traces.push({
          type: "scatter", mode: "markers", name: literal(small ? method.short : method.name), legendgroup: row.method ?? "", showlegend: k === 0, x, y: there.map(([level]) => level[1]), xaxis: `x${id}`, yaxis: `y${id}`, marker: { color: method.color, size: method.ours ? 10 : row.method === null ? 11 : 7, symbol: method.marker, line: { width: row.method === null ? 3 : 1.4, color: method.color } },
          error_y: { type: "data", symmetric: false, array: there.map(([level]) => level[2] - level[1]), arrayminus: there.map(([level]) => level[1] - level[0]), color: method.color, thickness: 1.3, width: 0 },
          customdata: there.map(([level]) => level.map((v) => `${(100 * v).toFixed(1)} %`)), hovertemplate: `${literal(method.name)}: median %{customdata[1]} (%{customdata[0]} to %{customdata[2]})<extra></extra>`,
        });
      });
    });
    draw("levels", traces, layout);
  }

  // ---------- choosing ----------
  function fillKey() {
    const items = [make("li", {}, swatch(TRUTH, ""), "truth, inverse dynamics")];
    for (const { id, name, color, dash } of page.methods) {
      const box = make("input", { type: "checkbox", checked: shown.has(id) });
      box.dataset.method = id;
      box.addEventListener("change", () => { box.checked ? shown.add(id) : shown.delete(id); drawCurves(); });
      items.push(make("li", {}, make("label", {}, box, swatch(color, DASHES[dash]), name)));
    }
    el("key").replaceChildren(...items);
  }
  function fillTurns() {
    const turns = [...new Set(page.trials[Number(el("subject").value)].map((t) => t.turn))].sort((a, b) => a - b);
    const before = el("turn").value;
    el("turn").replaceChildren(...turns.map((turn) => make("option", { value: String(turn) }, `${turn + 1} of ${turns.length}`)));
    if (turns.includes(Number(before)) && before !== "") el("turn").value = before;
  }
  const options = (names) => names.map((name, i) => make("option", { value: String(i) }, name));
  function drawAll() {
    for (const part of [drawForest, drawCells, drawMaps, drawCurves, drawLevels]) part();
  }
  el("subject").replaceChildren(...options(page.subjects));
  el("subject").value = String(page.median);
  el("muscle").replaceChildren(...options(page.deep.map(({ label }) => label)));
  el("metric").addEventListener("change", drawCells);
  el("muscle").addEventListener("change", drawMaps);
  el("subject").addEventListener("change", () => { fillTurns(); drawCurves(); });
  el("turn").addEventListener("change", drawCurves);
  fillKey();
  fillTurns();
  drawAll();
  let width = document.body.clientWidth, waiting = 0;
  addEventListener("resize", () => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 150);
  });
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
})();
