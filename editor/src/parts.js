// Small parts of a page.

/** An element of a class with a text in it; the text is shown as it is. */
export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function button(text, act) {
  const made = element("button", "", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

/** Tabs by WAI-ARIA's pattern: one of them can be reached by Tab, the arrow keys go from one to the next. */
export function tabs(names, prefix, label, chosen) {
  const list = element("div", "sle-tabs");
  const idOf = (index) => `${prefix}-tab-${index}`;
  const marks = names.map(() => element("span", "sle-tab-mark"));
  const all = names.map((name, index) => {
    const made = button("", () => chosen(index));
    made.id = idOf(index);
    made.setAttribute("role", "tab");
    made.setAttribute("aria-controls", `${prefix}-panel`);
    made.append(element("span", "sle-tab-name", name), marks[index]);
    return made;
  });
  if (names.length > 1) {
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", label);
    list.append(...all);
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const edge = { Home: 0, End: all.length - 1 }[event.key];
      if (step === undefined && edge === undefined) return;
      event.preventDefault();
      const next = edge ?? (all.indexOf(document.activeElement) + step + all.length) % all.length;
      all[next].focus();
      chosen(next);
    });
  } else {
    list.append(element("span", "sle-tab-name sle-title", names[0]), marks[0]);
  }
  return {
    element: list,
    idOf,
    choose(index) {
      all.forEach((tab, other) => {
        tab.setAttribute("aria-selected", String(other === index));
        tab.tabIndex = other === index ? 0 : -1;
      });
    },
    mark(index, text, wrong) {
      const mark = marks[index];
      if (mark.textContent !== text) mark.textContent = text;
      mark.classList.toggle("sle-wrong", wrong);
    },
  };
}
