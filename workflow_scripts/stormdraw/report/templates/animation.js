"use strict";
// The sheet works without this script: a lead is chosen with radio buttons. It only adds "play".
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
// A link to a row of scores opens the table that it stands in, in browsers that do not by themselves.
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
