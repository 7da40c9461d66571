// Sources of files: drag and drop anywhere on the page (folders too), paste, and the file picker.

// take(files): an array of File.
export function gather({ take, overlay, input, openers }) {
  for (const opener of openers) {
    if (!opener) continue;
    opener.setAttribute("role", "button"); // without scripts it is a link to the plain form
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      input.click();
    });
    opener.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      input.click();
    });
  }
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    take(files);
  });
  drops(take, overlay);
}

function drops(take, overlay) {
  let depth = 0; // dragenter and dragleave fire for every element on the way
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (shown) => {
    overlay.hidden = !shown;
  };
  document.addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  document.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  document.addEventListener("dragleave", (event) => {
    if (!carries(event)) return;
    depth = Math.max(0, depth - 1);
    if (depth === 0) show(false);
  });
  document.addEventListener("drop", async (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    take(await dropped(event.dataTransfer));
  });
}

async function dropped(transfer) {
  // DataTransferItems are empty after the event handler returns, so entries are read before the first await
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [...transfer.files];
  if (!entries.some((entry) => entry.isDirectory)) return files;
  return (await Promise.all(entries.map(walk))).flat();
}

// Resolves to all files below an entry, except those whose names start with a dot.
async function walk(entry) {
  if (entry.isFile) {
    if (entry.name.startsWith(".")) return [];
    return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  }
  const reader = entry.createReader();
  const children = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // returns at most 100
    if (some.length === 0) break;
    children.push(...some);
  }
  return (await Promise.all(children.map(walk))).flat();
}
