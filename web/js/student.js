/** Who tries the labs here: a name and a group, kept by this browser alone until an attempt carries them. */

/** @typedef {{student: string, group: string}} Student */

/** @returns {Student} */
export function readStudent() {
  try {
    return { student: localStorage.getItem("student") ?? "", group: localStorage.getItem("group") ?? "" };
  } catch {
    return { student: "", group: "" };
  }
}

/** @param {Student} who */
export function keepStudent(who) {
  try {
    localStorage.setItem("student", who.student);
    localStorage.setItem("group", who.group);
  } catch {
    // Storage is refused: the names hold until the page is left.
  }
}
