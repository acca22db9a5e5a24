// Puts a "Copy" button beside each value of the test login. Without the clipboard (it needs https or
// localhost) there is no button: a click on the value selects the whole of it anyway (page.css).

const SHOWN_FOR = 2000;

function addButton(value) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${value.textContent}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(value.textContent);
    } catch {
      getSelection().selectAllChildren(value);
      return;
    }
    button.textContent = "Copied";
    announce.textContent = `${value.textContent} copied`;
    setTimeout(() => {
      button.textContent = "Copy";
      announce.textContent = "";
    }, SHOWN_FOR);
  });
  value.after(button);
}

const announce = document.createElement("p");
announce.className = "unseen";
announce.setAttribute("role", "status");
document.querySelector(".test-login")?.append(announce);

if (navigator.clipboard) {
  document.querySelectorAll(".test-login code").forEach(addButton);
}
