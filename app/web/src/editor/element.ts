// SPDX-License-Identifier: Apache-2.0
/** Elements of the page by their id. */

/** @throws if the page has no such element of this kind. */
export function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

export const button = (id: string): HTMLButtonElement => element(id, HTMLButtonElement);
export const input = (id: string): HTMLInputElement => element(id, HTMLInputElement);
export const block = (id: string): HTMLElement => element(id, HTMLElement);
