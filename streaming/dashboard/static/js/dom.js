// Elements are made here and nowhere else, from text only: nothing is ever parsed as HTML.
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    } else if (name === "style") {
      for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, setting);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false));
  return element;
}

export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

// Put new children in place and give the focus back to what had it.
export function replace(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const open = [...parent.querySelectorAll("details[open][data-key]")].map((each) => each.dataset.key);
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
  for (const each of parent.querySelectorAll("[data-key]")) {
    if (each.dataset.key === focused) each.focus({ preventScroll: true });
    if (each.tagName === "DETAILS" && open.includes(each.dataset.key)) each.open = true;
  }
}

export const card = (title, ...children) =>
  h("section", { class: "card" }, title && h("h2", null, title), children);

export function table(headings, rows, caption) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", null,
      h("caption", { class: "hidden" }, caption),
      h("thead", null, h("tr", null, headings.map((each) =>
        h("th", { scope: "col", class: each.number ? "number" : each.css }, each.text ?? each)))),
      h("tbody", null, rows)));
}
