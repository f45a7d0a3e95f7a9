"use strict";
// Search, filters and sorting over rows that are already there: without this script the page has them all.
(() => {
  const controls = document.getElementById("controls");
  if (!controls) return;
  const table = document.querySelector("table.aliases");
  const aliases = [...table.tBodies];
  const headings = [...table.querySelectorAll("thead th[data-sort]")];
  const order = document.getElementById("order");
  const search = document.getElementById("search");
  const filters = ["verdict", "account", "region"].map((name) => document.getElementById(name));
  const columns = new Map(headings.map((heading) => [heading, [...heading.parentNode.children].indexOf(heading)]));
  const texts = new Map();
  const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumFractionDigits: 0 });

  const raw = (alias, column) => alias.rows[0].cells[column].dataset.value;
  const text = (alias) => {
    if (!texts.has(alias)) texts.set(alias, alias.textContent.toLowerCase());
    return texts.get(alias);
  };

  // What is not known stands last, whichever way the column is sorted.
  const sorted = (heading, direction) => {
    const column = columns.get(heading);
    const sign = direction === "ascending" ? 1 : -1;
    const compare = heading.dataset.sort === "number" ? (a, b) => a - b : (a, b) => a.localeCompare(b);
    return [...aliases].sort((one, other) => {
      const [a, b] = [raw(one, column), raw(other, column)];
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
      return sign * compare(a, b);
    });
  };

  const sort = (heading, direction) => {
    for (const each of headings) each.setAttribute("aria-sort", each === heading ? direction : "none");
    order.value = heading ? `${columns.get(heading)} ${direction}` : "";
    table.append(...(heading ? sorted(heading, direction) : aliases));
  };

  const sum = (rows, column) => rows.reduce((total, row) => total + Number(raw(row, column) ?? 0), 0);

  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    const shown = aliases.filter((alias) => {
      const fits = filters.every((each) => !each.value || alias.dataset[each.id] === each.value);
      alias.hidden = !(fits && (!wanted || text(alias).includes(wanted)));
      return !alias.hidden;
    });
    const change = sum(shown, 5);
    document.getElementById("shown").textContent =
      `${shown.length} of ${aliases.length} rows: ${dollars.format(sum(shown, 3))} a month, ` +
      `${change > 0 ? "+" : ""}${dollars.format(change)} a month if these verdicts are followed`;
  };

  for (const heading of headings) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    // Chromium leaves buttons out of the heading that it repeats on each page of paper.
    const words = document.createElement("span");
    words.className = "on-paper";
    words.textContent = heading.textContent;
    heading.replaceChildren(button, words);
    heading.setAttribute("aria-sort", "none");
    const first = heading.dataset.first;
    const second = first === "ascending" ? "descending" : "ascending";
    button.addEventListener("click", () => sort(heading, heading.getAttribute("aria-sort") === first ? second : first));
    order.append(new Option(button.textContent, `${columns.get(heading)} ${first}`));
    order.append(new Option(`${button.textContent}, reversed`, `${columns.get(heading)} ${second}`));
  }
  order.addEventListener("change", () => {
    const [column, direction] = order.value.split(" ");
    sort(headings.find((each) => order.value && columns.get(each) === Number(column)), direction);
  });
  search.addEventListener("input", filter);
  for (const each of filters) each.addEventListener("change", filter);
  controls.addEventListener("submit", (event) => event.preventDefault());

  // Browsers that do not know the style for the content of details print what is open.
  const closed = [];
  addEventListener("beforeprint", () => {
    closed.push(...document.querySelectorAll("details:not([open])"));
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of closed.splice(0)) each.open = false;
  });

  controls.hidden = false;
  filter();
})();
