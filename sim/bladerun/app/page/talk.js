// Questions to the program on this machine, and what is said when it cannot answer.

const GONE = "The program is not running any more. Start it again with “bladerun app”; what you typed is kept here.";
const ANEW = "The program was started anew: open the address it printed, then this page goes on; what you typed is kept.";

/** The answer to a question; an Error with `key`, `what` and `allowed` where it is refused, `gone` without a program. */
export async function ask(path, content) {
  const answer = await fetch(`/api/${path}`, content === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content),
  }).catch(() => {
    throw Object.assign(new Error(GONE), { gone: true });
  });
  if (answer.status === 401) throw Object.assign(new Error(ANEW), { gone: true });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({ error: "The program did not understand that." }));
    throw Object.assign(new Error(said.error), said);
  }
  return answer;
}

/** Keep an answer as a file, under the name that the program gave it. */
export async function download(answer) {
  const name = decodeURIComponent((answer.headers.get("content-disposition") || "").split("utf-8''")[1] || "runner");
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await answer.blob()), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
