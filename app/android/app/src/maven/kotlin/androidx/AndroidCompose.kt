// SPDX-License-Identifier: Apache-2.0
/** What of Compose is Android's alone, for the compiler: the rest comes from Compose for desktops. */
@file:Suppress("UNUSED_PARAMETER", "unused")

package androidx.compose.ui.graphics

import android.graphics.Bitmap

fun Bitmap.asImageBitmap(): ImageBitmap = TODO()
