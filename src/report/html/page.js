"use strict";
(() => {
  const list = document.getElementById("rows");
  if (!list) return;
  document.documentElement.classList.add("js");
  const rows = [...list.querySelectorAll(":scope > details")];
  const search = document.getElementById("search");
  const verdict = document.getElementById("verdict");
  const order = document.getElementById("order");
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  const number = (row, key) => {
    const value = parseFloat(row.dataset[key]);
    return Number.isNaN(value) ? -Infinity : value;
  };
  const orders = {
    report: (a, b) => a.dataset.place - b.dataset.place,
    name: (a, b) => a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true }),
    slower: (a, b) => number(b, "change") - number(a, "change"),
    faster: (a, b) => (a.dataset.change ? +a.dataset.change : Infinity) - (b.dataset.change ? +b.dataset.change : Infinity),
    time: (a, b) => number(b, "time") - number(a, "time"),
    bytes: (a, b) => number(b, "bytes") - number(a, "bytes"),
  };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const name = row.dataset.name.toLowerCase();
      const fits = words.every((word) => name.includes(word)) &&
        (verdict.value === "" || row.dataset.verdict === verdict.value);
      row.hidden = !fits;
      if (fits) count += 1;
    }
    shown.textContent = count + " of " + rows.length;
    none.style.display = count === 0 ? "block" : "none";
  };
  const sort = () => {
    const compare = orders[order.value] || orders.report;
    const sorted = [...rows].sort((a, b) => compare(a, b) || orders.report(a, b));
    list.append(...sorted);
  };
  search.addEventListener("input", filter);
  verdict.addEventListener("change", filter);
  order.addEventListener("change", sort);
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === "Escape" && event.target === search) {
      search.value = "";
      filter();
    }
  });
  filter();
})();
