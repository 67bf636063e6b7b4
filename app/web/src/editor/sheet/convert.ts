// SPDX-License-Identifier: Apache-2.0
/** Photos that no browser opens, turned into PNG by the server that the page comes from. */
import { Trouble } from "../../trouble";

/** Whether the page comes from `relight serve` on the user's own machine. */
export function canConvert(): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname) && navigator.onLine;
}

/** The same photo as PNG: upright, sRGB. @throws Trouble if it cannot. */
export async function convert(file: Blob): Promise<Blob> {
  const answer = await fetch("./convert", {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: file,
  });
  if (answer.ok) return answer.blob();
  const { error } = (await answer.json().catch(() => ({ error: String(answer.status) }))) as {
    error: string;
  };
  throw new Trouble("notConverted", { words: error });
}
