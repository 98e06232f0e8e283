"use strict";
document.documentElement.classList.add("js");
const search = document.getElementById("search");
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/);
  for (const section of document.querySelectorAll("section.benchmark")) {
    section.hidden = !words.every((word) => section.dataset.name.includes(word));
  }
});
