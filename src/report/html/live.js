// Fills the page while a run goes on. What it is told is HTML that the program has made and escaped.
"use strict";
(() => {
  const status = document.getElementById("told");
  const events = new EventSource("events");
  // What the reader has opened and closed; the rest opens and closes by itself.
  const touched = new Map();
  let clauses = new Map();
  let counts = new Map();
  let ended = 0;
  let failures = 0;
  let last = null;

  const element = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content;
  };
  const key = (details) => {
    const name = details.id || details.querySelector("summary h3, summary code")?.textContent;
    return name || details.closest("li")?.querySelector("code")?.textContent || "";
  };
  const tell = (text) => { status.textContent = text; };

  const take = {
    start(told) {
      const state = reading();
      document.body.replaceChildren(status, element(told.html));
      ended = 0;
      counts = new Map([...document.querySelectorAll(".pill")].map((pill) => [pill.dataset.mark, 0]));
      const of = [...document.querySelectorAll("details.clause")];
      clauses = new Map(of.map((clause) => [key(clause), clause]));
      tell("");
      document.title = status.dataset.running + ": " + document.querySelector(".target").textContent;
      goOnReading(state);
    },
    look(told) { document.getElementById("look").replaceChildren(element(told.html)); },
    begun(told) { document.getElementById("now").textContent = told.id; },
    case(told) {
      ended += 1;
      document.querySelector("progress").value = ended;
      const shown = document.getElementById("ended");
      shown.textContent = `${ended}${shown.dataset.of}`;
      counts.set(told.mark, counts.get(told.mark) + 1);
      const pill = document.querySelector(`.pill[data-mark="${told.mark}"]`);
      pill.hidden = false;
      pill.querySelector("b").textContent = counts.get(told.mark);
      const clause = clauses.get(told.clause);
      if (clause) { place(told, clause); }
    },
    page(told) {
      const state = reading();
      last = new DOMParser().parseFromString(told.html, "text/html");
      document.title = last.title;
      document.body.replaceChildren(status, ...last.body.childNodes);
      goOnReading(state);
      offer(told.html);
    },
    // Nothing follows: the page becomes the one that needs no script.
    bye() {
      events.close();
      if (last) { document.head.replaceChildren(...last.head.childNodes); }
    },
  };

  /// Puts a case where it stands among those of its clause.
  function place(told, clause) {
    const made = element(told.html).firstElementChild;
    made.dataset.place = told.place;
    const after = [...clause.querySelectorAll(":scope > .case")].find((other) => Number(other.dataset.place) > told.place);
    clause.insertBefore(made, after ?? null);
    const has = "has-" + told.mark;
    clause.classList.add(has);
    clause.parentElement.classList.add(has);
    if (told.open && !touched.has(key(clause))) { clause.open = true; }
    recount(clause);
  }

  function recount(clause) {
    const of = [...counts.keys()].map((mark) => {
      const count = clause.querySelectorAll(`:scope > .case.${mark}`).length;
      const shown = document.createElement("span");
      shown.className = "count " + mark;
      const { word } = document.querySelector(`.pill[data-mark="${mark}"]`).dataset;
      shown.textContent = `${count} ${word}`;
      return count > 0 ? [" ", shown] : [];
    });
    clause.querySelector(".counts").replaceChildren(...of.flat());
  }

  /// Where the reader is: what has the focus, which verdicts are hidden, what stands at the top.
  function reading() {
    const active = document.activeElement;
    const details = active?.closest?.("summary")?.parentElement;
    const top = [...document.querySelectorAll("details.clause, .case")].find((it) => it.getBoundingClientRect().top > 0 && it.offsetParent);
    return {
      focus: details ? key(details) : active?.id,
      hidden: [...document.querySelectorAll(".filter")].filter((box) => !box.checked).map((box) => box.id),
      top: window.scrollY > 0 && top ? { key: key(top), at: top.getBoundingClientRect().top } : null,
    };
  }

  function goOnReading(state) {
    state.hidden.map((id) => document.getElementById(id)).forEach((box) => { if (box) { box.checked = false; } });
    const all = [...document.querySelectorAll("details")];
    all.filter((it) => touched.has(key(it))).forEach((it) => { it.open = touched.get(key(it)); });
    const named = (name) => all.find((it) => key(it) === name) ?? document.getElementById(name);
    if (state.focus) { (named(state.focus)?.querySelector?.("summary") ?? named(state.focus))?.focus({ preventScroll: true }); }
    const top = state.top && named(state.top.key);
    if (top) { window.scrollBy({ top: top.getBoundingClientRect().top - state.top.at, behavior: "instant" }); }
  }

  /// The page as a file, as --format html writes it.
  function offer(html) {
    const save = document.createElement("a");
    save.href = URL.createObjectURL(new Blob([html], { type: "text/html" }));
    save.download = "conformance.html";
    save.textContent = status.dataset.save;
    status.replaceChildren(status.dataset.over + " ", save);
  }

  document.addEventListener("click", (event) => {
    const details = event.target.closest?.("summary")?.parentElement;
    if (details) { touched.set(key(details), !details.open); }
  });
  events.onopen = () => {
    if (failures > 0 && !last) { tell(""); }
    failures = 0;
  };
  events.onmessage = (event) => {
    const told = JSON.parse(event.data);
    take[told.is](told);
  };
  events.onerror = () => {
    failures += 1;
    tell(status.dataset.lost);
    if (failures > 5) { events.close(); }
  };
})();
