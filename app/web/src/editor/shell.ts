// SPDX-License-Identifier: Apache-2.0
/** Around the editor: menu, language, appearance, installing, use offline. */
import { button, dialog, remember, remembered, select } from "./element";
import { preferred, speak, type Language } from "./text/message";

const GROUNDS: Record<string, string> = { dark: "#161616", light: "#e6e6e6" };

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

/** @param spoken called whenever another language is spoken. */
export function openShell(spoken: () => void): void {
  for (const close of document.querySelectorAll<HTMLElement>("[data-close]")) {
    close.addEventListener("click", () => close.closest("dialog")?.close());
  }
  for (const sheet of document.querySelectorAll("dialog")) {
    sheet.addEventListener("click", (event) => {
      if (event.target === sheet) sheet.close(); // beside it
    });
  }
  button("more").addEventListener("click", () => dialog("menu").showModal());

  const language = select("language");
  language.value = preferred();
  speak(language.value as Language);
  language.addEventListener("change", () => {
    speak(language.value as Language);
    spoken();
  });

  const theme = select("theme");
  theme.value = remembered("theme") === "light" ? "light" : "dark"; // as photo editors are
  const paint = (): void => {
    document.documentElement.dataset.theme = theme.value;
    const meta = document.querySelector<HTMLMetaElement>('meta[name="theme-color"]');
    if (meta) meta.content = GROUNDS[theme.value];
  };
  paint();
  theme.addEventListener("change", () => {
    remember("theme", theme.value);
    paint();
  });

  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    const install = button("install");
    install.hidden = false;
    install.onclick = (): void => {
      install.hidden = true;
      void (event as InstallPrompt).prompt();
    };
  });
}

/** Keep the page for use offline: what it consists of at once. */
export async function keepPage(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("./service.js");
  await navigator.serviceWorker.ready;
}

/** Keep the models too, once they are here: the browser has them in its cache by then. */
export async function keepModels(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const { active } = await navigator.serviceWorker.ready;
  if (active === null) return;
  const channel = new MessageChannel();
  const kept = new Promise<boolean>((resolve) => {
    channel.port1.onmessage = ({ data }: MessageEvent<boolean>): void => resolve(data);
  });
  active.postMessage("keep", [channel.port2]);
  if (await kept) document.body.dataset.offline = "1";
}
