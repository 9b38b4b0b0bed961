// The frame of the page: which view an address means, and keeping it up to date.
import { ask, Problem, setToken } from "./api.js";
import { h, replace } from "./dom.js";
import { language, languages, setLanguage, t } from "./i18n.js";
import { ArticleView } from "./views/article.js";
import { LettersView } from "./views/letters.js";
import { NowView } from "./views/now.js";
import { PairView } from "./views/pair.js";
import { RatesView } from "./views/rates.js";
import { SearchView } from "./views/search.js";
import { StoriesView } from "./views/stories.js";
import { StoryView } from "./views/story.js";

const VIEWS = {
  now: NowView, rates: RatesView, stories: StoriesView, story: StoryView, article: ArticleView,
  pair: PairView, letters: LettersView, search: SearchView,
};
const TABS = ["now", "rates", "stories", "letters", "search"];
const PARENTS = { story: "stories", pair: "stories", article: "search" };
const RETRY_MS = 3000;
const THEME = "leitong.theme";
const LIVE = "leitong.live";

const page = { view: null, name: "", timer: 0, request: null, live: localStorage.getItem(LIVE) !== "no", troubled: false };
const main = document.getElementById("main");
const banner = document.getElementById("banner");

function address() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { name: name in VIEWS ? name : "now", rest, parameters: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

function open() {
  const { name, rest, parameters } = address();
  close();
  page.name = name;
  page.view = new VIEWS[name]({ rest, parameters, refresh: load });
  head();
  document.title = `${page.view.title()} · Leitong 雷同`;
  replace(main, h("h1", { class: "hidden" }, page.view.title()), page.view.element);
  load();
}

function close() {
  clearTimeout(page.timer);
  page.request?.abort();
  page.view?.close?.();
  page.view = null;
}

async function load() {
  clearTimeout(page.timer);
  page.request?.abort();
  const request = new AbortController();
  page.request = request;
  const view = page.view;
  let wait = view.every;
  const path = view.path();
  if (path !== null) {
    try {
      const found = await ask(path, request.signal);
      if (page.view !== view) return;
      settle();
      view.show(found);
      main.classList.remove("old");
    } catch (error) {
      if (error.name === "AbortError" || page.view !== view) return;
      if (!(error instanceof Problem)) throw error;
      wait = trouble(error, view);
    }
  }
  if (wait && (page.live || page.troubled)) page.timer = setTimeout(load, wait);
}

function settle() {
  if (!page.troubled) return;
  page.troubled = false;
  replace(banner, h("p", { class: "good" }, t("back")));
  setTimeout(() => !page.troubled && replace(banner), 4000);
}

// Say what is wrong; gives after how many milliseconds to try again, 0 if that helps nothing.
function trouble(problem, view) {
  if (problem.state === "empty") {
    settle();
    replace(view.element, empty());
    view.reset?.();
    return RETRY_MS;
  }
  if (problem.state === "locked") {
    replace(view.element, lock(problem.message));
    return 0;
  }
  if (problem.state === "refused") {
    settle();
    replace(view.element, h("section", { class: "card state", role: "alert" }, h("p", null, problem.message)));
    view.reset?.();
    return 0;
  }
  page.troubled = true;
  main.classList.add("old");
  const told = problem.state === "gone" ? t("gone") : t(problem.state === "failed" ? "failed" : "unreachable", problem.message);
  if (banner.textContent !== told) replace(banner, h("p", { class: "bad" }, told));
  return RETRY_MS;
}

const empty = () =>
  h("section", { class: "card state" }, h("h2", null, t("empty_title")), h("p", null, t("empty_text")),
    h("pre", { class: "command" }, "leitong run"));

function lock() {
  const field = h("input", { type: "password", id: "token", autocomplete: "current-password", required: true });
  const enter = (event) => {
    event.preventDefault();
    setToken(field.value.trim());
    open();
  };
  return h("section", { class: "card state" }, h("p", null, t("locked")),
    h("form", { class: "row", on: { submit: enter } }, h("label", { for: "token" }, t("token")), field, h("button", { type: "submit" }, t("enter"))));
}

function choice(label, key, options, chosen, change) {
  return h("label", { class: "choice" }, h("span", { class: "hidden" }, label),
    h("select", { "data-key": key, "aria-label": label, on: { change: (event) => change(event.target.value) } },
      Object.entries(options).map(([value, text]) => h("option", { value, selected: value === chosen }, text))));
}

function head() {
  document.documentElement.lang = language() === "zh" ? "zh-Hans" : "en";
  document.getElementById("skip").textContent = t("skip");
  document.getElementById("foot").textContent = t("footer");
  const current = PARENTS[page.name] ?? page.name;
  replace(document.getElementById("top"),
    h("a", { class: "brand", href: "#/now" }, h("img", { src: "/icon.svg", alt: "", width: 26, height: 26 }), h("span", null, "Leitong"), h("span", { class: "han", lang: "zh" }, "雷同")),
    h("nav", { "aria-label": t("navigation") }, TABS.map((name) =>
      h("a", { href: `#/${name}`, "data-key": `tab-${name}`, "aria-current": name === current ? "page" : null }, t(name)))),
    h("div", { class: "tools" },
      h("label", { class: "live" }, h("input", { type: "checkbox", id: "live", "data-key": "live", checked: page.live, on: { change: toggle } }), h("span", null, t("live"))),
      choice(t("theme"), "theme", { auto: t("auto"), light: t("light"), dark: t("dark") }, localStorage.getItem(THEME) ?? "auto", paint),
      choice(t("language"), "language", languages, language(), (name) => {
        setLanguage(name);
        open();
      })));
}

function toggle(event) {
  page.live = event.target.checked;
  localStorage.setItem(LIVE, page.live ? "yes" : "no");
  if (page.live) load();
  else if (!page.troubled) clearTimeout(page.timer);
}

function paint(theme) {
  localStorage.setItem(THEME, theme);
  dress();
  open();
}

function dress() {
  const theme = localStorage.getItem(THEME) ?? "auto";
  const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

// Escape leads from an article or a pair back to where it was opened.
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && page.name in PARENTS && !event.target.matches("input, select")) history.back();
});
addEventListener("hashchange", () => {
  open();
  scrollTo(0, 0);
});
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  dress();
  open();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && page.live && page.view?.every) load();
});
dress();
open();
