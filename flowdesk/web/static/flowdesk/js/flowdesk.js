/* What the pages gain from script: clocks that count, keys, menus that close, a theme without a reload.
   Everything works without it; nothing here decides anything. */
"use strict";
(() => {
  const root = document.documentElement;
  const body = document.body;
  const said = () => document.getElementById("said");
  root.dataset.script = "on";

  /* Time. The page was made at the server's `data-now`; a wrong clock on this machine must not matter. */
  const skew = body.dataset.now ? Date.parse(body.dataset.now) - Date.now() : 0;
  const now = () => Date.now() + skew;
  const MINUTE = 60_000;

  const fill = (pattern, values) =>
    pattern.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));

  const length = (milliseconds) => {
    const minutes = Math.floor(Math.abs(milliseconds) / MINUTE);
    const hours = Math.floor(minutes / 60);
    const days = Math.floor(hours / 24);
    if (days) return fill(body.dataset.days, { days, hours: hours % 24 });
    if (hours) return fill(body.dataset.hours, { hours, minutes: String(minutes % 60).padStart(2, "0") });
    return fill(body.dataset.minutes, { minutes });
  };

  const words = (state, rest) => {
    const span = length(rest);
    if (rest < 0) return fill(body.dataset.over, { length: span });
    return state === "warning" ? fill(body.dataset.left, { length: span }) : span;
  };

  const count = () => {
    if (!body.dataset.left) return;
    for (const chip of document.querySelectorAll("[data-counts]")) {
      const text = words(chip.dataset.counts, Date.parse(chip.dateTime) - now());
      const place = chip.querySelector(".says");
      if (place.textContent !== text) place.textContent = text;
    }
  };

  /* The server alone says what a clock has become: at a threshold it is asked again, once for each instant. */
  const asked = new Set();
  const askAgain = () => {
    /* The answer would take an open form's place, and the words in it: it is asked for when the form has closed. */
    if ([...openMenus()].some((menu) => menu.querySelector("form"))) return;
    const due = [...document.querySelectorAll("[data-changes]")]
      .map((chip) => chip.dataset.changes)
      .filter((at) => Date.parse(at) <= now() && !asked.has(at));
    if (!due.length) return;
    due.forEach((at) => asked.add(at));
    body.dispatchEvent(new CustomEvent("threshold-reached"));
  };
  const tick = () => {
    count();
    askAgain();
  };
  setInterval(tick, 30_000);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
  body.addEventListener("clock-ticked", tick); /* for tests, and for a page that knows better */

  /* One polite voice: speaks only when the sentence is another than before. */
  let spoken = said()?.dataset.words ?? "";
  const speak = (sentence) => {
    if (!sentence || sentence === spoken) return;
    spoken = sentence;
    said().textContent = sentence;
  };
  body.addEventListener("announced", (event) => speak(event.detail?.words ?? event.detail?.value));

  /* Menus */
  const openMenus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();
    event.target.closest("[data-close]")?.closest(".toast")?.remove();
    const focus = event.target.closest("[data-focus]");
    if (focus && press(focus.dataset.focus)) event.preventDefault();
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.menu") && event.target.open) {
      event.target.querySelector(".panel :is(select, textarea, input:not([type=hidden]))")?.focus();
    }
  }, true);

  /* A list whose order matters: dragged, or moved with Alt and an arrow; the form says it to the server. */
  const reordered = (item, to) => {
    const form = document.getElementById(item.closest("[data-reorder]").dataset.reorder);
    form.elements.rule.value = item.dataset.place;
    form.elements.to.value = String(to);
    form.requestSubmit();
  };
  let dragged = null;
  for (const item of document.querySelectorAll("[data-reorder] > [data-place]")) item.draggable = true;
  const placeUnder = (event) => dragged && event.target.closest?.("[data-reorder] > [data-place]");
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-reorder] > [data-place]");
    if (dragged) event.dataTransfer.setData("text/plain", dragged.dataset.place);
  });
  document.addEventListener("dragover", (event) => {
    const under = placeUnder(event);
    for (const item of document.querySelectorAll(".over")) item.classList.toggle("over", item === under);
    if (!under) return;
    event.preventDefault();
    under.classList.add("over");
  });
  document.addEventListener("drop", (event) => {
    const under = placeUnder(event);
    if (!under || under === dragged) return;
    event.preventDefault();
    reordered(dragged, Number(under.dataset.place));
  });
  document.addEventListener("dragend", () => { dragged = null; });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const item = step && event.altKey && event.target.closest?.("[data-reorder] > [data-place]");
    if (!item) return;
    const to = Number(item.dataset.place) + step;
    if (to < 0 || to >= item.parentElement.querySelectorAll("[data-place]").length) return;
    event.preventDefault();
    reordered(item, to);
  });

  /* Preferences change at once here; the server is told, and knows them for the next page. */
  const remember = (form, name, value) => {
    const answers = new FormData(form);
    answers.set(name, value);
    fetch(form.action, { method: "POST", body: answers, redirect: "manual" }).catch(() => {});
  };
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button?.name !== "theme" || !event.target.matches(".theme")) return;
    event.preventDefault();
    if (button.value === "system") delete root.dataset.theme;
    else root.dataset.theme = button.value;
    remember(event.target, "theme", button.value);
    for (const other of document.querySelectorAll(".theme button")) {
      other.setAttribute("aria-pressed", String(other.value === button.value));
    }
  });

  /* Keys: silent while typing, in a dialog, with a modifier, or when switched off. */
  let keysOn = body.dataset.keys !== "off";
  const showKeys = () => { root.dataset.keys = keysOn ? "on" : "off"; };
  showKeys();
  const keysBox = document.getElementById("keys-on");
  if (keysBox) {
    keysBox.checked = keysOn;
    keysBox.addEventListener("change", () => {
      keysOn = keysBox.checked;
      remember(keysBox.form, "keys", keysOn ? "on" : "off");
      showKeys();
    });
  }

  const isTyping = (element) =>
    element?.closest("textarea, select, input:not([type=checkbox], [type=radio]), [contenteditable]");
  const isShown = (element) => element.getClientRects().length > 0;

  function press(key) {
    const target = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(isShown);
    if (!target) return false;
    if (target.matches("input, textarea")) target.focus();
    else target.click();
    if (target.closest(".composer")) document.getElementById("composer-text")?.focus();
    return true;
  }

  const rows = () => [...document.querySelectorAll(".row > a")].filter(isShown);
  let opening = 0;
  const choose = (link) => {
    for (const row of document.querySelectorAll(".row[aria-current]")) row.removeAttribute("aria-current");
    link.closest(".row").setAttribute("aria-current", "true");
  };
  const move = (step) => {
    const links = rows();
    if (!links.length) return false;
    const here = links.findIndex((link) => link === document.activeElement || link.closest("[aria-current]"));
    const next = links[Math.min(links.length - 1, Math.max(0, here + step))];
    next.focus();
    choose(next);
    next.scrollIntoView({ block: "nearest" });
    clearTimeout(opening);
    opening = setTimeout(() => hasPreview() && next.click(), 200); /* one answer for a run of presses */
    return true;
  };
  const hasPreview = () => {
    const preview = document.getElementById("preview");
    return Boolean(preview && isShown(preview) && window.htmx);
  };

  let first = "";
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of openMenus()) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.form?.matches(".composer")) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (!keysOn || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const key = event.key;
    if (first === "g") {
      first = "";
      if (press(`g ${key}`)) event.preventDefault();
      return;
    }
    if (key === "g") {
      first = "g";
      setTimeout(() => { first = ""; }, 1500);
      return;
    }
    if (key === "Enter" && event.target.matches(".row > a")) {
      event.preventDefault();
      window.location.assign(event.target.href);
      return;
    }
    if (key === "?") document.getElementById("keys")?.showModal();
    else if ((key === "j" && move(1)) || (key === "k" && move(-1))) { /* moved in the list */ }
    else if (key.length !== 1 || !press(key)) return;
    event.preventDefault();
  });

  /* A row opens beside the list where there is room, else the whole ticket. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".row > a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (hasPreview()) choose(link);
    else event.stopImmediatePropagation();
  }, true);

  /* The rows that a threshold brings know nothing of the one chosen since the page came. */
  let chosen = "";
  body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "rows") chosen = document.querySelector(".row[aria-current] > a")?.id ?? "";
  });
  body.addEventListener("htmx:afterSwap", (event) => {
    const link = event.detail.target.id === "rows" && chosen && document.getElementById(chosen);
    if (link) choose(link);
  });

  /* The preview begins where the talk has got to. */
  const toLatest = () => {
    const talk = document.querySelector(".preview .scroll");
    if (talk) talk.scrollTop = talk.scrollHeight;
  };
  toLatest();
  body.addEventListener("htmx:afterSwap", (event) => event.detail.target.id === "preview" && toLatest());

  /* An act that did not come through is told, and no word is lost: not to a database that is away, and not to a
     log-in that has ended, which takes the reader to another page and back. */
  const refused = document.getElementById("refused");
  const KEPT = "kept";
  const tell = (sentence, link) => {
    const toast = document.createElement("div");
    const words = document.createElement("p");
    toast.className = "toast";
    words.textContent = sentence;
    toast.append(words);
    if (link) toast.append(link);
    refused.replaceChildren(toast);
  };
  const wayIn = () => {
    const link = document.createElement("a");
    link.className = "button small";
    link.href = `${refused.dataset.login}?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.textContent = refused.dataset.loginWords;
    return link;
  };
  /* By the address of its form, which names the ticket: no word may come back on another one. */
  const kept = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
  const keep = (all) => sessionStorage.setItem(KEPT, JSON.stringify(all));
  const addressOf = (field) => field.form?.getAttribute("action");
  const keepWords = () => keep([...document.querySelectorAll("main form textarea[id]")]
    .filter((field) => addressOf(field) && field.value.trim())
    .map((field) => [addressOf(field), field.id, field.value]));
  const takeBack = () => {
    const left = kept().filter(([address, id, words]) => {
      const field = document.getElementById(id);
      if (!field || addressOf(field) !== address || field.value.trim()) return true;
      field.value = words;
      tell(refused.dataset.back);
      return false;
    });
    keep(left);
  };
  if (refused) {
    body.addEventListener("htmx:responseError", (event) => {
      const { status } = event.detail.xhr;
      if (status >= 400 && status < 429) keepWords(); /* for the page that is loaded next */
      if (status === 401) tell(refused.dataset.out, wayIn());
      else tell(status >= 429 ? refused.dataset.away : refused.dataset.refused);
    });
    body.addEventListener("htmx:sendError", () => tell(refused.dataset.away));
    body.addEventListener("htmx:afterRequest", (event) => {
      const { successful, requestConfig } = event.detail;
      if (!successful || requestConfig?.verb === "get") return;
      keep(kept().filter(([address]) => address !== requestConfig.path)); /* sent: it must not come back */
      refused.replaceChildren();
    });
    takeBack();
  }

  /* What is wrong in a form that came back as a whole page is where the reader goes on. */
  document.querySelector("main [aria-invalid=true], main form .error")?.closest("form")
    ?.querySelector("[aria-invalid=true], input:not([type=hidden]), textarea")?.focus();

  /* Focus survives a swap: back to the same control, or to the first wrong answer. */
  let before = null;
  body.addEventListener("htmx:beforeSwap", () => {
    const active = document.activeElement;
    before = active && active !== body ? { id: active.id, href: active.getAttribute("href") } : null;
  });
  body.addEventListener("htmx:afterSettle", () => {
    tick();
    const wrong = document.querySelector("main [aria-invalid=true]");
    if (wrong && wrong !== document.activeElement) { wrong.focus(); return; }
    if (!before || document.activeElement !== body) return;
    const again = (before.id && document.getElementById(before.id))
      || (before.href && document.querySelector(`a[href="${CSS.escape(before.href)}"]`));
    (again || document.getElementById("main"))?.focus({ preventScroll: true });
  });
})();
