// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import android.content.Context
import portrait.relight.Relighter
import portrait.relight.mediapipe.MediaPipeDetector
import portrait.relight.tflite.TfliteStages

/** The relighter of this app. */
fun newRelighter(context: Context): Relighter =
    Relighter(MediaPipeDetector(context), TfliteStages(context.assets), threads = 4)
