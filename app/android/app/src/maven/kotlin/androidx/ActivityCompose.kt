// SPDX-License-Identifier: Apache-2.0
/** What the sample uses of androidx.activity.compose 1.12, for the compiler alone. */
@file:Suppress("UNUSED_PARAMETER", "unused")

package androidx.activity.compose

import androidx.activity.ComponentActivity
import androidx.activity.result.contract.ActivityResultContract
import androidx.compose.runtime.Composable

fun ComponentActivity.setContent(content: @Composable () -> Unit): Unit = TODO()

class ManagedActivityResultLauncher<I, O> {
    fun launch(input: I): Unit = TODO()
}

@Composable
fun <I, O> rememberLauncherForActivityResult(
    contract: ActivityResultContract<I, O>,
    onResult: (O) -> Unit,
): ManagedActivityResultLauncher<I, O> = TODO()
