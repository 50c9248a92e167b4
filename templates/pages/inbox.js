// What makes the inbox live: new mail appears by itself, keys, copying. Everything works without.
"use strict";

(() => {
  const told = document.getElementById("told");
  const help = document.getElementById("help");
  const remove = document.getElementById("delete");
  const links = () => [...document.querySelectorAll(".mails a")];
  let chosen = null;

  const say = (text) => {
    told.textContent = "";
    // A screen reader tells a change, and the same text again is none.
    setTimeout(() => {
      told.textContent = text;
    }, 50);
  };

  // Copying.
  const copy = async (button) => {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without https there is no clipboard but the old way to it.
      const field = document.createElement("textarea");
      field.value = text;
      button.after(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    say(`${told.dataset.copied}: ${text}`);
    const before = button.dataset.text ?? button.textContent;
    button.dataset.text = before;
    button.textContent = told.dataset.copied;
    setTimeout(() => {
      button.textContent = before;
    }, 1500);
  };
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }

  // The list as it is now, in the place of the one that was.
  const times = (within) => {
    const format = new Intl.DateTimeFormat(document.documentElement.lang, {
      dateStyle: "medium",
      timeStyle: "short",
    });
    for (const time of within.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.getTime())) {
        time.title = time.textContent;
        time.textContent = format.format(at);
      }
    }
  };
  let asking = false;
  let again = false;
  const renew = async () => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("list");
      if (answer.ok && fresh) {
        swap(fresh);
      }
    } catch {
      // The events tell that the connection is gone, and when it is back.
    }
    asking = false;
    if (again) {
      again = false;
      renew();
    }
  };
  const swap = (fresh) => {
    const list = document.getElementById("list");
    if (list.querySelector("details[open]")) {
      return;
    }
    const before = new Set(links().map((link) => link.dataset.id));
    const focused = document.activeElement?.dataset?.id;
    // What is looked at stays where it is.
    const anchor = links().find((link) => link.getBoundingClientRect().top >= 0);
    const top = anchor?.getBoundingClientRect().top;
    times(fresh);
    list.replaceChildren(...fresh.childNodes);
    list.dataset.count = fresh.dataset.count;
    const now = links();
    if (focused) {
      now.find((link) => link.dataset.id === focused)?.focus({ preventScroll: true });
    }
    const same = scrollY > 0 && anchor && now.find((link) => link.dataset.id === anchor.dataset.id);
    if (same) {
      scrollBy(0, same.getBoundingClientRect().top - top);
    }
    const arrived = now.filter((link) => !before.has(link.dataset.id));
    if ("newest" in list.dataset && arrived.length > 0) {
      for (const link of arrived) {
        link.classList.add("new");
      }
      say(told.dataset.new.replace("%", arrived.length));
    }
  };
  const list = document.getElementById("list");
  if (list) {
    const lost = document.getElementById("lost");
    const events = new EventSource(list.dataset.events);
    events.addEventListener("inbox", (event) => {
      lost.hidden = true;
      if (event.data !== list.dataset.count) {
        renew();
      }
    });
    events.addEventListener("error", () => {
      lost.hidden = events.readyState === EventSource.OPEN;
    });
    addEventListener("pagehide", () => events.close());
    addEventListener("pageshow", (event) => {
      if (event.persisted) {
        location.reload();
      }
    });
  }

  // Deleting asks once.
  const current = () => {
    const focused = document.activeElement?.dataset?.id;
    return focused ?? chosen;
  };
  remove?.addEventListener("submit", (event) => {
    if (!confirm(remove.dataset.sure)) {
      event.preventDefault();
      // The guard against sending twice has seen it as sent.
      setTimeout(() => delete remove.dataset.sent, 0);
    }
  });
  const erase = () => {
    if (list) {
      const id = current();
      if (!id) {
        return;
      }
      remove.elements.id.value = id;
    }
    remove.requestSubmit();
  };

  // Keys. They can be switched off (WCAG 2.2, 2.1.4).
  const KEYS = "gatepost-inbox-keys";
  const on = document.getElementById("keys-on");
  const stored = () => {
    try {
      return localStorage.getItem(KEYS);
    } catch {
      return null;
    }
  };
  on.checked = stored() !== "off";
  on.addEventListener("change", () => {
    try {
      localStorage.setItem(KEYS, on.checked ? "on" : "off");
    } catch {
      // Then it holds for this page.
    }
  });
  for (const button of document.querySelectorAll("[data-help]")) {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  }

  const follow = (selector) => document.querySelector(selector)?.click();
  const step = (by) => {
    if (!list) {
      follow(by > 0 ? "a[rel=next]" : "a[rel=prev]");
      return;
    }
    const all = links();
    const at = all.findIndex((link) => link.dataset.id === current());
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
    if (next) {
      chosen = next.dataset.id;
      next.focus();
    }
  };
  const search = document.getElementById("q");
  const acts = {
    j: () => step(1),
    ArrowDown: () => list && step(1),
    k: () => step(-1),
    ArrowUp: () => list && step(-1),
    u: () => follow("#back"),
    Escape: () => follow("#back"),
    "/": () => (search ? (search.focus(), search.select()) : follow("#back")),
    "#": erase,
    Delete: erase,
    c: () => follow(".codes .copy"),
    "?": () => help.showModal(),
  };
  const typing = (element) =>
    element.closest?.("input, textarea, select, [contenteditable], dialog");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target === search) {
      search.blur();
      return;
    }
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if (!on.checked || modified || event.isComposing || help.open || typing(event.target)) {
      return;
    }
    // Within what scrolls, arrows scroll.
    if (event.key.startsWith("Arrow") && event.target.closest?.("pre, .stage")) {
      return;
    }
    const act = Object.hasOwn(acts, event.key) ? acts[event.key] : null;
    if (act && (list || !event.key.startsWith("Arrow"))) {
      event.preventDefault();
      act();
    }
  });
})();
