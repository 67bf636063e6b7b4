// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import android.content.Context
import portrait.relight.Relighter

/** Stands where MediaPipe cannot be had: nothing calls it. */
fun newRelighter(context: Context): Relighter = error("built without MediaPipe: ${context.packageName}")
