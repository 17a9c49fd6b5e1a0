/* Hands a text, or the bytes of a picture, to the browser as a file. */
const READ_MS = 10_000;

export function download(name: string, content: string, type: string): void {
  downloadBlob(name, new Blob([content], { type }));
}

export function downloadBlob(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  /* not before the browser has begun to read it */
  window.setTimeout(() => URL.revokeObjectURL(url), READ_MS);
}
