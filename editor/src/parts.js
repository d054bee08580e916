// Small parts of a page, in the look of the rest.
import look from "../../simlib/lab/look.json";

/** An element of a class with a text in it; the text is shown as it is. */
export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function button(text, act, className = "") {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

/** A picture of ours; `which` is "icons.undo", "signs.yes". */
export function drawing(which, className) {
  const [family, name] = which.split(".");
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("class", className);
  made.setAttribute("viewBox", "0 0 16 16");
  made.setAttribute("aria-hidden", "true");
  made.innerHTML = look[family][name].drawing ?? look[family][name];
  return made;
}

/** A verdict's shape; read out, and copied, it is its sign. */
export function sign(which) {
  const made = element("span", "sle-sign");
  const { colour, text } = look.signs[which];
  const read = element("span", "sl-hidden", `${text} `);
  made.append(drawing(`signs.${which}`, `sl-s${colour ? ` is-${colour}` : ""}`), read);
  return made;
}

/** A button of a picture alone. */
export function iconButton(icon, name, act, title = name) {
  const made = button("", act, "sl-b is-icon");
  made.setAttribute("aria-label", name);
  made.title = title;
  made.append(drawing(`icons.${icon}`, "sl-i"));
  return made;
}

const MANY = 12; // documents; more are a list to choose from

/**
 * Tabs by WAI-ARIA's pattern: one of them can be reached by Tab, the arrow keys go from one to the next. One document has
 * its name alone, and of many one is chosen from a list. `isTabs` tells whether they are tabs.
 */
export function tabs(prefix, label, chosen) {
  const list = element("div", "sl-tabs sle-tabs");
  const idOf = (index) => `${prefix}-tab-${index}`;
  let names = [];
  let all = []; // the tabs, or the options of the list
  let marks = [];
  let choice = null;
  const isTabs = () => names.length > 1 && !choice;
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const edge = { Home: 0, End: all.length - 1 }[event.key];
    if (!isTabs() || (step === undefined && edge === undefined)) return;
    event.preventDefault();
    const next = edge ?? (all.indexOf(document.activeElement) + step + all.length) % all.length;
    all[next].focus();
    chosen(next);
  });
  function tab(name, index) {
    const made = button("", () => chosen(index));
    made.id = idOf(index);
    made.setAttribute("role", "tab");
    made.setAttribute("aria-controls", `${prefix}-panel`);
    made.dataset.name = name;
    made.append(element("span", "sle-tab-name", name), marks[index]);
    return made;
  }
  function options() {
    choice = element("select", "sl-field");
    choice.addEventListener("change", () => chosen(choice.selectedIndex));
    choice.append(...names.map((name) => element("option", "", name)));
    const labelled = element("label", "", `${names.length} documents `);
    labelled.append(choice);
    return labelled;
  }
  return {
    element: list,
    idOf,
    isTabs,
    /** Show these names; what is there already stays as it is. */
    name(wanted) {
      if (wanted.join("\n") === names.join("\n")) return;
      names = wanted;
      choice = null;
      marks = names.map((_, index) => marks[index] ?? element("span", "sle-tab-mark"));
      list.removeAttribute("role");
      list.removeAttribute("aria-label");
      if (names.length > MANY) {
        list.replaceChildren(options());
        all = [...choice.options];
      } else if (names.length > 1) {
        all = names.map((name, index) => (all[index]?.dataset.name === name ? all[index] : tab(name, index)));
        list.setAttribute("role", "tablist");
        list.setAttribute("aria-label", label);
        list.replaceChildren(...all);
      } else {
        list.replaceChildren(element("span", "sle-tab-name sle-title", names[0]), marks[0]);
      }
    },
    choose(index) {
      if (choice) choice.selectedIndex = index;
      else
        all.forEach((each, other) => {
          each.setAttribute("aria-selected", String(other === index));
          each.tabIndex = other === index ? 0 : -1;
        });
    },
    mark(index, text, wrong) {
      if (choice) {
        if (all[index].text !== names[index] + text) all[index].text = names[index] + text;
        return;
      }
      const mark = marks[index];
      if (mark.textContent !== text) mark.textContent = text;
      mark.classList.toggle("sle-wrong", wrong);
    },
  };
}
