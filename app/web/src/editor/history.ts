// SPDX-License-Identifier: Apache-2.0
/** What the user chose, and how it came about: for undo and redo. */
import type { Light } from "../light";

/** A light and the warmth its colour was made from. */
export interface EditorLight extends Light {
  warmth: number;
}

export interface Choice {
  readonly lights: readonly EditorLight[];
  /** The light that the controls move. */
  readonly selected: number;
  /** Share of the existing light that stays on the person. */
  readonly fill: number;
  /** How much of all this each of the faces gets; all of it without a number. */
  readonly shares: readonly number[];
  /** The faces lit, by their numbers. */
  readonly faces: readonly number[];
  /** The setup of the library's that this is, unchanged; null for the user's own. */
  readonly pattern: string | null;
}

const MOST = 200;

/** Whether two choices give the same picture. */
export function alike(a: Choice, b: Choice): boolean {
  const what = ({ lights, fill, faces, shares }: Choice): string =>
    JSON.stringify([lights, fill, faces, shares]);
  return what(a) === what(b);
}

export class History {
  private past: Choice[] = [];
  private future: Choice[] = [];

  constructor(private current: Choice) {}

  get choice(): Choice {
    return this.current;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Replace the choice; what was there before can be had back, if it looked different. */
  commit(choice: Choice, before: Choice = this.current): void {
    this.current = choice;
    if (alike(choice, before)) return;
    this.past = [...this.past.slice(-MOST), before];
    this.future = [];
  }

  /** Replace the choice for now, as while a light is dragged. */
  try(choice: Choice): void {
    this.current = choice;
  }

  undo(): void {
    const before = this.past.pop();
    if (before === undefined) return;
    this.future.push(this.current);
    this.current = before;
  }

  redo(): void {
    const after = this.future.pop();
    if (after === undefined) return;
    this.past.push(this.current);
    this.current = after;
  }
}
