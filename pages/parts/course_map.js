// Draws the map of the course from what the server counted; links are handled by terms.js.
export default function ({ data: packed, parentElement }) {
  const { next, figures, stops } = JSON.parse(new TextDecoder().decode(packed))
  parentElement.querySelector(".map").innerHTML =
    `<div class="top">${next ? forward(next) : ""}<dl class="figures">${figures.map(figure).join("")}</dl></div>` +
    `<ol class="path">${stops.map(stop).join("")}</ol>`
}

const forward = ({ href, why, where }) =>
  `<a class="next" href="${href}"><span class="why">${why}</span><span class="where">${where}</span></a>`

const figure = ([number, what]) => `<div><dt>${what}</dt><dd>${number}</dd></div>`

const stop = ({ number, href, title, promise, state, here, share, facts, rungs }) => `
  <li class="stop ${state}"${here ? " data-here" : ""} style="--share:${share}">
    <span class="number" aria-hidden="true">${number}</span>
    <div class="head"><h2><a href="${href}">${title}</a></h2><p class="facts">${facts}</p></div>
    <p class="promise">${promise}</p>
    <ul class="rungs">${rungs.map(state === "new" ? bar : rung).join("")}</ul>
  </li>`

const CHECK = `<svg viewBox="0 0 12 12" role="img" aria-label="earned:"><path d="M1 6.5 4.5 10 11 2"/></svg>`

const rung = ({ name, done, of, earned, meaning }) =>
  `<li class="${earned ? "earned" : ""}" title="${meaning}"><span class="bar" style="--done:${earned ? 1 : done / of}"></span>` +
  `<span class="name">${earned ? CHECK : ""}${name}${earned ? "" : ` ${done}/${of}`}</span></li>`

const bar = ({ name, meaning }) => `<li title="${meaning}"><span class="bar" style="--done:0"></span><span class="hidden">${name}: nothing yet</span></li>`
