"use strict";
// Before the page is drawn, so that it never flashes in the other colours.
(function () {
  const names = ["auto", "light", "dark"];
  let at = 0;
  try { at = Math.max(0, names.indexOf(localStorage.getItem("theme"))); } catch (error) { /* kept for this page alone */ }
  const show = () => {
    if (names[at] === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.dataset.theme = names[at];
  };
  show();
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const name = () => { button.textContent = "Theme: " + names[at]; };
    name();
    button.addEventListener("click", () => {
      at = (at + 1) % names.length;
      try { localStorage.setItem("theme", names[at]); } catch (error) { /* as above */ }
      show();
      name();
    });
  });
})();
