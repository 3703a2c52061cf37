"use strict";
// The sheet works without this script: radio buttons choose the lead. The script adds "Play".
const sheet = document.querySelector(".sheet");
if (sheet) {
  const leads = [...sheet.querySelectorAll("input[type=radio]")];
  const button = sheet.querySelector(".play");
  let timer = null;
  const step = () => {
    const next = (leads.findIndex((lead) => lead.checked) + 1) % leads.length;
    leads[next].checked = true;
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
    button.setAttribute("aria-pressed", "false");
  };
  button.addEventListener("click", () => {
    if (timer !== null) {
      stop();
      return;
    }
    step();
    timer = setInterval(step, 900);
    button.textContent = "Pause";
    button.setAttribute("aria-pressed", "true");
  });
  for (const lead of leads) lead.addEventListener("click", () => timer !== null && stop());
  button.hidden = leads.length < 2;
}
// A link to a row of scores opens the table around it, in browsers that do not do so themselves.
const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const table = target && target.closest("details");
  if (table && !table.open) {
    table.open = true;
    target.scrollIntoView();
  }
};
addEventListener("hashchange", reveal);
reveal();
// The page shows the first score of the matrix; this lets the reader choose another one.
const choose = document.querySelector(".choose");
const choices = document.getElementById("choices");
if (choose && choices) {
  const { labels, hours, cells } = JSON.parse(choices.textContent);
  const rows = [...document.querySelectorAll(".matrix tbody tr")].map((row) => [...row.querySelectorAll("td")]);
  const [score, hour] = ["score", "hour"].map((id) => document.getElementById(id));
  const show = () => {
    const chosen = cells[score.value][hour.value];
    rows.forEach((row, i) =>
      row.forEach((cell, j) => {
        const [text, kind, rest] = chosen[i][j] || ["\u2013", "none", ""];
        const start = cell.classList.contains("start") ? "start " : "";
        cell.className = start + kind;
        const link = cell.querySelector("a");
        if (!link) return;
        const place = link.title.slice(0, link.title.indexOf(": "));
        const title = kind === "none" ? `${place}: none` : `${place}: ${labels[score.value]} ${rest}`;
        link.textContent = text;
        link.title = title;
        link.setAttribute("aria-label", title);
      }),
    );
    const which = hour.value === "0" ? "" : `, ${hours[hour.value]}`;
    document.getElementById("shown").textContent = labels[score.value] + which;
  };
  score.addEventListener("change", show);
  hour.addEventListener("change", show);
  choose.hidden = false;
}
