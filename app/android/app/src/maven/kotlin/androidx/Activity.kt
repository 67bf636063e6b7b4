// SPDX-License-Identifier: Apache-2.0
/** What the sample uses of androidx.activity 1.12, for the compiler alone: Maven cannot read its archive. */
@file:Suppress("UNUSED_PARAMETER", "unused")

package androidx.activity

import android.app.Activity
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.ViewModel

open class ComponentActivity : Activity(), LifecycleOwner {
    override val lifecycle: Lifecycle get() = TODO()
}

inline fun <reified T : ViewModel> ComponentActivity.viewModels(): Lazy<T> = TODO()
