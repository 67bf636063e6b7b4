// SPDX-License-Identifier: Apache-2.0
/** Where utif2 looks for what unpacks deflate; to be imported before it. */
import { inflateRaw } from "pako";

Object.assign(self, { pako: { inflateRaw } });
