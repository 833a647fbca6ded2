"use strict";
(() => {
  const root = document.documentElement;
  const keep = (value) => { try { value ? localStorage.setItem("theme", value) : localStorage.removeItem("theme"); } catch { /* no room to remember it */ } };
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const wear = (theme) => { theme === "dark" || theme === "light" ? root.dataset.theme = theme : delete root.dataset.theme; };
  root.classList.add("live");
  wear(kept());

  const dress = () => {
    const button = document.querySelector("[data-switch]");
    if (!button) return;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
    const tell = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => {
      const theme = isDark() ? "light" : "dark";
      wear(theme);
      keep(theme === (dark.matches ? "dark" : "light") ? "" : theme);
      if (!kept() && theme === (dark.matches ? "dark" : "light")) wear(null);
      tell();
    });
    dark.addEventListener("change", tell);
    tell();
  };

  const sieve = () => {
    const form = document.querySelector("[data-filter]");
    if (!form) return;
    const words = form.querySelector("input[type=search]");
    const choices = [...form.querySelectorAll("select")];
    const told = form.querySelector("[role=status]");
    const parts = [...document.querySelectorAll("[data-rows]")].map((table) => ({
      rows: [...table.tBodies[0].rows].map((row) => ({ row, text: row.textContent.toLowerCase().replace(/\s+/g, " ") })),
      none: document.getElementById(table.dataset.rows),
    }));
    const total = parts.reduce((sum, part) => sum + part.rows.length, 0);
    const sift = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const exact = choices.filter((choice) => choice.value);
      let shown = 0;
      for (const part of parts) {
        let here = 0;
        for (const { row, text } of part.rows) {
          const fits = wanted.every((word) => text.includes(word))
            && exact.every((choice) => ` ${row.dataset[choice.name] || ""} `.includes(` ${choice.value} `));
          row.hidden = !fits;
          if (fits) here += 1;
        }
        if (part.none) part.none.hidden = here > 0;
        shown += here;
      }
      const active = wanted.length || exact.length;
      told.textContent = (active ? form.dataset.some : form.dataset.all).replace("{shown}", shown.toLocaleString(root.lang)).replace("{all}", total.toLocaleString(root.lang));
    };
    let soon = 0;
    const later = () => { clearTimeout(soon); soon = setTimeout(sift, 80); };
    words.addEventListener("input", later);
    words.addEventListener("keydown", (event) => { if (event.key === "Escape") { words.value = ""; sift(); } });
    choices.forEach((choice) => choice.addEventListener("change", sift));
    form.addEventListener("submit", (event) => { event.preventDefault(); sift(); });
    sift();
  };

  const age = () => {
    const line = document.querySelector("[data-at]");
    const days = line ? Math.floor((Date.now() - Date.parse(line.dataset.at)) / 864e5) : 0;
    if (days < 2) return;
    line.textContent = line.dataset.words.replace("{days}", days.toLocaleString(root.lang));
    line.hidden = false;
  };

  document.addEventListener("DOMContentLoaded", () => { dress(); sieve(); age(); });
})();
