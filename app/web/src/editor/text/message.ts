// SPDX-License-Identifier: Apache-2.0
/** The page's words in the user's language. */
import { spoken, type Reason, type Words } from "../../placement/wording";
import { Trouble, type Values } from "../../trouble";
import { remembered, remember } from "../element";
import { english } from "./english";
import { german } from "./german";
import { germanReasons } from "./german_reason";

export type Key = keyof typeof english;
export type Messages = Record<Key, string>;

const LANGUAGES = { en: english, de: german };
/** The library's reasons; in English, as it says them itself. */
const REASONS: Readonly<Record<Language, Words | undefined>> = { en: undefined, de: germanReasons };
export type Language = keyof typeof LANGUAGES;

let language: Language = "en";

/** A message with its gaps filled. */
export function say(key: Key, values: Values = {}): string {
  return LANGUAGES[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
}

/** Why a setup is as it is. */
export function explain(reason: Reason): string {
  return spoken(reason, REASONS[language]);
}

/** What a setup of the library's is called; one that has no name here goes by its own. */
export function patternName(pattern: string): string {
  const key = `pattern_${pattern}`;
  return key in english ? say(key as Key) : pattern;
}

/** What went wrong, as a sentence. */
export function sentence(error: unknown): string {
  if (error instanceof Trouble) return say(`trouble_${error.kind}`, error.values);
  return say("trouble_worker", { message: error instanceof Error ? error.message : String(error) });
}

/** The language asked for before, or the first of the browser's that there is. */
export function preferred(): Language {
  const wanted = [remembered("language") ?? "", ...navigator.languages];
  const found = wanted.map((name) => name.slice(0, 2)).find((name) => name in LANGUAGES);
  return (found ?? "en") as Language;
}

/** Put the page's own words in a language. */
export function speak(wanted: Language): void {
  language = wanted;
  remember("language", wanted);
  document.documentElement.lang = wanted;
  for (const element of document.querySelectorAll<HTMLElement>("[data-say]")) {
    element.textContent = say(element.dataset.say as Key);
  }
  for (const element of document.querySelectorAll<HTMLElement>("[data-say-label]")) {
    element.setAttribute("aria-label", say(element.dataset.sayLabel as Key));
  }
  for (const element of document.querySelectorAll<HTMLElement>("[data-say-title]")) {
    element.title = say(element.dataset.sayTitle as Key);
  }
}
