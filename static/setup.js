// "Copy" buttons beside the values, the profile as Markdown, and times as the reader's clock has them. Without the
// clipboard (it needs https or localhost) there are no buttons: a click on a value selects the whole of it (setup.css).

const SHOWN_FOR = 2000;

const announce = document.createElement("p");
announce.className = "unseen";
announce.setAttribute("role", "status");
document.querySelector("#setup").append(announce);

/** Copies what `text` returns, and reports it on the button. */
async function copy(button, what, text) {
  button.dataset.label ??= button.textContent;
  // Emptied first, so that screen readers announce the same text again. It stays: a later announcement must not be cut short.
  announce.textContent = "";
  try {
    await navigator.clipboard.writeText(await text());
    button.textContent = "Copied";
    announce.textContent = `${what} copied`;
  } catch {
    button.textContent = "Not copied";
    announce.textContent = `${what} could not be copied`;
  }
  setTimeout(() => {
    button.textContent = button.dataset.label;
  }, SHOWN_FOR);
}

function addButton(value) {
  const name = value.dataset.name ?? value.closest("div")?.querySelector("dt")?.textContent.trim() ?? value.textContent;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${name}`);
  button.addEventListener("click", () => copy(button, name, () => value.textContent));
  value.after(" ", button);
}

async function profile() {
  const answer = await fetch(document.querySelector("#copy-markdown + a").href);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.text();
}

if (navigator.clipboard) {
  document.querySelectorAll(".value").forEach(addButton);
  const markdown = document.querySelector("#copy-markdown");
  markdown.hidden = false;
  markdown.addEventListener("click", () => copy(markdown, "The profile", profile));
}
for (const time of document.querySelectorAll("#entries time")) time.textContent = new Date(time.dateTime).toLocaleTimeString();
