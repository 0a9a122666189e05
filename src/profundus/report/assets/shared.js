"use strict";
// What the pages share: reading packed series, writing numbers and names, making elements.
const profundus = (() => {
  const DIGITS = new Map([..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].map((c, i) => [c, i]));

  // The inverse of `packed` in series.py: base-64 digits of variable length, straight-line prediction, "~" is a gap.
  function unpacked(text, step) {
    const values = [];
    let before = 0, last = 0, code = 0, shift = 0;
    for (const character of text) {
      if (character === "~") { values.push(null); continue; }
      const digit = DIGITS.get(character);
      code += (digit & 31) * 2 ** shift;
      shift += 5;
      if (digit & 32) continue;
      const rest = code % 2 ? -((code - 1) / 2) : code / 2;
      [before, last] = [last, 2 * last - before + rest];
      values.push(Math.round(last * step * 1e6) / 1e6);
      code = 0;
      shift = 0;
    }
    return values;
  }
  const literal = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const fixed = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

  function make(tag, properties = {}, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  }
  function drawing(tag, attributes) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
    return node;
  }
  function swatch(color, dash, band) {
    const picture = drawing("svg", { width: 26, height: 10, "aria-hidden": "true" });
    if (band) picture.append(drawing("rect", { width: 26, height: 10, fill: color, opacity: 0.2 }));
    picture.append(drawing("line", { x1: 0, x2: 26, y1: 5, y2: 5, stroke: color, "stroke-width": 2, "stroke-dasharray": dash }));
    return picture;
  }
  return { unpacked, make, drawing, swatch, literal, fixed };
})();
