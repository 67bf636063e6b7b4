// SPDX-License-Identifier: Apache-2.0
/** Elements of the page by their id, and what the browser remembers of the user's ways. */

/** @throws if the page has no such element of this kind. */
export function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

export const button = (id: string): HTMLButtonElement => element(id, HTMLButtonElement);
export const input = (id: string): HTMLInputElement => element(id, HTMLInputElement);
export const select = (id: string): HTMLSelectElement => element(id, HTMLSelectElement);
export const dialog = (id: string): HTMLDialogElement => element(id, HTMLDialogElement);
export const block = (id: string): HTMLElement => element(id, HTMLElement);

/** A button with words. */
export function made(words: string, click: () => void): HTMLButtonElement {
  const chip = document.createElement("button");
  chip.type = "button";
  chip.textContent = words;
  chip.addEventListener("click", click);
  return chip;
}

/** Swap a group's buttons; the one in focus keeps its place. */
export function replace(group: HTMLElement, chips: readonly HTMLElement[]): void {
  const at = [...group.children].indexOf(document.activeElement as Element);
  group.replaceChildren(...chips);
  if (at >= 0) chips[Math.min(at, chips.length - 1)]?.focus();
}

/** Save a file as a browser does. */
export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // a browser that keeps nothing
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // a browser that keeps nothing: then it is asked again
  }
}
