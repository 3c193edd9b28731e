/** Who and with whom: two optional names that go with every attempt. */

import { h } from "../../js/dom.js";
import { say } from "../../js/messages.js";
import { keepStudent, readStudent } from "../../js/student.js";

/** @param {(who: import("../../js/student.js").Student) => void} onchange */
export function createStudent(onchange) {
  const who = readStudent();
  /** @param {"student"|"group"} name */
  const field = (name) => {
    const input = h("input", {
      type: "text",
      name,
      value: who[name],
      maxlength: 80,
      autocomplete: "off",
      onchange: () => {
        who[name] = input.value.trim();
        keepStudent(who);
        onchange({ ...who });
      },
    });
    return h("label", {}, h("span", {}, say(`student.${name}`)), input);
  };
  return {
    element: h("div", { class: "filters student no-print", title: say("student.hint") }, field("student"), field("group")),
    who: () => ({ ...who }),
  };
}
