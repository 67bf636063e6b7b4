// SPDX-License-Identifier: Apache-2.0
/** What the sample uses of androidx.activity.result 1.12, for the compiler alone. */
@file:Suppress("UNUSED_PARAMETER", "unused")

package androidx.activity.result

import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia.VisualMediaType

class PickVisualMediaRequest

fun PickVisualMediaRequest(mediaType: VisualMediaType): PickVisualMediaRequest = TODO()
