// What makes the account pages more comfortable. All of them work without it. Nothing that is
// typed leaves the page but by its form.
"use strict";

(() => {
  const words = document.body.dataset;

  // Where something was refused, that is read first.
  document.querySelector("[data-focus]")?.focus();

  // Times in the reader's own zone.
  const format = new Intl.DateTimeFormat(document.documentElement.lang, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.title = time.textContent;
      time.textContent = format.format(at);
    }
  }

  // A mail can be asked for again when the server would send it.
  for (const button of document.querySelectorAll("button[data-seconds]")) {
    const text = button.form.querySelector("[data-wait-text]");
    const until = performance.now() + Number(button.dataset.seconds) * 1000;
    const tick = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      button.disabled = left > 0;
      if (left > 0) {
        text.textContent = words.wait.replace("%", left);
        setTimeout(tick, 250);
      } else {
        text?.remove();
      }
    };
    tick();
  }

  // Passwords can be looked at.
  for (const input of document.querySelectorAll("input[type=password]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet show";
    button.textContent = words.show;
    button.setAttribute("aria-controls", input.id);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const hidden = input.type === "password";
      input.type = hidden ? "text" : "password";
      button.textContent = hidden ? words.hide : words.show;
      button.setAttribute("aria-pressed", String(hidden));
    });
    input.after(button);
    // A browser must not remember it as a text.
    input.form.addEventListener("submit", () => {
      input.type = "password";
    });
  }

  // How hard a new password is to guess, roughly: length counts, repetition does not.
  const strength = (text) => {
    const different = new Set(text).size;
    const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u, /\p{Lo}/u];
    const variety = kinds.filter((kind) => kind.test(text)).length;
    const score = Math.min([...text].length, different * 2) + variety * 2;
    return score < 14 ? "weak" : score < 20 ? "fair" : "good";
  };
  for (const input of document.querySelectorAll("input[data-strength]")) {
    const hint = document.createElement("p");
    hint.className = "strength";
    hint.setAttribute("role", "status");
    input.closest(".field").append(hint);
    input.addEventListener("input", () => {
      hint.textContent = input.value ? words[strength(input.value)] : "";
    });
  }

  // Twice on the button is one form.
  for (const form of document.forms) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) {
        event.preventDefault();
      }
      form.dataset.sent = "1";
    });
  }
  // Whoever comes back by the history may send it again.
  addEventListener("pageshow", () => {
    for (const form of document.forms) {
      delete form.dataset.sent;
    }
  });
})();
